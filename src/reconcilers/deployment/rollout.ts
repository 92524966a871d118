/**
 * How big each replica set of a deployment is to be next. Upstream: rolling.go, recreate.go and sync.go (scale) in
 * pkg/controller/deployment.
 */
import type { Deployment } from "#api/apps/deployment.ts";
import type { ReplicaSet } from "#api/apps/replica-set.ts";
import {
  desiredReplicasAnnotation,
  isActive,
  isRolling,
  maxSurge,
  maxUnavailable,
  newReplicaSetSize,
  numberAnnotation,
  proportion,
  sumOfWished,
  wishedReplicas,
} from "./replica-counts.ts";
import { byAge, type Revisions } from "./revision.ts";

/** New sizes of those replica sets that change. */
export type Sizes = ReadonlyMap<ReplicaSet, number>;
const none: Sizes = new Map();

/** The deployment was scaled since its replica sets were sized last. */
export function isScaling(deployment: Deployment, replicaSets: readonly ReplicaSet[]): boolean {
  return replicaSets.filter(isActive).some((replicaSet) => {
    const noted = numberAnnotation(replicaSet, desiredReplicasAnnotation);
    return noted !== undefined && noted !== wishedReplicas(deployment);
  });
}

/** Scaling keeps the shares that a rollout under way has reached. */
export function scaled(deployment: Deployment, revisions: Revisions): Sizes {
  const wished = wishedReplicas(deployment);
  const only = activeOrLatest(revisions);
  if (only !== undefined) return new Map([[only, wished]]);
  const active = revisions.old.filter(isActive);
  if (isSaturated(deployment, revisions.newest)) return new Map(active.map((each) => [each, 0]));
  return isRolling(deployment) ? scaledProportionally(deployment, revisions) : none;
}

/** The one replica set that is active, or the latest if none is; undefined if several are. */
function activeOrLatest({ newest, old }: Revisions): ReplicaSet | undefined {
  const all = newest === undefined ? old : [...old, newest];
  const active = all.filter(isActive);
  if (active.length > 1) return undefined;
  return active[0] ?? newest ?? [...old].sort(byAge).at(-1);
}

function isSaturated(deployment: Deployment, newest: ReplicaSet | undefined): boolean {
  if (newest === undefined) return false;
  const wished = wishedReplicas(deployment);
  return (
    wishedReplicas(newest) === wished &&
    numberAnnotation(newest, desiredReplicasAnnotation) === wished &&
    (newest.status?.availableReplicas ?? 0) === wished
  );
}

function scaledProportionally(deployment: Deployment, { newest, old }: Revisions): Sizes {
  const active = (newest === undefined ? old : [...old, newest]).filter(isActive);
  const wished = wishedReplicas(deployment);
  const allowed = wished > 0 ? wished + maxSurge(deployment) : 0;
  const toAdd = allowed - sumOfWished(active);
  const newerFirst = toAdd > 0 ? -1 : 1;
  // The largest first; of equal ones the newer grows first and the older shrinks first.
  const sorted = [...active].sort((a, b) => wishedReplicas(b) - wishedReplicas(a) || newerFirst * byAge(a, b));
  const sizes = new Map<ReplicaSet, number>();
  let added = 0;
  for (const replicaSet of sorted) {
    const share = proportion(replicaSet, deployment, toAdd, added);
    added += share;
    sizes.set(replicaSet, wishedReplicas(replicaSet) + share);
  }
  const first = sorted[0];
  if (first !== undefined && toAdd !== 0) sizes.set(first, Math.max(0, (sizes.get(first) ?? 0) + toAdd - added));
  return sizes;
}

/** The next step of a rolling update: first the new one grows, then old ones shrink. */
export function rolled(deployment: Deployment, { newest, old }: Revisions): Sizes {
  if (newest === undefined) return none;
  const grown = grownNewest(deployment, newest, old);
  if (grown !== undefined) return new Map([[newest, grown]]);
  return shrunkOld(deployment, newest, old);
}

function grownNewest(deployment: Deployment, newest: ReplicaSet, old: readonly ReplicaSet[]): number | undefined {
  const size = wishedReplicas(newest);
  const wished = wishedReplicas(deployment);
  if (size === wished) return undefined;
  const next = size > wished ? wished : newReplicaSetSize(deployment, [...old, newest], size);
  return next === size ? undefined : next;
}

function shrunkOld(deployment: Deployment, newest: ReplicaSet, old: readonly ReplicaSet[]): Sizes {
  if (sumOfWished(old) === 0) return none;
  const minAvailable = wishedReplicas(deployment) - maxUnavailable(deployment);
  const newUnavailable = wishedReplicas(newest) - (newest.status?.availableReplicas ?? 0);
  const removable = sumOfWished([...old, newest]) - minAvailable - newUnavailable;
  if (removable <= 0) return none;
  const sizes = new Map<ReplicaSet, number>();
  removeUnhealthy(old, removable, sizes);
  removeAvailable(old, availableIn([...old, newest]) - minAvailable, sizes);
  return sizes;
}

/** A replica set that was made smaller may not have said so yet: no more of its pods can be counted on than it is to have. */
function availableIn(replicaSets: readonly ReplicaSet[]): number {
  return replicaSets.reduce(
    (sum, replicaSet) => sum + Math.min(replicaSet.status?.availableReplicas ?? 0, wishedReplicas(replicaSet)),
    0,
  );
}

/** Pods that serve nobody go first. */
function removeUnhealthy(old: readonly ReplicaSet[], removable: number, sizes: Map<ReplicaSet, number>): void {
  let removed = 0;
  for (const replicaSet of [...old].sort(byAge)) {
    if (removed >= removable) return;
    const size = wishedReplicas(replicaSet);
    const available = replicaSet.status?.availableReplicas ?? 0;
    if (size === 0 || size <= available) continue;
    const step = Math.min(removable - removed, size - available);
    sizes.set(replicaSet, size - step);
    removed += step;
  }
}

function removeAvailable(old: readonly ReplicaSet[], removable: number, sizes: Map<ReplicaSet, number>): void {
  let removed = 0;
  for (const replicaSet of [...old].sort(byAge)) {
    if (removed >= removable) return;
    const size = sizes.get(replicaSet) ?? wishedReplicas(replicaSet);
    if (size === 0) continue;
    const step = Math.min(size, removable - removed);
    sizes.set(replicaSet, size - step);
    removed += step;
  }
}

/** Recreate: nothing new before everything old is gone. */
export function emptied(old: readonly ReplicaSet[]): Sizes {
  return new Map(old.filter(isActive).map((replicaSet) => [replicaSet, 0]));
}
