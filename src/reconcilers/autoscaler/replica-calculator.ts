/** From numbers to a count of replicas. Upstream: pkg/controller/podautoscaler/replica_calculator.go. */
import type { Pod } from "#api/core/pod.ts";
import { milliValue } from "#api/quantity.ts";
import { podCondition, timeOf } from "#reconcilers/pod-state.ts";
import { MetricError, type PodMetrics } from "./metric-inputs.ts";

/** So long after its start a pod's CPU says little. */
const initializationMs = 300_000;
/** A pod whose readiness changed only this soon after its start was never ready. */
const initialReadinessMs = 30_000;

export const noPods = "no pods returned by selector while calculating replica count";

/** Ratios so near to one change nothing. */
export interface Tolerance {
  up: number;
  down: number;
}

export interface PodGroups {
  ready: number;
  unready: Set<string>;
  missing: Set<string>;
  ignored: Set<string>;
}

export function groupPods(pods: readonly Pod[], metrics: PodMetrics, resource: string, now: number): PodGroups {
  const groups: PodGroups = { ready: 0, unready: new Set(), missing: new Set(), ignored: new Set() };
  for (const pod of pods) {
    const name = pod.metadata.name ?? "";
    const phase = pod.status?.phase;
    if (pod.metadata.deletionTimestamp !== undefined || phase === "Failed") groups.ignored.add(name);
    else if (phase === "Pending") groups.unready.add(name);
    else if (!metrics.has(name)) groups.missing.add(name);
    else if (resource === "cpu" && isWarmingUp(pod, metrics.get(name)!, now)) groups.unready.add(name);
    else groups.ready += 1;
  }
  return groups;
}

function isWarmingUp(pod: Pod, { at, windowMs }: { at: number; windowMs: number }, now: number): boolean {
  const ready = podCondition(pod, "Ready");
  if (ready === undefined || pod.status?.startTime === undefined) return true;
  const [startedAt, changedAt] = [timeOf(pod.status.startTime), timeOf(ready.lastTransitionTime)];
  if (startedAt + initializationMs > now) return ready.status === "False" || at < changedAt + windowMs;
  return ready.status === "False" && startedAt + initialReadinessMs > changedAt;
}

export interface Usage {
  /** Of the target: above one is too much. */
  ratio: number;
  replicas: number;
  /** Thousandths, on average over the pods that count. */
  averageMilli: number;
  /** Percent of what was requested. */
  utilization?: number;
}

interface Question {
  currentReplicas: number;
  pods: readonly Pod[];
  metrics: PodMetrics;
  resource: string;
  tolerance: Tolerance;
  now: number;
}

/** Pods are to use `target` percent of what they request. */
export function byUtilization(question: Question, target: number, container?: string): Usage {
  // Pods that have no metrics are told before requests that are missing.
  let known: ReadonlyMap<string, number> | undefined;
  const requests = () => (known ??= requestsOf(question.pods, question.resource, container));
  const assumed = (name: string) => (requests().get(name) ?? 0) * (Math.max(100, target) / 100);
  return calculate(question, assumed, (metrics) => {
    let [used, requested, counted] = [0, 0, 0];
    for (const [name, { milli }] of metrics) {
      const request = requests().get(name);
      if (request === undefined) continue;
      counted += 1;
      used += milli;
      requested += request;
    }
    if (requested === 0) throw new MetricError("no metrics returned matched known pods");
    const utilization = Math.trunc((used * 100) / requested);
    return { ratio: utilization / target, utilization, averageMilli: Math.trunc(used / counted) };
  });
}

/** Pods are to use `targetMilli` on average. */
export function byAverage(question: Question, targetMilli: number): Usage {
  return calculate(
    question,
    () => targetMilli,
    (metrics) => {
      const sum = [...metrics.values()].reduce((total, { milli }) => total + milli, 0);
      const averageMilli = Math.trunc(sum / metrics.size);
      return { ratio: averageMilli / targetMilli, averageMilli };
    },
  );
}

