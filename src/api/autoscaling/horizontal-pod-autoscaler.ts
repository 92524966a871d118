/** Replicas by need. Upstream: pkg/registry/autoscaling/horizontalpodautoscaler/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import { countErrors, statusStrategy } from "#api/apps/workload.ts";
import { emptyValue } from "#api/empty-value.ts";
import type { V1HorizontalPodAutoscaler, V2HorizontalPodAutoscaler } from "#api/generated/types.ts";
import { canonicalQuantity } from "#api/quantity.ts";
import { defineResource } from "#api/resource.ts";
import { autoscalerFromV1, autoscalerToV1 } from "./autoscaler-v1.ts";
import { metricsText } from "./metrics-text.ts";
import { autoscalerErrors } from "./scaling-rules.ts";

const specType = "autoscaling.v2.HorizontalPodAutoscalerSpec";
/** Columns are described as the fields of v2beta1 were. */
const metricsWords =
  "metrics contains the specifications for which to use to calculate the desired replica count (the maximum replica count across all metrics will be used).  The desired replica count is calculated multiplying the ratio between the target value and the current value by the current number of pods.  Ergo, metrics used must decrease as the pod count is increased, and vice-versa.  See the individual metric source types for more information about how each type of metric must respond. If not set, the default metric will be set to 80% average CPU utilization.";
const minReplicasWords =
  "minReplicas is the lower limit for the number of replicas to which the autoscaler can scale down.  It defaults to 1 pod.  minReplicas is allowed to be 0 if the alpha feature gate HPAScaleToZero is enabled and at least one Object or External metric is configured.  Scaling is active as long as at least one metric value is available.";
const cpuPercent = 80;
const doubling = { type: "Percent", value: 100, periodSeconds: 15 };
const scaleUp = {
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [{ type: "Pods", value: 4, periodSeconds: 15 }, doubling],
};
const scaleDown = { selectPolicy: "Max", policies: [doubling] };

export type HorizontalPodAutoscaler = V2HorizontalPodAutoscaler;
export const HorizontalPodAutoscaler = defineResource<HorizontalPodAutoscaler>({
  group: "autoscaling",
  version: "v2",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  shortNames: ["hpa"],
  categories: ["all"],
  scope: "Namespaced",
  schema: "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
  generation: "none",
  otherVersions: [
    {
      version: "v1",
      schema: "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler",
      fromStored: autoscalerToV1,
      toStored: (object) => autoscalerFromV1(object as V1HorizontalPodAutoscaler),
    },
  ],
  defaults({ spec }) {
    if (spec === undefined) return;
    spec.minReplicas ??= 1;
    if ((spec.metrics ?? []).length === 0)
      spec.metrics = [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: cpuPercent } },
        },
      ];
    if (spec.behavior === undefined) return;
    spec.behavior.scaleUp = { ...structuredClone(scaleUp), ...spec.behavior.scaleUp };
    spec.behavior.scaleDown = { ...structuredClone(scaleDown), ...spec.behavior.scaleDown };
    for (const rules of [spec.behavior.scaleUp, spec.behavior.scaleDown])
      if (rules.tolerance !== undefined) rules.tolerance = canonicalQuantity(rules.tolerance);
  },
  prepareCreate(autoscaler) {
    autoscaler.status = emptyValue("autoscaling.v2.HorizontalPodAutoscalerStatus");
  },
  prepareUpdate(autoscaler, old) {
    autoscaler.status = old.status!;
  },
  resetFields: [["status"]],
  metadataLooks: { whole: 1, form: 0 },
  validate: ({ spec }) => autoscalerErrors(spec ?? { scaleTargetRef: { kind: "", name: "" }, maxReplicas: 0 }),
  status: statusStrategy<HorizontalPodAutoscaler>(({ status }) =>
    countErrors(status, "status", ["currentReplicas", "desiredReplicas"]),
  ),
  columns: [
    nameColumn,
    column("Reference", [specType, "scaleTargetRef"], ({ spec }: HorizontalPodAutoscaler) =>
      spec === undefined ? "/" : `${spec.scaleTargetRef?.kind ?? ""}/${spec.scaleTargetRef?.name ?? ""}`,
    ),
    column("Targets", metricsWords, metricsText),
    column("MinPods", minReplicasWords, ({ spec }: HorizontalPodAutoscaler) => String(spec?.minReplicas ?? "<unset>")),
    column("MaxPods", [specType, "maxReplicas"], ({ spec }: HorizontalPodAutoscaler) => spec?.maxReplicas ?? 0),
    column(
      "Replicas",
      ["autoscaling.v2.HorizontalPodAutoscalerStatus", "currentReplicas"],
      ({ status }: HorizontalPodAutoscaler) => status?.currentReplicas ?? 0,
    ),
    ageColumn,
  ],
});
