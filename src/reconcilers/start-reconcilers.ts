/** Runs every reconciler on one cluster until it is stopped. */
import { systemClock, type Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import { systemRandom, type Random } from "#lib/random.ts";
import type { Client } from "#client/client.ts";
import { ClusterCache } from "#client/cluster-cache.ts";
import { reconcilersFor, everyKindReconcilers, type ReconcilerFacts } from "./all.ts";
import { drive, type DriverOptions } from "./driver/driver.ts";
import { driveEveryKind } from "./driver/every-kind-driver.ts";
import { ServedKinds } from "./driver/served-kinds.ts";

export interface ReconcilersOptions extends ReconcilerFacts {
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
  const { signal } = stopped;
  const parts = (name: string): DriverOptions => ({ client, cache, clock, random, log: log.child(name), signal });
  const failed = (reconciler: string, error: unknown): void => {
    if (!signal.aborted) log.error("reconciler did not start", { reconciler, error });
  };
  for (const reconciler of reconcilersFor(options))
    if (!disabled.includes(reconciler.name))
      drive(reconciler, parts(reconciler.name)).catch((error: unknown) => failed(reconciler.name, error));
  const served = new ServedKinds(client, cache, log);
  served
    .start(signal)
    .then(() => {
      for (const reconciler of everyKindReconcilers)
        if (!disabled.includes(reconciler.name)) driveEveryKind(reconciler, served, parts(reconciler.name));
    })
    .catch((error: unknown) => failed("every kind", error));
  return {
    stop() {
      stopped.abort();
      if (options.cache === undefined) cache.stop();
    },
  };
}
