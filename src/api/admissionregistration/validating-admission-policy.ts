/** Rules in CEL. Upstream: pkg/registry/admissionregistration/validatingadmissionpolicy/strategy.go. */
import { ageColumn, column, integer, nameColumn } from "#api/columns.ts";
import type { V1ValidatingAdmissionPolicy } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { keepsMeta, keepsStatus } from "#api/status-strategy.ts";
import { defaultMatch } from "./match-defaults.ts";
import { paramKindText } from "./policy-columns.ts";
import { validatingPolicyErrors, validatingPolicyStatusErrors } from "./policy-rules.ts";

export type ValidatingAdmissionPolicy = V1ValidatingAdmissionPolicy;
export const ValidatingAdmissionPolicy = defineResource<ValidatingAdmissionPolicy>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicy",
  plural: "validatingadmissionpolicies",
  categories: ["api-extensions"],
  scope: "Cluster",
  schema: "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy",
  allowUnconditionalUpdate: false,
  defaults({ spec }) {
    if (spec === undefined) return;
    spec.failurePolicy ??= "Fail";
    defaultMatch(spec.matchConstraints);
  },
  ...keepsStatus<ValidatingAdmissionPolicy>("admissionregistration.v1.ValidatingAdmissionPolicyStatus"),
  validate: validatingPolicyErrors,
  status: keepsMeta<ValidatingAdmissionPolicy>(validatingPolicyStatusErrors),
  columns: [
    nameColumn,
    column(
      "Validations",
      "Validations indicates the number of validation rules defined in this configuration",
      ({ spec }: ValidatingAdmissionPolicy) => (spec?.validations ?? []).length,
      integer,
    ),
    column(
      "ParamKind",
      "ParamKind specifies the kind of resources used to parameterize this policy",
      ({ spec }: ValidatingAdmissionPolicy) => paramKindText(spec?.paramKind),
    ),
    ageColumn,
  ],
});
