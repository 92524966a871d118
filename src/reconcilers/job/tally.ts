/** How many pods of a job have succeeded and failed: those that its status has counted, and those that it has yet to count. */
import type { Pod } from "#api/core/pod.ts";
import type { Job } from "#reconcilers/kinds.ts";
import { indexOf, parseIndexes } from "./indexes.ts";
import { isPodActive } from "#reconcilers/pod-state.ts";
import { failuresIn, isIndexed, isTracked } from "./job-pod.ts";
import { type FailureVerdict, finishedAt } from "./pod-failures.ts";

export interface Tally {
  /** With those that are yet to be counted. */
  succeeded: number;
  failed: number;
  /** What the status says once pods that were let go are counted. */
  counted: { succeeded: number; failed: number };
  /** Uids that the status holds until their pods are let go. */
  uncounted: { succeeded: Set<string>; failed: Set<string> };
  /** Uids of failed pods that a rule says to ignore. */
  ignored: Set<string>;
  /** How many uids are new to the status. */
  fresh: number;
  completedIndexes: Set<number>;
  failedIndexes: Set<number>;
  /** Why the job fails at once, if a rule says so. */
  failJob: string | undefined;
  /** Where failures are counted by index: the last failed pod of each index that waits for another one. */
  replaced: ReadonlyMap<number, Pod>;
}

export function tallyOf(job: Job, pods: readonly Pod[], judge: (job: Job, pod: Pod) => FailureVerdict): Tally {
  const completions = job.spec?.completions ?? Infinity;
  const tracked = new Set(pods.filter(isTracked).map(({ metadata }) => metadata.uid ?? ""));
  const before = job.status?.uncountedTerminatedPods ?? {};
  const split = (uids: readonly string[] | undefined) => ({
    gone: (uids ?? []).filter((uid) => !tracked.has(uid)).length,
    held: new Set((uids ?? []).filter((uid) => tracked.has(uid))),
  });
  const [succeeded, failed] = [split(before.succeeded), split(before.failed)];
  const tally: Tally = {
    succeeded: 0,
    failed: 0,
    counted: {
      succeeded: (job.status?.succeeded ?? 0) + succeeded.gone,
      failed: (job.status?.failed ?? 0) + failed.gone,
    },
    uncounted: { succeeded: succeeded.held, failed: failed.held },
    ignored: new Set(),
    fresh: 0,
    completedIndexes: parseIndexes(job.status?.completedIndexes, completions),
    failedIndexes: parseIndexes(job.status?.failedIndexes, completions),
    failJob: undefined,
    replaced: new Map(),
  };
  for (const pod of pods.filter(isTracked)) addPod(tally, job, pod, judge);
  const { counted, uncounted } = tally;
  tally.failed = counted.failed + uncounted.failed.size;
  tally.succeeded = isIndexed(job) ? tally.completedIndexes.size : counted.succeeded + uncounted.succeeded.size;
  if (isIndexed(job)) indexedCounts(tally);
  if (job.spec?.backoffLimitPerIndex !== undefined) tally.replaced = replacedPods(tally, job, pods);
  return tally;
}

/** A pod keeps its finalizer, and stays uncounted, until the next one of its index has taken over its failure count. */
function replacedPods({ completedIndexes, failedIndexes }: Tally, job: Job, pods: readonly Pod[]): Map<number, Pod> {
  const active = new Set(pods.filter(isPodActive).map(indexOf));
  const last = new Map<number, Pod>();
  for (const pod of pods) {
    const index = indexOf(pod);
    if (index === undefined || index >= (job.spec?.completions ?? 0) || !isTracked(pod) || !isFailed(job, pod))
      continue;
    if (completedIndexes.has(index) || failedIndexes.has(index) || active.has(index)) continue;
    const former = last.get(index);
    const isLater =
      former === undefined || (failuresOf(former) <= failuresOf(pod) && finishedAt(former) <= finishedAt(pod));
    if (isLater) last.set(index, pod);
  }
  return last;
}

const failuresOf = (pod: Pod): number => failuresIn(pod).counted + failuresIn(pod).ignored;

/** The tally without the pods that wait for others of their index: what may be written and let go as yet. */
export function countable(tally: Tally): Tally {
  if (tally.replaced.size === 0) return tally;
  const held = new Set([...tally.replaced.values()].map(({ metadata }) => metadata.uid ?? ""));
  const without = (uids: ReadonlySet<string>) => new Set([...uids].filter((uid) => !held.has(uid)));
  const failed = without(tally.uncounted.failed);
  return {
    ...tally,
    uncounted: { ...tally.uncounted, failed },
    ignored: without(tally.ignored),
    fresh: tally.fresh - (tally.uncounted.failed.size - failed.size),
  };
}

/** An indexed job counts indexes, not pods: two pods of one index are one success. */
function indexedCounts(tally: Tally): void {
  tally.counted.succeeded = tally.completedIndexes.size;
}

function addPod(tally: Tally, job: Job, pod: Pod, judge: (job: Job, pod: Pod) => FailureVerdict): void {
  const uid = pod.metadata.uid ?? "";
  const index = isIndexed(job) ? indexOf(pod) : undefined;
  const outside = isOutside(job, pod);
  if (pod.status?.phase === "Succeeded") {
    if (outside) tally.ignored.add(uid);
    else if (!tally.uncounted.succeeded.has(uid)) {
      tally.uncounted.succeeded.add(uid);
      tally.fresh += 1;
      if (index !== undefined) tally.completedIndexes.add(index);
    }
    return;
  }
  if (!isFailed(job, pod)) return;
  const verdict = judge(job, pod);
  if (verdict.action === "FailJob") tally.failJob ??= verdict.message;
  if (verdict.action === "Ignore" || outside) {
    tally.ignored.add(uid);
    return;
  }
  if (index !== undefined) failIndex(tally, job, pod, index, verdict);
  if (tally.uncounted.failed.has(uid)) return;
  tally.uncounted.failed.add(uid);
  tally.fresh += 1;
}

/** A job that fails counts what it has not seen end as failed. */
export function failRest(
  tally: Tally,
  job: Job,
  pods: readonly Pod[],
  judge: (job: Job, pod: Pod) => FailureVerdict,
): void {
  const { counted, ignored, uncounted } = tally;
  for (const pod of pods.filter(isTracked)) {
    const uid = pod.metadata.uid ?? "";
    if (uncounted.succeeded.has(uid) || uncounted.failed.has(uid) || ignored.has(uid)) continue;
    if (isOutside(job, pod) || judge(job, pod).action === "Ignore") ignored.add(uid);
    else {
      uncounted.failed.add(uid);
      tally.fresh += 1;
    }
  }
  tally.failed = counted.failed + uncounted.failed.size;
}

function isOutside(job: Job, pod: Pod): boolean {
  const index = indexOf(pod);
  return isIndexed(job) && (index === undefined || index >= (job.spec?.completions ?? 0));
}

function failIndex(tally: Tally, job: Job, pod: Pod, index: number, { action }: FailureVerdict): void {
  const limit = job.spec?.backoffLimitPerIndex;
  if (limit === undefined) return;
  if (action === "FailIndex" || failuresIn(pod).counted >= limit) tally.failedIndexes.add(index);
}

/** A pod that is being deleted has failed, unless the job waits to see how it ends. */
export function isFailed(job: Job, { metadata, status }: Pod): boolean {
  if (status?.phase === "Failed") return true;
  if (status?.phase === "Succeeded" || metadata.deletionTimestamp === undefined) return false;
  return job.spec?.podReplacementPolicy !== "Failed" && job.spec?.podFailurePolicy === undefined;
}
