/** What each metric of an autoscaler asks for. Upstream: computeReplicasForMetrics in pkg/controller/podautoscaler/horizontal.go. */
import type { Pod } from "#api/core/pod.ts";
import type {
  V2HorizontalPodAutoscaler,
  V2MetricSpec,
  V2MetricStatus,
  V2MetricTarget,
  V2MetricValueStatus,
} from "#api/generated/types.ts";
import { canonicalQuantity, milliValue } from "#api/quantity.ts";
import { isPodReady } from "#reconcilers/pod-state.ts";
import type { Inputs } from "#reconcilers/reconciler.ts";
import { externalMetric, goSelector, MetricError, objectMetric, podsMetric, resourceMetrics } from "./metric-inputs.ts";
import { byAverage, byTotal, byUtilization, noPods, type Tolerance, type Usage } from "./replica-calculator.ts";

export interface Measured {
  autoscaler: V2HorizontalPodAutoscaler;
  specReplicas: number;
  statusReplicas: number;
  pods: readonly Pod[];
  inputs: Inputs;
  now: number;
}

export interface Proposal {
  replicas: number;
  /** What the events and conditions call the metric. */
  name: string;
  status: V2MetricStatus;
}

export interface Failed {
  reason: string;
  message: string;
  /** The same, as the event about all metrics tells it. */
  told: string;
}

export function proposalOf(metric: V2MetricSpec, at: number, measured: Measured): Proposal | Failed {
  try {
    return propose(metric, at, measured);
  } catch (error) {
    if (!(error instanceof MetricError)) throw error;
    const { reason, source } = failureWords(metric);
    return { reason, message: error.message, told: `failed to get ${source} metric value: ${error.message}` };
  }
}

function failureWords(metric: V2MetricSpec): { reason: string; source: string } {
  switch (metric.type) {
    case "Resource":
      return { reason: "FailedGetResourceMetric", source: `${metric.resource?.name} resource` };
    case "ContainerResource":
      return { reason: "FailedGetContainerResourceMetric", source: `${metric.containerResource?.container} container` };
    case "Pods":
      return { reason: "FailedGetPodsMetric", source: "pods" };
    case "Object":
      return { reason: "FailedGetObjectMetric", source: "object" };
    case "External":
      return { reason: "FailedGetExternalMetric", source: `${metric.external?.metric.name} external` };
    default:
      return { reason: "InvalidMetricSourceType", source: metric.type };
  }
}

function propose(metric: V2MetricSpec, at: number, measured: Measured): Proposal {
  switch (metric.type) {
    case "Resource": {
      const { name, target } = metric.resource!;
      const usage = ofResource(at, name, target, measured);
      const status = { type: "Resource", resource: { name, current: currentOf(usage) } };
      return { replicas: usage.replicas, name: `${name} resource${kindOfTarget(target)}`, status };
    }
    case "ContainerResource": {
      const { name, container, target } = metric.containerResource!;
      const usage = ofResource(at, name, target, measured, container);
      const status = { type: "ContainerResource", containerResource: { name, container, current: currentOf(usage) } };
      return { replicas: usage.replicas, name: `${name} container resource${kindOfTarget(target)}`, status };
    }
    case "Pods": {
      const { metric: wanted, target } = metric.pods!;
      const metrics = podsMetric(measured.inputs, at, wanted.name);
      const usage = byAverage({ ...question(measured), metrics, resource: "" }, milliValue(target.averageValue ?? "0"));
      const status = {
        type: "Pods",
        pods: { metric: wanted, current: { averageValue: milliText(usage.averageMilli) } },
      };
      return { replicas: usage.replicas, name: `pods metric ${wanted.name}`, status };
    }
    case "Object": {
      const { metric: wanted, target, describedObject } = metric.object!;
      const namespace = measured.autoscaler.metadata.namespace ?? "";
      const total = objectMetric(measured.inputs, at, wanted.name, describedObject, namespace);
      const { replicas, current } = ofTotal(total, target, measured);
      const status = { type: "Object", object: { metric: wanted, describedObject, current } };
      return { replicas, name: `${describedObject.kind} metric ${wanted.name}`, status };
    }
    case "External": {
      const { metric: wanted, target } = metric.external!;
      const total = externalMetric(measured.inputs, at, metric, measured.autoscaler.metadata.namespace ?? "");
      const { replicas, current } = ofTotal(total, target, measured);
      const name = `external metric ${wanted.name}(${goSelector(wanted.selector)})`;
      return { replicas, name, status: { type: "External", external: { metric: wanted, current } } };
    }
    default:
      throw new MetricError(`unknown metric source type ${JSON.stringify(metric.type)}`);
  }
}

const kindOfTarget = ({ averageUtilization }: V2MetricTarget): string =>
  averageUtilization === undefined ? "" : " utilization (percentage of request)";

const question = ({ autoscaler, specReplicas, pods, now }: Measured) => ({
  currentReplicas: specReplicas,
  pods,
  tolerance: toleranceOf(autoscaler),
  now,
});

function ofResource(
  at: number,
  resource: string,
  target: V2MetricTarget,
  measured: Measured,
  container?: string,
): Usage {
  const { averageValue, averageUtilization } = target;
  const what = averageValue === undefined ? "utilization" : "usage";
  if (averageValue === undefined && averageUtilization === undefined)
    throw new MetricError(
      "invalid resource metric source: neither an average utilization target (as a percentage) nor an average value target was set",
    );
  try {
    const metrics = resourceMetrics(measured.inputs.get(`metric-${at}`), resource, container);
    const asked = { ...question(measured), metrics, resource };
    if (averageValue !== undefined) return byAverage(asked, milliValue(averageValue));
    return byUtilization(asked, averageUtilization!, container);
  } catch (error) {
    if (!(error instanceof MetricError)) throw error;
    throw new MetricError(`failed to get ${resource} ${what}: ${error.message}`);
  }
}

function ofTotal(totalMilli: number, target: V2MetricTarget, measured: Measured) {
  const { specReplicas, statusReplicas, pods, autoscaler } = measured;
  if (target.averageValue === undefined && specReplicas > 0 && pods.length === 0)
    throw new MetricError(`unable to calculate ready pods: ${noPods}`);
  const readyPods = pods.filter((pod) => pod.status?.phase === "Running" && isPodReady(pod)).length;
  const { replicas } = byTotal(
    totalMilli,
    target,
    { specReplicas, statusReplicas, readyPods },
    toleranceOf(autoscaler),
  );
  const current =
    target.averageValue === undefined
      ? { value: milliText(totalMilli) }
      : { averageValue: milliText(Math.ceil(totalMilli / Math.max(1, statusReplicas))) };
  return { replicas, current };
}

function currentOf({ averageMilli, utilization }: Usage): V2MetricValueStatus {
  return {
    averageValue: milliText(averageMilli),
    ...(utilization === undefined ? {} : { averageUtilization: utilization }),
  };
}

const milliText = (milli: number): string => canonicalQuantity(`${Math.trunc(milli)}m`);

function toleranceOf({ spec }: V2HorizontalPodAutoscaler): Tolerance {
  const of = (text: string | undefined) => (text === undefined ? 0.1 : milliValue(text) / 1_000);
  return { up: of(spec.behavior?.scaleUp?.tolerance), down: of(spec.behavior?.scaleDown?.tolerance) };
}
