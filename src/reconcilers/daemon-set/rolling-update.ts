/**
 * Which pods of a daemon set make place for new ones: with `maxUnavailable` the old goes first, with `maxSurge` the new one
 * comes first. Upstream: pkg/controller/daemon/update.go (rollingUpdate).
 */
import type { Pod } from "#api/core/pod.ts";
import { scaledValue } from "#reconcilers/int-or-percent.ts";
import type { DaemonSet } from "#reconcilers/kinds.ts";
import { isAvailable, isGoing, isUpdated, type DaemonState } from "./daemon-pods.ts";

export interface Exchange {
  going: readonly Pod[];
  /** Names of nodes that get another pod beside the old one. */
  growing: readonly string[];
}

function surgeCount({ spec }: DaemonSet, nodes: number): number {
  if (spec?.updateStrategy?.type === "OnDelete") return 0;
  return scaledValue(spec?.updateStrategy?.rollingUpdate?.maxSurge ?? 0, nodes, true);
}

export const allowsSurge = (set: DaemonSet): boolean => surgeCount(set, 1) > 0;

export function exchange(state: DaemonState): Exchange {
  const wanted = state.nodes.filter(({ fit }) => fit.shouldRun).length;
  const surge = surgeCount(state.set, wanted);
  if (surge > 0) return surging(state, surge, wanted);
  const unavailable = state.set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1;
  // Nothing at all would stand still.
  return replacing(state, scaledValue(unavailable, wanted, true) || 1);
}

interface Place {
  node: string;
  shouldRun: boolean;
  current: Pod | undefined;
  old: Pod | undefined;
  /** More pods than these two: they are tidied up first. */
  isCrowded: boolean;
}

/** Nodes that want a pod, and those that have one nevertheless. */
function placesOf(state: DaemonState): Place[] {
  const wanted = new Set(state.nodes.filter(({ fit }) => fit.shouldRun).map(({ name }) => name));
  const names = new Set([...wanted, ...state.pods.keys()]);
  return [...names].map((node) => {
    const here = (state.pods.get(node) ?? []).filter((pod) => !isGoing(pod));
    const current = here.filter((pod) => isUpdated(pod, state));
    const old = here.filter((pod) => !isUpdated(pod, state));
    const isCrowded = current.length > 1 || old.length > 1;
    return { node, shouldRun: wanted.has(node), current: current[0], old: old[0], isCrowded };
  });
}

/** Old pods that serve nobody go at once, others as far as that leaves no more unavailable than may be. */
function replacing(state: DaemonState, maxUnavailable: number): Exchange {
  let room = maxUnavailable;
  const useless: Pod[] = [];
  const candidates: Pod[] = [];
  for (const { current, old, isCrowded } of placesOf(state)) {
    if (isCrowded || (old === undefined) === (current === undefined)) room -= 1;
    else if (current !== undefined) room -= isAvailable(current, state) ? 0 : 1;
    else if (old !== undefined) (isAvailable(old, state) ? candidates : useless).push(old);
  }
  room -= useless.length;
  return { going: [...useless, ...candidates.slice(0, Math.max(0, room))], growing: [] };
}

/** An old pod goes once the new one beside it is available; one that serves nobody is joined by a new one at once. */
function surging(state: DaemonState, maxSurge: number, wanted: number): Exchange {
  let room = maxSurge;
  let available = 0;
  const going: Pod[] = [];
  const unwanted: Pod[] = [];
  const urgent: string[] = [];
  const candidates: string[] = [];
  for (const { node, shouldRun, current, old, isCrowded } of placesOf(state)) {
    if (isCrowded) {
      room -= 1;
      continue;
    }
    const serving = old ?? current;
    if (serving !== undefined && isAvailable(serving, state)) available += 1;
    if (old === undefined) continue;
    if (current !== undefined) {
      if (isAvailable(current, state)) going.push(old);
      else room -= 1;
    } else if (!shouldRun) unwanted.push(old);
    else (isAvailable(old, state) ? candidates : urgent).push(node);
  }
  // Pods on nodes that fit no longer are needed until there are enough elsewhere.
  going.push(...unwanted.slice(0, Math.max(0, available - wanted)));
  return { going, growing: [...urgent, ...candidates.slice(0, Math.max(0, room))] };
}
