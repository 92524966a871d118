/**
 * Says which generation of a policy was looked at, and of what its expressions were warned. Upstream:
 * pkg/controller/validatingadmissionpolicystatus. Expressions over kinds of any shape cannot be checked and are not warned of.
 */
import { CustomResourceDefinition } from "#api/apiextensions/custom-resource-definition.ts";
import { ValidatingAdmissionPolicy } from "#api/admissionregistration/validating-admission-policy.ts";
import { defineReconciler, updateStatus } from "#reconcilers/reconciler.ts";
import { expressionWarnings } from "./type-checking.ts";

export const policyStatusReconciler = defineReconciler<ValidatingAdmissionPolicy>({
  name: "validatingadmissionpolicy-status",
  watches: ValidatingAdmissionPolicy,
  reads: [CustomResourceDefinition],
  reconcile(policy, view) {
    const { generation = 0, deletionTimestamp } = policy.metadata;
    if (deletionTimestamp !== undefined || generation <= (policy.status?.observedGeneration ?? 0)) return [];
    const warnings = expressionWarnings(policy, view.list(CustomResourceDefinition));
    const typeChecking = warnings.length === 0 ? {} : { expressionWarnings: warnings };
    const status = { ...policy.status, observedGeneration: generation, typeChecking };
    return [updateStatus(ValidatingAdmissionPolicy, { ...policy, status })];
  },
});
