/** Changes in CEL. Upstream: pkg/registry/admissionregistration/mutatingadmissionpolicy/strategy.go. */
import { ageColumn, column, integer, nameColumn } from "#api/columns.ts";
import type { V1MutatingAdmissionPolicy } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { defaultMatch } from "./match-defaults.ts";
import { paramKindText } from "./policy-columns.ts";
import { mutatingPolicyErrors } from "./mutating-policy-rules.ts";

export type MutatingAdmissionPolicy = V1MutatingAdmissionPolicy;
export const MutatingAdmissionPolicy = defineResource<MutatingAdmissionPolicy>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingAdmissionPolicy",
  plural: "mutatingadmissionpolicies",
  categories: ["api-extensions"],
  scope: "Cluster",
  schema: "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy",
  allowUnconditionalUpdate: false,
  storageVersion: "admissionregistration.k8s.io/v1beta1",
  defaults({ spec }) {
    if (spec === undefined) return;
    spec.failurePolicy ??= "Fail";
    defaultMatch(spec.matchConstraints);
  },
  validate: mutatingPolicyErrors,
  columns: [
    nameColumn,
    column(
      "Mutations",
      "Mutation indicates the number of mutations rules defined in this configuration",
      ({ spec }: MutatingAdmissionPolicy) => (spec?.mutations ?? []).length,
      integer,
    ),
    column(
      "ParamKind",
      "ParamKind specifies the kind of resources used to parameterize this policy",
      ({ spec }: MutatingAdmissionPolicy) => paramKindText(spec?.paramKind),
    ),
    ageColumn,
  ],
});
