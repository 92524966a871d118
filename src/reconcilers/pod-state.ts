/** What controllers ask of a pod. Upstream: pkg/controller/controller_utils.go, pkg/api/v1/pod/util.go. */
import type { V1PodCondition } from "#api/generated/types.ts";
import type { Pod } from "#api/core/pod.ts";

export function isPodTerminal({ status }: Pod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

/** Runs or may yet run. */
export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** On its way out, but not done. */
export function isPodTerminating(pod: Pod): boolean {
  return !isPodTerminal(pod) && pod.metadata.deletionTimestamp !== undefined;
}

export function podCondition({ status }: Pod, type: string): V1PodCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

export function isPodReady(pod: Pod): boolean {
  return podCondition(pod, "Ready")?.status === "True";
}

/** When the pod became ready, in milliseconds; undefined if it is not. */
export function readySince(pod: Pod): number | undefined {
  const ready = podCondition(pod, "Ready");
  if (ready?.status !== "True") return undefined;
  return timeOf(ready.lastTransitionTime);
}

/** Ready for at least `minReadySeconds`. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, now: number): boolean {
  const since = readySince(pod);
  if (since === undefined) return false;
  return minReadySeconds === 0 || (since > 0 && since + minReadySeconds * 1_000 <= now);
}

/** When the first of these pods that is ready but not yet available will be; undefined if there is none. */
export function nextAvailableAt(pods: readonly Pod[], minReadySeconds: number, now: number): number | undefined {
  let next: number | undefined;
  for (const pod of pods) {
    const since = readySince(pod);
    if (since === undefined || minReadySeconds === 0) continue;
    const at = since + minReadySeconds * 1_000;
    if (at > now && (next === undefined || at < next)) next = at;
  }
  return next;
}

/** Milliseconds since the epoch; 0 for what has no time. */
export function timeOf(text: string | null | undefined): number {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? 0 : time;
}
