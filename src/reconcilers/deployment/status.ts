/** What a deployment reports of its replica sets. Upstream: progress.go and sync.go (calculateStatus). */
import type { Deployment } from "#api/apps/deployment.ts";
import type { ReplicaSet } from "#api/apps/replica-set.ts";
import type { V1DeploymentStatus } from "#api/generated/types.ts";
import { timeOf } from "#reconcilers/pod-state.ts";
import { conditionOf, replaced, withCondition, without, type Conditions, type NewCondition } from "./conditions.ts";
import { maxUnavailable, sumOf, sumOfWished, wishedReplicas } from "./replica-counts.ts";
import type { Revisions } from "./revision.ts";

/** Seconds that mean "no deadline". */
const noDeadline = 2_147_483_647;

export function hasDeadline({ spec }: Deployment): boolean {
  return spec?.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== noDeadline;
}

/** Counts, and whether enough pods are available; other conditions stay as the deployment has them. */
export function countedStatus(deployment: Deployment, { newest, old }: Revisions, now: number): V1DeploymentStatus {
  const all = newest === undefined ? old : [...old, newest];
  const availableReplicas = sumOf(all, "availableReplicas");
  const { collisionCount, conditions = [] } = deployment.status ?? {};
  const counts = {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sumOf(all, "replicas"),
    updatedReplicas: sumOf([newest], "replicas"),
    readyReplicas: sumOf(all, "readyReplicas"),
    availableReplicas,
    unavailableReplicas: Math.max(0, sumOfWished(all) - availableReplicas),
  };
  const terminatingReplicas = terminatingOf(all);
  const enough = availableReplicas >= wishedReplicas(deployment) - maxUnavailable(deployment);
  return {
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)),
    ...(terminatingReplicas === undefined ? {} : { terminatingReplicas }),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions: [...withCondition(conditions, availability(enough), now)],
  };
}

function availability(enough: boolean): NewCondition {
  return enough
    ? {
        type: "Available",
        status: "True",
        reason: "MinimumReplicasAvailable",
        message: "Deployment has minimum availability.",
      }
    : {
        type: "Available",
        status: "False",
        reason: "MinimumReplicasUnavailable",
        message: "Deployment does not have minimum availability.",
      };
}

/** Unknown as long as one replica set has not counted yet. */
function terminatingOf(all: readonly ReplicaSet[]): number | undefined {
  let sum = 0;
  for (const { status } of all) {
    if (status?.terminatingReplicas === undefined) return undefined;
    sum += status.terminatingReplicas;
  }
  return sum;
}

/** The status after a step of a rollout: how far it got, and whether that took too long. */
export function rolloutStatus(deployment: Deployment, revisions: Revisions, now: number): V1DeploymentStatus {
  const status = countedStatus(deployment, revisions, now);
  let conditions: Conditions = status.conditions ?? [];
  if (!hasDeadline(deployment)) conditions = without(conditions, "Progressing");
  const current = conditionOf(deployment.status?.conditions ?? [], "Progressing");
  const settled =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === "NewReplicaSetAvailable";
  if (hasDeadline(deployment) && !settled) conditions = progressed(deployment, status, conditions, revisions, now);
  return { ...status, conditions: [...withFailures(conditions, revisions)] };
}

function progressed(
  deployment: Deployment,
  status: V1DeploymentStatus,
  conditions: Conditions,
  { newest }: Revisions,
  now: number,
): Conditions {
  const name =
    newest === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newest.metadata.name}"`;
  const type = "Progressing";
  if (isComplete(deployment, status)) {
    const message = `${name} has successfully progressed.`;
    return withCondition(conditions, { type, status: "True", reason: "NewReplicaSetAvailable", message }, now);
  }
  if (isProgressing(deployment, status)) {
    const message = `${name} is progressing.`;
    return replaced(conditions, { type, status: "True", reason: "ReplicaSetUpdated", message }, now);
  }
  if (isTimedOut(deployment, now)) {
    const message = `${name} has timed out progressing.`;
    return withCondition(conditions, { type, status: "False", reason: "ProgressDeadlineExceeded", message }, now);
  }
  return conditions;
}

export function isComplete(deployment: Deployment, status: V1DeploymentStatus | undefined): boolean {
  const wished = wishedReplicas(deployment);
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0, observedGeneration = 0 } = status ?? {};
  const counts = [updatedReplicas, replicas, availableReplicas];
  return counts.every((count) => count === wished) && observedGeneration >= (deployment.metadata.generation ?? 0);
}

function isProgressing({ status: before = {} }: Deployment, after: V1DeploymentStatus): boolean {
  const oldPods = ({ replicas = 0, updatedReplicas = 0 }: V1DeploymentStatus): number => replicas - updatedReplicas;
  const grew = (field: "updatedReplicas" | "readyReplicas" | "availableReplicas"): boolean =>
    (after[field] ?? 0) > (before[field] ?? 0);
  return (
    grew("updatedReplicas") || oldPods(after) < oldPods(before) || grew("readyReplicas") || grew("availableReplicas")
  );
}

function isTimedOut(deployment: Deployment, now: number): boolean {
  const condition = conditionOf(deployment.status?.conditions ?? [], "Progressing");
  if (condition === undefined || condition.reason === "NewReplicaSetAvailable") return false;
  if (condition.reason === "ProgressDeadlineExceeded") return true;
  return timeOf(condition.lastUpdateTime) + (deployment.spec?.progressDeadlineSeconds ?? 0) * 1_000 < now;
}

/** When to look for a missed deadline; undefined if none can be missed. */
export function deadlineAt(deployment: Deployment, status: V1DeploymentStatus): number | undefined {
  const condition = conditionOf(status.conditions ?? [], "Progressing");
  if (!hasDeadline(deployment) || condition === undefined || isComplete(deployment, status)) return undefined;
  if (condition.reason === "ProgressDeadlineExceeded" || condition.reason === "NewReplicaSetAvailable")
    return undefined;
  return timeOf(condition.lastUpdateTime) + ((deployment.spec?.progressDeadlineSeconds ?? 0) + 1) * 1_000;
}

/** A failure of the newest replica set, or of any other, is the deployment's too. */
function withFailures(conditions: Conditions, { newest, old }: Revisions): Conditions {
  const failures = [newest, ...old].flatMap((each) => each?.status?.conditions ?? []);
  const failure = failures.find(({ type }) => type === "ReplicaFailure");
  if (failure === undefined) return without(conditions, "ReplicaFailure");
  const current = conditionOf(conditions, "ReplicaFailure");
  if (current?.status === failure.status && current.reason === failure.reason) return conditions;
  const { type, status, lastTransitionTime, reason, message } = failure;
  const since = current?.status === status ? current.lastTransitionTime : lastTransitionTime;
  const taken = { type, status, lastUpdateTime: lastTransitionTime, lastTransitionTime: since, reason, message };
  return [...without(conditions, "ReplicaFailure"), taken];
}
