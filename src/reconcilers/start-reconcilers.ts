/** Runs every reconciler on one cluster until it is stopped. */
import { systemClock, type Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import { systemRandom, type Random } from "#lib/random.ts";
import type { Client } from "#client/client.ts";
import { ClusterCache } from "#client/cluster-cache.ts";
import { allReconcilers } from "./all.ts";
import { drive } from "./driver.ts";

export interface ReconcilersOptions {
  client: Client;
  log: Logger;
  clock?: Clock;
  random?: Random;
  /** Shared with other parts of the process; default one of our own. */
  cache?: ClusterCache;
  /** Names of reconcilers that are not to run. */
  disabled?: readonly string[];
}

/** Who writes, as managed fields say it. */
export const fieldManager = "kube-controller-manager";

export function startReconcilers(options: ReconcilersOptions): { stop(): void } {
  const { log, clock = systemClock, random = systemRandom, disabled = [] } = options;
  const client = options.client.withFieldManager(fieldManager);
  const cache = options.cache ?? new ClusterCache(client, { log, random });
  const stopped = new AbortController();
  for (const reconciler of allReconcilers) {
    if (disabled.includes(reconciler.name)) continue;
    const parts = { client, cache, clock, random, log: log.child(reconciler.name), signal: stopped.signal };
    drive(reconciler, parts).catch((error: unknown) => {
      if (!stopped.signal.aborted) log.error("reconciler did not start", { reconciler: reconciler.name, error });
    });
  }
  return {
    stop() {
      stopped.abort();
      if (options.cache === undefined) cache.stop();
    },
  };
}
