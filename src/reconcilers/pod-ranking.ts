/** Which pods go first when there are too many. Upstream: pkg/controller/controller_utils.go (ActivePodsWithRanks). */
import type { Pod } from "#api/core/pod.ts";
import { isPodReady, readySince, timeOf } from "./pod-state.ts";

const costAnnotation = "controller.kubernetes.io/pod-deletion-cost";
const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** `pods` sorted, the first to go first. `related` are pods to spread from: crowded nodes lose theirs first. */
export function byDeletionOrder(pods: readonly Pod[], related: readonly Pod[], now: number): Pod[] {
  const crowd = new Map<string, number>();
  for (const { spec } of related) {
    const node = spec?.nodeName ?? "";
    crowd.set(node, (crowd.get(node) ?? 0) + 1);
  }
  const neighbours = ({ spec }: Pod): number => crowd.get(spec?.nodeName ?? "") ?? 0;
  return [...pods].sort((a, b) => compare(a, b, neighbours, now));
}

/** `pods` sorted, the first to go first, for a job: neither a cost nor neighbours count. Upstream: ActivePods. */
export function byDeletionOrderOfJob(pods: readonly Pod[]): Pod[] {
  // The later of two times goes first; no time is later than any.
  const byAge = (time: number, other: number): number => (other || Infinity) - (time || Infinity) || 0;
  const latestFirst = (time: number, other: number): number => (time === other ? 0 : byAge(time, other));
  return [...pods].sort(
    (a, b) =>
      byProgress(a, b) ||
      byReadyTime(a, b, latestFirst) ||
      byRestarts(a, b) ||
      latestFirst(timeOf(a.metadata.creationTimestamp), timeOf(b.metadata.creationTimestamp)),
  );
}

function compare(a: Pod, b: Pod, neighbours: (pod: Pod) => number, now: number): number {
  const byMagnitude = (time: number, other: number): number => byTime(time, other, a, b, now);
  return (
    byProgress(a, b) ||
    deletionCost(a) - deletionCost(b) ||
    neighbours(b) - neighbours(a) ||
    byReadyTime(a, b, byMagnitude) ||
    byRestarts(a, b) ||
    byMagnitude(timeOf(a.metadata.creationTimestamp), timeOf(b.metadata.creationTimestamp))
  );
}

/** What has come less far goes first. */
function byProgress(a: Pod, b: Pod): number {
  const assigned = ({ spec }: Pod): number => ((spec?.nodeName ?? "") === "" ? 0 : 1);
  const phase = ({ status }: Pod): number => phaseRank[status?.phase ?? ""] ?? 0;
  const ready = (pod: Pod): number => (isPodReady(pod) ? 1 : 0);
  return assigned(a) - assigned(b) || phase(a) - phase(b) || ready(a) - ready(b);
}

function byReadyTime(a: Pod, b: Pod, order: (time: number, other: number) => number): number {
  const [since, other] = [readySince(a), readySince(b)];
  return since === undefined || other === undefined ? 0 : order(since, other);
}

/** Ages count by their order of magnitude only; within one, chance (the uid) decides, so that no node is favoured. */
function byTime(a: number, b: number, podA: Pod, podB: Pod, now: number): number {
  if (a === b) return 0;
  if (a === 0 || b === 0) return a === 0 ? -1 : 1;
  const magnitude = (time: number): number => (now > time ? Math.floor(Math.log2((now - time) * 1e6)) : -1);
  return magnitude(a) - magnitude(b) || ((podA.metadata.uid ?? "") < (podB.metadata.uid ?? "") ? -1 : 1);
}

function deletionCost({ metadata }: Pod): number {
  const text = metadata.annotations?.[costAnnotation] ?? "";
  // Upstream takes "+1" and "01" for mistakes.
  if (!/^(0|-?[1-9]\d*)$/.test(text)) return 0;
  const cost = Number(text);
  return cost >= -2_147_483_648 && cost <= 2_147_483_647 ? cost : 0;
}

/** More restarts go first; those of sidecars count only between pods that are otherwise equal. */
function byRestarts(a: Pod, b: Pod): number {
  return restarts(b) - restarts(a) || sidecarRestarts(b) - sidecarRestarts(a);
}

function restarts({ status }: Pod): number {
  return Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount));
}

function sidecarRestarts({ spec, status }: Pod): number {
  const isSidecar = (name: string): boolean =>
    (spec?.initContainers ?? []).some((each) => each.name === name && each.restartPolicy === "Always");
  const statuses = (status?.initContainerStatuses ?? []).filter(({ name }) => isSidecar(name));
  return Math.max(0, ...statuses.map(({ restartCount }) => restartCount));
}
