import { expect, test } from "vitest";
import { crashBackOff, decideRestart, type RestartRecord } from "./crash-back-off.ts";
import type { ObservedContainer } from "./observation.ts";

const ended = (attempt: number, finishedAtMs: number, createdAtMs = finishedAtMs): ObservedContainer =>
  ({ attempt, finishedAtMs, createdAtMs }) as ObservedContainer;

test("starts at once the first time, then waits 10 s and twice as long each time, up to 5 min", () => {
  let record: RestartRecord | undefined;
  let now = 0;
  const delays: number[] = [];
  for (let attempt = 0; attempt < 9; attempt += 1) {
    let decision = decideRestart(ended(attempt, now), record, now);
    if (!decision.start) {
      delays.push(decision.delayMs / 1000);
      now = decision.untilMs;
      decision = decideRestart(ended(attempt, now - decision.delayMs), record, now);
    }
    expect(decision.start).toBe(true);
    if (decision.start) record = decision.record;
  }
  expect(delays).toEqual([10, 20, 40, 80, 160, 300, 300, 300]);
});

test("forgets after ten minutes of a good run", () => {
  const record = { delayMs: crashBackOff.limitMs, setAtMs: 0 };
  const now = 11 * 60_000;
  expect(decideRestart(ended(5, now), record, now)).toEqual({ start: true, record: { delayMs: 10_000, setAtMs: now } });
});

test("an agent that starts anew takes the attempt for what it does not know", () => {
  expect(decideRestart(ended(0, 0), undefined, 0).start).toBe(true);
  expect(decideRestart(ended(2, 0), undefined, 0)).toMatchObject({ start: false, delayMs: 20_000 });
});
