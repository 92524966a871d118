/** Where a policy holds. Upstream: pkg/registry/admissionregistration/validatingadmissionpolicybinding/strategy.go. */
import { ageColumn, nameColumn } from "#api/columns.ts";
import type { V1ValidatingAdmissionPolicyBinding } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { defaultMatch } from "./match-defaults.ts";
import { bindingColumns } from "./policy-columns.ts";
import { validatingBindingErrors } from "./binding-rules.ts";

export type ValidatingAdmissionPolicyBinding = V1ValidatingAdmissionPolicyBinding;
export const ValidatingAdmissionPolicyBinding = defineResource<ValidatingAdmissionPolicyBinding>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicyBinding",
  plural: "validatingadmissionpolicybindings",
  categories: ["api-extensions"],
  scope: "Cluster",
  schema: "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding",
  allowUnconditionalUpdate: false,
  defaults({ spec }) {
    defaultMatch(spec?.matchResources);
  },
  validate: validatingBindingErrors,
  columns: [nameColumn, ...bindingColumns<ValidatingAdmissionPolicyBinding>(), ageColumn],
});
