/** The numbers behind a rollout. Upstream: pkg/controller/deployment/util/deployment_util.go. */
import type { Deployment } from "#api/apps/deployment.ts";
import type { ReplicaSet } from "#api/apps/replica-set.ts";
import { scaledValue } from "#reconcilers/int-or-percent.ts";

export const desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas";
export const maxReplicasAnnotation = "deployment.kubernetes.io/max-replicas";

export const wishedReplicas = ({ spec }: Deployment | ReplicaSet): number => spec?.replicas ?? 1;
export const isRolling = ({ spec }: Deployment): boolean => spec?.strategy?.type === "RollingUpdate";
export const isActive = (replicaSet: ReplicaSet): boolean => wishedReplicas(replicaSet) > 0;

type Field = "replicas" | "readyReplicas" | "availableReplicas";

export function sumOf(replicaSets: readonly (ReplicaSet | undefined)[], field: Field): number {
  return replicaSets.reduce((sum, replicaSet) => sum + (replicaSet?.status?.[field] ?? 0), 0);
}

export function sumOfWished(replicaSets: readonly (ReplicaSet | undefined)[]): number {
  return replicaSets.reduce((sum, replicaSet) => sum + (replicaSet === undefined ? 0 : wishedReplicas(replicaSet)), 0);
}

/** Surge and unavailability in pods; never both zero, which would stand still. */
function fenceposts({ spec }: Deployment, desired: number): { surge: number; unavailable: number } {
  const { maxSurge = 0, maxUnavailable = 0 } = spec?.strategy?.rollingUpdate ?? {};
  const surge = scaledValue(maxSurge, desired, true);
  const unavailable = scaledValue(maxUnavailable, desired, false);
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable };
}

export function maxSurge(deployment: Deployment): number {
  return isRolling(deployment) ? fenceposts(deployment, wishedReplicas(deployment)).surge : 0;
}

export function maxUnavailable(deployment: Deployment): number {
  const desired = wishedReplicas(deployment);
  if (!isRolling(deployment) || desired === 0) return 0;
  return Math.min(fenceposts(deployment, desired).unavailable, desired);
}

/** How many pods the newest replica set may have now. */
export function newReplicaSetSize(deployment: Deployment, all: readonly ReplicaSet[], size: number): number {
  const wished = wishedReplicas(deployment);
  if (!isRolling(deployment)) return wished;
  const room = wished + maxSurge(deployment) - sumOfWished(all);
  return room <= 0 ? size : size + Math.min(room, wished - size);
}

/** The share of `toAdd` (negative: to take away) that falls to one replica set; `added` is given out already. */
export function proportion(replicaSet: ReplicaSet, deployment: Deployment, toAdd: number, added: number): number {
  if (wishedReplicas(replicaSet) === 0 || toAdd === 0 || toAdd === added) return 0;
  const share = fraction(replicaSet, deployment);
  const allowed = toAdd - added;
  return toAdd > 0 ? Math.min(share, allowed) : Math.max(share, allowed);
}

function fraction(replicaSet: ReplicaSet, deployment: Deployment): number {
  const size = wishedReplicas(replicaSet);
  if (wishedReplicas(deployment) === 0) return -size;
  const max = wishedReplicas(deployment) + maxSurge(deployment);
  const noted = numberAnnotation(replicaSet, maxReplicasAnnotation) ?? 0;
  const before = noted !== 0 ? noted : (deployment.status?.replicas ?? 0);
  return before === 0 ? 0 : roundHalfAway((size * max) / before) - size;
}

const roundHalfAway = (value: number): number => (value < 0 ? Math.ceil(value - 0.5) : Math.floor(value + 0.5));

export function numberAnnotation(object: ReplicaSet, name: string): number | undefined {
  const text = object.metadata.annotations?.[name];
  return text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
}
