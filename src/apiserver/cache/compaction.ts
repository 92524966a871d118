/** Forgets old versions: every five minutes those older than five minutes, as upstream's compactor does. */
import type { Logger } from "#lib/log.ts";
import type { Store } from "#store/store.ts";

export const compactionIntervalMs = 5 * 60 * 1000;

export function startCompaction(store: Store, log: Logger, intervalMs = compactionIntervalMs): () => void {
  let seen = store.revision;
  const timer = setInterval(() => {
    const older = seen;
    seen = store.revision;
    if (older <= store.compactedRevision) return;
    store
      .compact(older)
      .catch((error: unknown) => log.warn("compaction failed; it will be tried again", { error: error as Error }));
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
