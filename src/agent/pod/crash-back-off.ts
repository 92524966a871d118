/**
 * How long a container that ended waits before it is started again: not at all the first time, then 10 s doubling to
 * 5 min; forgotten when it ran for 10 min. Upstream: client-go/util/flowcontrol/backoff.go as the kubelet uses it.
 */
import { backoffMs } from "#lib/backoff.ts";
import type { ObservedContainer } from "./observation.ts";

export const crashBackOff = { initialMs: 10_000, limitMs: 300_000 };
const forgottenMs = 2 * crashBackOff.limitMs;

export interface RestartRecord {
  /** What the next end waits for. */
  readonly delayMs: number;
  /** When this delay was set: at the last start. */
  readonly setAtMs: number;
}

export type RestartDecision =
  | { readonly start: true; readonly record: RestartRecord }
  | { readonly start: false; readonly delayMs: number; readonly untilMs: number };

/** `record` undefined: the agent has not started this container itself; its attempt tells how often others did. */
export function decideRestart(
  container: ObservedContainer,
  record: RestartRecord | undefined,
  nowMs: number,
): RestartDecision {
  const { finishedAtMs } = container;
  const known = record ?? rebuilt(container);
  const current = known !== undefined && finishedAtMs - known.setAtMs > forgottenMs ? undefined : known;
  if (current !== undefined && nowMs - finishedAtMs < current.delayMs)
    return { start: false, delayMs: current.delayMs, untilMs: finishedAtMs + current.delayMs };
  const delayMs = current === undefined ? crashBackOff.initialMs : Math.min(crashBackOff.limitMs, current.delayMs * 2);
  return { start: true, record: { delayMs, setAtMs: nowMs } };
}

function rebuilt({ attempt, createdAtMs }: ObservedContainer): RestartRecord | undefined {
  return attempt === 0 ? undefined : { delayMs: backoffMs(attempt, crashBackOff), setAtMs: createdAtMs };
}
