import { describe, expect, it } from "vitest";
import { KeyedLoop } from "./keyed-loop.ts";

/** A loop whose runs are ended by the test. */
function controlled() {
  const started: { key: string; signal: AbortSignal; end(next?: number): void; fail(): void }[] = [];
  const errors: unknown[] = [];
  const stop = new AbortController();
  let wake: (() => void) | undefined;
  const loop = new KeyedLoop({
    run: (key, signal) =>
      new Promise((resolve, reject) => {
        started.push({ key, signal, end: resolve, fail: () => reject(new Error("no")) });
        wake?.();
      }),
    onError: (_key, error) => void errors.push(error),
    backoff: { initialMs: 1, limitMs: 1 },
    signal: stop.signal,
  });
  const runs = async (count: number) => {
    while (started.length < count) await new Promise<void>((resolve) => (wake = resolve));
    return started[count - 1]!;
  };
  return { loop, started, errors, stop, runs };
}

describe("keyed loop", () => {
  it("runs a key once at a time, and once more however often it is poked meanwhile", async () => {
    const { loop, started, runs, stop } = controlled();
    loop.poke("a");
    const first = await runs(1);
    loop.poke("a");
    loop.poke("a");
    expect(started).toHaveLength(1);
    first.end();
    (await runs(2)).end();
    await loop.settled();
    expect(started).toHaveLength(2);
    stop.abort();
  });
  it("runs other keys meanwhile", async () => {
    const { loop, runs, stop } = controlled();
    loop.poke("a");
    loop.poke("b");
    expect([(await runs(1)).key, (await runs(2)).key]).toEqual(["a", "b"]);
    stop.abort();
  });
  it("a superseding poke ends the run under way and is no failure", async () => {
    const { loop, runs, errors, stop } = controlled();
    loop.poke("a");
    const first = await runs(1);
    loop.poke("a", { supersede: true });
    expect(first.signal.aborted).toBe(true);
    first.fail();
    await runs(2);
    expect(errors).toEqual([]);
    stop.abort();
  });
  it("tries again after a failure, and after the time a run asks for", async () => {
    const { loop, runs, errors, stop } = controlled();
    loop.poke("a");
    (await runs(1)).fail();
    (await runs(2)).end(1);
    await runs(3);
    expect(errors).toHaveLength(1);
    stop.abort();
  });
});
