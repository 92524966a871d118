/** Where a policy holds. Upstream: pkg/registry/admissionregistration/mutatingadmissionpolicybinding/strategy.go. */
import { ageColumn, nameColumn } from "#api/columns.ts";
import type { V1MutatingAdmissionPolicyBinding } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { defaultMatch } from "./match-defaults.ts";
import { bindingColumns } from "./policy-columns.ts";
import { mutatingBindingErrors } from "./binding-rules.ts";

export type MutatingAdmissionPolicyBinding = V1MutatingAdmissionPolicyBinding;
export const MutatingAdmissionPolicyBinding = defineResource<MutatingAdmissionPolicyBinding>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingAdmissionPolicyBinding",
  plural: "mutatingadmissionpolicybindings",
  categories: ["api-extensions"],
  scope: "Cluster",
  schema: "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding",
  allowUnconditionalUpdate: false,
  storageVersion: "admissionregistration.k8s.io/v1beta1",
  defaults({ spec }) {
    defaultMatch(spec?.matchResources);
  },
  validate: mutatingBindingErrors,
  columns: [nameColumn, ...bindingColumns<MutatingAdmissionPolicyBinding>(), ageColumn],
});
