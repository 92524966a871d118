/** A number of equal pods. Upstream: pkg/registry/apps/replicaset/strategy.go. */
import { ageColumn, column, containerColumns, integer, nameColumn, selectorText, wide } from "#api/columns.ts";
import type { V1ReplicaSet } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { defaultTemplate } from "#api/core/pod-defaults.ts";
import { defineResource } from "#api/resource.ts";
import { immutable, nonNegative } from "#api/validation/values.ts";
import { replicaCountErrors } from "./replica-counts.ts";
import { selectorErrors, statusStrategy, templateErrors, workloadStrategy, workloadWarnings } from "./workload.ts";

const status = "apps.v1.ReplicaSetStatus";

export type ReplicaSet = V1ReplicaSet;
export const ReplicaSet = defineResource<ReplicaSet>({
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  plural: "replicasets",
  shortNames: ["rs"],
  categories: ["all"],
  scope: "Namespaced",
  schema: "io.k8s.api.apps.v1.ReplicaSet",
  defaults({ spec }) {
    if (spec === undefined) return;
    defaultTemplate(spec.template);
    spec.replicas ??= 1;
  },
  ...workloadStrategy("apps.v1.ReplicaSetStatus"),
  metadataLooks: { whole: 1, form: 0 },
  validate: (set, old) => [
    ...specErrors(set.spec),
    ...(old === undefined ? [] : immutable("spec.selector", set.spec?.selector, old.spec?.selector)),
  ],
  warnings: workloadWarnings,
  status: statusStrategy<ReplicaSet>(({ status }) => replicaCountErrors(status)),
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", labelSelector: ".status.selector" },
  columns: [
    nameColumn,
    column("Desired", ["apps.v1.ReplicaSetSpec", "replicas"], (set: ReplicaSet) => set.spec?.replicas ?? 0, integer),
    column("Current", [status, "replicas"], (set: ReplicaSet) => set.status?.replicas ?? 0, integer),
    column("Ready", [status, "readyReplicas"], (set: ReplicaSet) => set.status?.readyReplicas ?? 0, integer),
    ageColumn,
    ...containerColumns((set: ReplicaSet) => set.spec?.template),
    column(
      "Selector",
      "Selector is a label query over pods that should match the replica count. Label keys and values that must match in order to be controlled by this replica set. It must match the pod template's labels. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
      (set: ReplicaSet) => selectorText(set.spec?.selector),
      wide,
    ),
  ],
});

function specErrors(spec: ReplicaSet["spec"]): FieldError[] {
  return [
    ...nonNegative("spec.replicas", spec?.replicas),
    ...nonNegative("spec.minReadySeconds", spec?.minReadySeconds),
    // Upstream says so of both kinds.
    ...selectorErrors(spec?.selector, "deployment"),
    ...templateErrors(spec?.template, spec?.selector, "ReplicaSet"),
  ];
}
