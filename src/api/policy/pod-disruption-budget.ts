/** How many pods must stay while others are evicted. Upstream: pkg/registry/policy/poddisruptionbudget/strategy.go. */
import { ageColumn, column, integer, nameColumn } from "#api/columns.ts";
import { amountErrors, countErrors, notAbove100Errors, statusStrategy } from "#api/apps/workload.ts";
import { emptyValue } from "#api/empty-value.ts";
import type { V1PodDisruptionBudget } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { labelSelectorErrors } from "#api/label-selector.ts";
import { defineResource } from "#api/resource.ts";
import { conditionsErrors } from "#api/validation/conditions.ts";
import { invalid } from "#api/validation/field-errors.ts";
import { nameIsPathSegment } from "#api/validation/names.ts";
import { oneOfIfSet } from "#api/validation/values.ts";

const specType = "policy.v1.PodDisruptionBudgetSpec";

export type PodDisruptionBudget = V1PodDisruptionBudget;
export const PodDisruptionBudget = defineResource<PodDisruptionBudget>({
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  shortNames: ["pdb"],
  scope: "Namespaced",
  schema: "io.k8s.api.policy.v1.PodDisruptionBudget",
  allowUnconditionalUpdate: false,
  // Upstream looks at a budget's spec alone; what is left is the rule of all names.
  validateName: nameIsPathSegment,
  prepareCreate(budget) {
    budget.status = emptyValue("policy.v1.PodDisruptionBudgetStatus");
  },
  prepareUpdate(budget, old) {
    budget.status = old.status!;
  },
  resetFields: [["status"]],
  metadataLooks: { whole: 0, form: 0 },
  validate: ({ spec }) => specErrors(spec),
  status: {
    ...statusStrategy<PodDisruptionBudget>(({ status }) => [
      ...conditionsErrors(status?.conditions, "status.conditions"),
      ...countErrors(status, "status", ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"]),
    ]),
    metadataLooks: { whole: 0, form: 0 },
  },
  columns: [
    nameColumn,
    column("Min Available", [specType, "minAvailable"], (budget: PodDisruptionBudget) =>
      String(budget.spec?.minAvailable ?? "N/A"),
    ),
    column("Max Unavailable", [specType, "maxUnavailable"], (budget: PodDisruptionBudget) =>
      String(budget.spec?.maxUnavailable ?? "N/A"),
    ),
    column(
      "Allowed Disruptions",
      "Calculated number of pods that may be disrupted at this time.",
      (budget: PodDisruptionBudget) => budget.status?.disruptionsAllowed ?? 0,
      integer,
    ),
    ageColumn,
  ],
});

function specErrors(spec: PodDisruptionBudget["spec"]): FieldError[] {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy } = spec ?? {};
  const both = minAvailable !== undefined && maxUnavailable !== undefined;
  return [
    ...(both ? [invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")] : []),
    ...amountErrors("spec.minAvailable", minAvailable),
    ...notAbove100Errors("spec.minAvailable", minAvailable),
    ...amountErrors("spec.maxUnavailable", maxUnavailable),
    ...notAbove100Errors("spec.maxUnavailable", maxUnavailable),
    ...labelSelectorErrors(selector, "spec.selector"),
    ...oneOfIfSet("spec.unhealthyPodEvictionPolicy", unhealthyPodEvictionPolicy, ["AlwaysAllow", "IfHealthyBudget"]),
  ];
}
