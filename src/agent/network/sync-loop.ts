/** Calls `sync` once for a burst of requests, one call at a time; after a failure again by itself, then fully. */
import { backoffMs } from "#lib/backoff.ts";
import type { Logger } from "#lib/log.ts";

export interface SyncLoopOptions {
  /** `full`: what the kernel holds is not known; replace it all. */
  readonly sync: (full: boolean) => Promise<void>;
  readonly log: Logger;
  /** Now and then: false if what we made is no longer there. */
  readonly check?: () => Promise<boolean>;
}

export interface SyncLoop {
  request(): void;
  /** Resolves when every request made so far has been carried out, or failed once. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** Requests that come within this time go into one call. */
const gatherMs = 10;
/** The same for requests soon after a call: a hundred pods that start should not make a hundred calls. */
const busyGatherMs = 100;
const busyMs = 500;
const checkEveryMs = 30_000;
const retry = { initialMs: 200, limitMs: 30_000 };

export function startSyncLoop({ sync, log, check }: SyncLoopOptions): SyncLoop {
  const stopped = new AbortController();
  let full = true;
  let failures = 0;
  let wanted = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let waiting: (() => void)[] = [];
  let endedAt = -Infinity;

  const gather = (): number => (waiting.length === 0 && performance.now() - endedAt < busyMs ? busyGatherMs : gatherMs);
  const schedule = (delayMs: number): void => {
    if (stopped.signal.aborted || running !== undefined) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = runOnce().finally(() => {
        running = undefined;
        endedAt = performance.now();
        if (failures > 0) schedule(backoffMs(failures, retry));
        else if (wanted) schedule(gather());
      });
    }, delayMs);
  };
  const runOnce = async (): Promise<void> => {
    timer = undefined;
    wanted = false;
    const told = waiting;
    waiting = [];
    try {
      await sync(full);
      if (failures > 0) log.info("synced again", { failures });
      full = false;
      failures = 0;
    } catch (error) {
      full = true;
      failures += 1;
      log.warn("sync failed, trying again fully", { failures, error });
    }
    for (const tell of told) tell();
  };
  const runCheck = async (): Promise<void> => {
    if (check === undefined || running !== undefined || full) return;
    if (await check().catch(() => false)) return;
    log.warn("what was set up is gone, setting it up again");
    full = true;
    loop.request();
  };
  const checks = setInterval(() => void runCheck(), checkEveryMs);
  checks.unref();

  const loop: SyncLoop = {
    request() {
      wanted = true;
      if (timer === undefined && failures === 0) schedule(gather());
    },
    async settled() {
      if (stopped.signal.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      wanted = true;
      if (failures === 0) schedule(gatherMs);
      await promise;
    },
    async stop() {
      stopped.abort();
      clearInterval(checks);
      clearTimeout(timer);
      await running;
      for (const tell of waiting) tell();
    },
  };
  return loop;
}
