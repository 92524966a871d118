/** The pods of a daemon set, node by node, and which of them are of its current template. Upstream: pkg/controller/daemon/util. */
import type { Pod } from "#api/core/pod.ts";
import type { DaemonSet } from "#reconcilers/kinds.ts";
import { isPodAvailable, isPodTerminal, timeOf } from "#reconcilers/pod-state.ts";
import type { Fit } from "./node-fit.ts";

export const hashLabel = "controller-revision-hash";
export const generationLabel = "pod-template-generation";
export const generationAnnotation = "deprecated.daemonset.template.generation";

export interface DaemonState {
  set: DaemonSet;
  now: number;
  nodes: readonly { name: string; fit: Fit }[];
  pods: ReadonlyMap<string, readonly Pod[]>;
  /** Of the current template. */
  hash: string;
}

export const isGoing = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;
export const isBound = ({ spec }: Pod): boolean => spec?.nodeName !== undefined && spec.nodeName !== "";

/** Pods that have ended and are being deleted are as good as gone. */
export function podsByNode(pods: readonly Pod[]): Map<string, Pod[]> {
  const found = new Map<string, Pod[]>();
  for (const pod of pods) {
    if (isGoing(pod) && isPodTerminal(pod)) continue;
    const name = targetNode(pod);
    found.set(name, [...(found.get(name) ?? []), pod]);
  }
  return found;
}

/** The node that has the pod, or for which it was made. */
function targetNode({ spec }: Pod): string {
  if (spec?.nodeName !== undefined && spec.nodeName !== "") return spec.nodeName;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const field = required?.nodeSelectorTerms.flatMap(({ matchFields }) => matchFields ?? [])[0];
  return field?.values?.[0] ?? "";
}

/** Those on a node before those that are only meant for it, then the oldest. */
export function byPlaceAndAge(a: Pod, b: Pod): number {
  return (
    Number(isBound(b)) - Number(isBound(a)) ||
    timeOf(a.metadata.creationTimestamp) - timeOf(b.metadata.creationTimestamp) ||
    ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1)
  );
}

/** By the hash of its template, or by the count of the set's templates. */
export function isUpdated({ metadata: { labels } }: Pod, { set, hash }: DaemonState): boolean {
  if (hash !== "" && labels?.[hashLabel] === hash) return true;
  const generation = set.metadata.annotations?.[generationAnnotation];
  return generation !== undefined && labels?.[generationLabel] === generation;
}

export function isAvailable(pod: Pod, { set, now }: DaemonState): boolean {
  return isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, now);
}
