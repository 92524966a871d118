/** Conditions of a deployment: the one that changed last stands last. Upstream: util/deployment_util.go. */
import { formatTime } from "#lib/clock.ts";
import type { V1DeploymentCondition } from "#api/generated/types.ts";

export type Conditions = readonly V1DeploymentCondition[];

export function conditionOf(conditions: Conditions, type: string): V1DeploymentCondition | undefined {
  return conditions.find((condition) => condition.type === type);
}

export interface NewCondition {
  type: "Available" | "Progressing" | "ReplicaFailure";
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
}

/** Unchanged if status and reason are as they were, whatever the message says. */
export function withCondition(conditions: Conditions, wanted: NewCondition, now: number): Conditions {
  const current = conditionOf(conditions, wanted.type);
  if (current?.status === wanted.status && current.reason === wanted.reason) return conditions;
  return replaced(conditions, wanted, now);
}

/** As `withCondition`, but also when only time passed: the condition's update time is news. */
export function replaced(conditions: Conditions, wanted: NewCondition, now: number): Conditions {
  const current = conditionOf(conditions, wanted.type);
  const time = formatTime(now);
  const since = current?.status === wanted.status ? (current.lastTransitionTime ?? time) : time;
  const { type, status, reason, message } = wanted;
  const condition = { type, status, lastUpdateTime: time, lastTransitionTime: since, reason, message };
  return [...without(conditions, type), condition];
}

export function without(conditions: Conditions, type: string): Conditions {
  return conditions.some((condition) => condition.type === type)
    ? conditions.filter((condition) => condition.type !== type)
    : conditions;
}