function calculate(
  { currentReplicas, pods, metrics: given, resource, tolerance, now }: Question,
  assumed: (name: string) => number,
  measure: (metrics: PodMetrics) => Omit<Usage, "replicas">,
): Usage {
  if (pods.length === 0) throw new MetricError(noPods);
  const { ready, unready, missing, ignored } = groupPods(pods, given, resource, now);
  const metrics: PodMetrics = new Map(given);
  for (const name of [...ignored, ...unready]) metrics.delete(name);
  if (metrics.size === 0) throw new MetricError("did not receive metrics for targeted pods (pods might be unready)");
  const usage = measure(metrics);
  const upWithUnready = unready.size > 0 && usage.ratio > 1;
  const stay = { ...usage, replicas: currentReplicas };
  if (!upWithUnready && missing.size === 0)
    return isWithin(usage.ratio, tolerance) ? stay : { ...usage, replicas: Math.ceil(usage.ratio * ready) };
  // What is not known is assumed to speak against the change.
  const add = (name: string, milli: number) => metrics.set(name, { milli, at: now, windowMs: 0 });
  for (const name of missing)
    if (usage.ratio < 1) add(name, assumed(name));
    else if (usage.ratio > 1) add(name, 0);
  if (upWithUnready) for (const name of unready) add(name, 0);
  const { ratio } = measure(metrics);
  const turned = (usage.ratio < 1 && ratio > 1) || (usage.ratio > 1 && ratio < 1);
  if (isWithin(ratio, tolerance) || turned) return stay;
  const replicas = Math.ceil(ratio * metrics.size);
  const against = (ratio < 1 && replicas > currentReplicas) || (ratio > 1 && replicas < currentReplicas);
  return against ? stay : { ...usage, replicas };
}

export const isWithin = (ratio: number, { up, down }: Tolerance): boolean => 1 - down <= ratio && ratio <= 1 + up;

/** What the pod says as a whole comes before its containers, unless one of them is asked for. */
function requestsOf(pods: readonly Pod[], resource: string, container: string | undefined): Map<string, number> {
  const request = (pod: Pod): number =>
    container === undefined && saysRequests(pod)
      ? podLevelRequest(pod, resource)
      : containersRequest(pod, resource, container);
  return new Map(pods.map((pod) => [pod.metadata.name ?? "", request(pod)]));
}

const saysRequests = ({ spec }: Pod): boolean =>
  Object.keys(spec?.resources?.requests ?? {}).some(
    (name) => name === "cpu" || name === "memory" || name.startsWith("hugepages-"),
  );

function podLevelRequest(pod: Pod, resource: string): number {
  const said = pod.spec?.resources?.requests?.[resource];
  if (said !== undefined) return milliValue(said);
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  if (containers.every(({ resources }) => resources?.requests?.[resource] === undefined))
    throw new MetricError(`missing pod-level request for ${resource} in Pod ${pod.metadata.name}`);
  return containersSum(pod, resource, undefined, () => 0);
}

function containersRequest(pod: Pod, resource: string, container: string | undefined): number {
  return containersSum(pod, resource, container, (name) => {
    throw new MetricError(`missing request for ${resource} in container ${name} of Pod ${pod.metadata.name}`);
  });
}

function containersSum(
  { spec }: Pod,
  resource: string,
  container: string | undefined,
  unsaid: (name: string) => number,
): number {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...(spec?.containers ?? []), ...sidecars]
    .filter(({ name }) => container === undefined || name === container)
    .reduce((sum, { name, resources }) => {
      const request = resources?.requests?.[resource];
      return sum + (request === undefined ? unsaid(name) : milliValue(request));
    }, 0);
}

/** One number for all: the whole `Value`, or shared among `replicas` for an `AverageValue`. */
export function byTotal(
  totalMilli: number,
  target: { value?: string; averageValue?: string },
  { specReplicas, statusReplicas, readyPods }: { specReplicas: number; statusReplicas: number; readyPods: number },
  tolerance: Tolerance,
): { replicas: number } {
  if (target.averageValue !== undefined) {
    const average = milliValue(target.averageValue);
    const ratio = totalMilli / (average * statusReplicas);
    return { replicas: isWithin(ratio, tolerance) ? statusReplicas : Math.ceil(totalMilli / average) };
  }
  const ratio = totalMilli / milliValue(target.value ?? "0");
  if (specReplicas === 0) return { replicas: Math.ceil(ratio) };
  return { replicas: isWithin(ratio, tolerance) ? specReplicas : Math.ceil(ratio * readyPods) };
}
