import { describe, expect, test, vi } from "vitest";
import { silentLogger } from "#lib/log.ts";
import { startSyncLoop } from "./sync-loop.ts";

describe("the sync loop", () => {
  test("is full first, carries out a burst at once and never two at a time", async () => {
    const calls: boolean[] = [];
    let running = 0;
    const loop = startSyncLoop({
      log: silentLogger,
      async sync(full) {
        expect(++running).toBe(1);
        calls.push(full);
        await Promise.resolve();
        running -= 1;
      },
    });
    for (let index = 0; index < 50; index++) loop.request();
    await loop.settled();
    for (let index = 0; index < 50; index++) loop.request();
    await loop.settled();
    await loop.stop();
    expect(calls).toEqual([true, false]);
  });

  test("after a failure tries again by itself, fully", async () => {
    const calls: boolean[] = [];
    const done = Promise.withResolvers<void>();
    const loop = startSyncLoop({
      log: silentLogger,
      async sync(full) {
        calls.push(full);
        if (calls.length === 2) throw new Error("kernel says no");
        if (calls.length === 3) done.resolve();
      },
    });
    await loop.settled();
    await loop.settled();
    await done.promise;
    await loop.stop();
    expect(calls).toEqual([true, false, true]);
  });

  test("makes everything anew when a check finds it gone", async () => {
    vi.useFakeTimers();
    try {
      const calls: boolean[] = [];
      const loop = startSyncLoop({
        log: silentLogger,
        sync: async (full) => void calls.push(full),
        check: async () => calls.length !== 1,
      });
      loop.request();
      await vi.advanceTimersByTimeAsync(100_000);
      await loop.stop();
      expect(calls).toEqual([true, true]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("does nothing more once it is stopped, and leaves nobody waiting", async () => {
    vi.useFakeTimers();
    try {
      let calls = 0;
      const loop = startSyncLoop({ log: silentLogger, sync: async () => void calls++ });
      const settled = loop.settled();
      await loop.stop();
      await settled;
      loop.request();
      await vi.advanceTimersByTimeAsync(100_000);
      expect(calls).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
