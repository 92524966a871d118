/**
 * Keeps a count of replicas from jumping: recent recommendations and recent changes hold it back. Upstream: the
 * normalizing functions of pkg/controller/podautoscaler/horizontal.go.
 */
import type { V2HorizontalPodAutoscalerBehavior, V2HPAScalingRules } from "#api/generated/types.ts";

/** What is remembered of an autoscaler between looks. Lost with the process, as upstream loses it. */
export interface ScalingHistory {
  recommendations: readonly { replicas: number; at: number }[];
  /** Sizes of past changes. */
  ups: readonly { by: number; at: number }[];
  downs: readonly { by: number; at: number }[];
}

/** Entries of one autoscaler's history; one a look at most. */
export const historyMax = 1_024;
const downWindowMs = 300_000;

export interface Bounds {
  current: number;
  desired: number;
  min: number;
  max: number;
}

export interface Stabilized {
  desired: number;
  able: { reason: string; message: string };
  limited: { isLimited: boolean; reason: string; message: string };
  history: ScalingHistory;
}

const withinRange = {
  isLimited: false,
  reason: "DesiredWithinRange",
  message: "the desired count is within the acceptable range",
};

export function stabilize(
  bounds: Bounds,
  behavior: V2HorizontalPodAutoscalerBehavior | undefined,
  history: ScalingHistory,
  now: number,
): Stabilized {
  return behavior === undefined ? withoutRules(bounds, history, now) : withRules(bounds, behavior, history, now);
}

function withoutRules({ current, desired, min, max }: Bounds, history: ScalingHistory, now: number): Stabilized {
  const recent = history.recommendations.filter(({ at }) => at > now - downWindowMs);
  const highest = Math.max(desired, ...recent.map(({ replicas }) => replicas));
  const able = highest === desired ? settled : heldDown;
  const next = { ...history, recommendations: remembered(recent, desired, now) };
  const upLimit = Math.max(2 * current, 4);
  const isRate = max > upLimit;
  const limit = Math.min(max, upLimit);
  if (highest < min) return { desired: min, able, limited: tooFew, history: next };
  if (highest > limit) return { desired: limit, able, limited: isRate ? upRate : tooMany, history: next };
  return { desired: highest, able, limited: withinRange, history: next };
}

const settled = { reason: "ReadyForNewScale", message: "recommended size matches current size" };
const heldDown = {
  reason: "ScaleDownStabilized",
  message: "recent recommendations were higher than current one, applying the highest recent recommendation",
};
const heldUp = {
  reason: "ScaleUpStabilized",
  message: "recent recommendations were lower than current one, applying the lowest recent recommendation",
};
const limited = (reason: string, message: string) => ({ isLimited: true, reason, message });
const tooFew = limited("TooFewReplicas", "the desired replica count is less than the minimum replica count");
const tooMany = limited("TooManyReplicas", "the desired replica count is more than the maximum replica count");
const upRate = limited("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
const downRate = limited(
  "ScaleDownLimit",
  "the desired replica count is decreasing faster than the maximum scale rate",
);

function remembered(recent: ScalingHistory["recommendations"], replicas: number, at: number) {
  return [...recent, { replicas, at }].slice(-historyMax);
}

function withRules(
  { current, desired, min, max }: Bounds,
  { scaleUp, scaleDown }: V2HorizontalPodAutoscalerBehavior,
  history: ScalingHistory,
  now: number,
): Stabilized {
  const upMs = (scaleUp?.stabilizationWindowSeconds ?? 0) * 1_000;
  const downMs = (scaleDown?.stabilizationWindowSeconds ?? downWindowMs / 1_000) * 1_000;
  const since = (windowMs: number) =>
    history.recommendations.filter(({ at }) => at > now - windowMs).map(({ replicas }) => replicas);
  const lowest = Math.min(desired, ...since(upMs));
  const highest = Math.max(desired, ...since(downMs));
  const stable = current < lowest ? lowest : current > highest ? highest : current;
  const able = stable === desired ? settled : desired < stable ? heldDown : heldUp;
  const recent = history.recommendations.filter(({ at }) => at > now - Math.max(upMs, downMs));
  const next = { ...history, recommendations: remembered(recent, desired, now) };
  return { able, history: next, ...paced(current, stable, { min, max }, { scaleUp, scaleDown }, history, now) };
}

function paced(
  current: number,
  desired: number,
  { min, max }: { min: number; max: number },
  { scaleUp, scaleDown }: V2HorizontalPodAutoscalerBehavior,
  { ups, downs }: ScalingHistory,
  now: number,
): Pick<Stabilized, "desired" | "limited"> {
  if (desired > current) {
    const rate = Math.max(current, upLimit(current, scaleUp, ups, downs, now));
    const top = Math.min(rate, max);
    if (desired > top) return { desired: top, limited: rate < max ? upRate : tooMany };
  } else if (desired < current) {
    const rate = Math.min(current, downLimit(current, scaleDown, ups, downs, now));
    const bottom = Math.max(rate, min);
    if (desired < bottom) return { desired: bottom, limited: rate > min ? downRate : tooFew };
  }
  return { desired, limited: withinRange };
}

type Changes = ScalingHistory["ups"];

const sumSince = (changes: Changes, seconds: number, now: number): number =>
  changes.filter(({ at }) => at > now - seconds * 1_000).reduce((sum, { by }) => sum + by, 0);

function upLimit(current: number, rules: V2HPAScalingRules | undefined, ups: Changes, downs: Changes, now: number) {
  if (rules?.selectPolicy === "Disabled") return current;
  const limits = (rules?.policies ?? defaultUp).map(({ type, value, periodSeconds }) => {
    const start = current - sumSince(ups, periodSeconds, now) + sumSince(downs, periodSeconds, now);
    return type === "Pods" ? start + value : Math.ceil(start * (1 + value / 100));
  });
  return rules?.selectPolicy === "Min" ? Math.min(...limits) : Math.max(...limits);
}

function downLimit(current: number, rules: V2HPAScalingRules | undefined, ups: Changes, downs: Changes, now: number) {
  if (rules?.selectPolicy === "Disabled") return current;
  const limits = (rules?.policies ?? defaultDown).map(({ type, value, periodSeconds }) => {
    const start = current - sumSince(ups, periodSeconds, now) + sumSince(downs, periodSeconds, now);
    return type === "Pods" ? start - value : Math.trunc(start * (1 - value / 100));
  });
  return rules?.selectPolicy === "Min" ? Math.max(...limits) : Math.min(...limits);
}

const defaultUp = [
  { type: "Pods", value: 4, periodSeconds: 15 },
  { type: "Percent", value: 100, periodSeconds: 15 },
];
const defaultDown = [{ type: "Percent", value: 100, periodSeconds: 15 }];

/** A change that was made holds back later ones. */
export function withChange(history: ScalingHistory, from: number, to: number, at: number): ScalingHistory {
  if (to > from) return { ...history, ups: [...history.ups, { by: to - from, at }].slice(-historyMax) };
  return { ...history, downs: [...history.downs, { by: from - to, at }].slice(-historyMax) };
}
