/** Conditions of Flux objects: how one is set, and what a status says next. Pure. */
import { formatTime } from "#lib/clock.ts";
import type { Condition } from "./kinds.ts";

export interface NewCondition {
  type: string;
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
}

/** Longer texts are cut: the API refuses them. */
export const messageLengthMax = 20_000;

/** The conditions with these set (a time changes only with the status) and those of `remove` gone. */
export function withConditions(
  before: readonly Condition[] | undefined,
  set: readonly NewCondition[],
  { remove = [], generation, nowMs }: { remove?: readonly string[]; generation: number; nowMs: number },
): Condition[] {
  const next = (before ?? []).filter(({ type }) => !remove.includes(type));
  for (const { type, status, reason, message } of set) {
    const at = next.findIndex((condition) => condition.type === type);
    const old = next[at];
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : formatTime(nowMs);
    const condition: Condition = {
      lastTransitionTime,
      message: cut(message),
      observedGeneration: generation,
      reason,
      status,
      type,
    };
    if (at < 0) next.push(condition);
    else next[at] = condition;
  }
  return next;
}

export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export const isReady = (object: {
  metadata: { generation?: number };
  status?: { observedGeneration?: number; conditions?: Condition[] };
}): boolean =>
  object.status?.observedGeneration === object.metadata.generation &&
  conditionOf(object.status?.conditions, "Ready")?.status === "True";

const cut = (text: string) => (text.length <= messageLengthMax ? text : `${text.slice(0, messageLengthMax)}…`);
