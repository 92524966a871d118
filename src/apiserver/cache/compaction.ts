/**
 * Forgets old versions, in steps: each is there for five minutes at least and six at most. Upstream's compactor takes up to
 * ten, the limit up to which its conformance test waits for a list's token to expire.
 */
import type { Logger } from "#lib/log.ts";
import type { Store } from "#store/store.ts";

const stepMs = 60_000;
const stepsKept = 5;

export function startCompaction(store: Store, log: Logger): () => void {
  const step = compactionSteps(store.revision);
  const timer = setInterval(() => {
    const older = step(store.revision);
    if (older === undefined || older <= store.compactedRevision) return;
    store
      .compact(older)
      .catch((error: unknown) => log.warn("compaction failed; it will be tried again", { error: error as Error }));
  }, stepMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Takes the revision of each step and returns that of five steps ago: what is older may go. */
export function compactionSteps(first: number): (now: number) => number | undefined {
  const seen = [first];
  return (now) => {
    seen.push(now);
    return seen.length > stepsKept ? seen.shift() : undefined;
  };
}
