/**
 * Runs pods until enough of them have succeeded, and counts each exactly once: its uid goes into the status before its
 * finalizer goes, and the count grows after. Upstream: pkg/controller/job/job_controller.go.
 */
import { formatTime } from "#lib/clock.ts";
import { Pod } from "#api/core/pod.ts";
import type { V1JobCondition, V1JobStatus } from "#api/generated/types.ts";
import { labelSelectorOf } from "#api/label-selector.ts";
import { Job } from "#reconcilers/kinds.ts";
import { changedAt } from "#reconcilers/node/node-health.ts";
import {
  adoptionInputs,
  candidatesOf,
  claim,
  possibleAdopters,
  requiredLabels,
  selectorIndex,
} from "#reconcilers/ownership.ts";
import { byDeletionOrderOfJob } from "#reconcilers/pod-ranking.ts";
import { isPodActive, isPodReady, isPodTerminating, timeOf } from "#reconcilers/pod-state.ts";
import { createPod, deletePod } from "#reconcilers/pod-template.ts";
import {
  defineReconciler,
  trigger,
  updateStatus,
  wake,
  type Change,
  type EventSpec,
  type Moment,
  type View,
} from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";
import { formatIndexes, indexOf, parseIndexes } from "./indexes.ts";
import { type IndexFailures, failuresIn, isIndexed, isTracked, newJobPod, withoutTracking } from "./job-pod.ts";
import { judgeFailure, nextTryAt, nextTryOfIndexAt } from "./pod-failures.ts";
import { countable, failRest, tallyOf, type Tally } from "./tally.ts";

/** Pods that one plan creates or deletes. */
export const burstMax = 500;
/** Uids that a status holds at once. */
export const uncountedMax = 500;

const bySelector = selectorIndex<Job>("job-selector", ({ spec }) => spec?.selector);

export const jobReconciler = defineReconciler<Job>({
  name: "job",
  watches: Job,
  owns: [Pod],
  also: [trigger(Pod, possibleAdopters(Job, bySelector))],
  inputs: (job, view) => adoptionInputs(claiming(job, view)),
  reconcile(job, view, moment) {
    if ((job.spec?.managedBy ?? ownName) !== ownName) return [];
    const { claimed, changes } = claim({ ...claiming(job, view), inputs: moment.inputs });
    if (isFinished(job)) return [...changes, ...released(job, claimed, new Set(claimed.map(uidOf)))];
    const tally = tallyOf(job, claimed, judgeFailure);
    return [...changes, ...planned(job, claimed, tally, moment)];
  },
});

const ownName = "kubernetes.io/job-controller";
const uidOf = ({ metadata }: Pod): string => metadata.uid ?? "";

function claiming(job: Job, view: View) {
  const selector = job.spec?.selector;
  return {
    owner: job,
    ownerRef: Job,
    ref: Pod,
    selector: labelSelectorOf(selector),
    candidates: candidatesOf<Pod>(view, job, Pod, requiredLabels(selector ?? {})),
  };
}

function conditionOf({ status }: Job, type: string): V1JobCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type && condition.status === "True");
}

const isFinished = (job: Job): boolean => (conditionOf(job, "Complete") ?? conditionOf(job, "Failed")) !== undefined;

/** Pods that have been counted may go; those that still run only when the job is over. */
function released(job: Job, pods: readonly Pod[], counted: ReadonlySet<string>, isOver = isFinished(job)): Change[] {
  return pods
    .filter((pod) => isTracked(pod) && counted.has(uidOf(pod)) && (!isPodActive(pod) || isOver))
    .slice(0, burstMax)
    .map(withoutTracking);
}

interface Ending {
  type: "Complete" | "Failed";
  reason: string;
  message: string;
}

function planned(job: Job, pods: readonly Pod[], tally: Tally, moment: Moment): Change[] {
  const { now } = moment;
  const active = pods.filter(isPodActive);
  const suspended = job.spec?.suspend === true;
  const ending = endingOf(job, pods, active, tally, now);
  const failing = ending?.type === "Failed";
  if (failing) failRest(tally, job, pods, judgeFailure);
  const going = ending !== undefined || suspended ? active : [];
  const managed =
    ending === undefined && !suspended ? manage(job, pods, active, tally, now) : { changes: [], at: undefined };
  const stopped = stop(job, going.slice(0, burstMax), failing);
  const isLeaving = job.metadata.deletionTimestamp !== undefined;
  const written = ending !== undefined || isLeaving ? tally : countable(tally);
  const { uncounted } = written;
  const counted = new Set([...uncounted.succeeded, ...uncounted.failed, ...written.ignored]);
  const free = released(job, pods, isLeaving ? new Set(pods.map(uidOf)) : counted, failing || isLeaving);
  const pending =
    stopped.length + free.length > 0 || written.fresh > 0 || uncounted.succeeded.size + uncounted.failed.size > 0;
  const status = statusOf(job, pods, active, written, ending, pending, now);
  const wakes = [managed.at, deadlineAt(job, now)].filter((at) => at !== undefined && at > now).map((at) => wake(at!));
  // A finished pod is written into the status before it is let go.
  return [...stopped, ...managed.changes, ...report(job, status), ...free, ...wakes];
}

/** Pods that the job itself stops count as failed only if the job fails: others are let go uncounted. */
function stop(job: Job, pods: readonly Pod[], counting: boolean): Change[] {
  const uncounted = counting ? [] : pods.filter(isTracked).map(withoutTracking);
  return [...uncounted, ...pods.map((pod) => deletePod(pod, job))];
}

/** How the job ends, once that is known; it may still have to wait for its pods. */
function endingOf(
  job: Job,
  pods: readonly Pod[],
  active: readonly Pod[],
  tally: Tally,
  now: number,
): Ending | undefined {
  const met = conditionOf(job, "SuccessCriteriaMet");
  if (met !== undefined) return { type: "Complete", reason: met.reason ?? "", message: met.message ?? "" };
  const failing = conditionOf(job, "FailureTarget");
  if (failing !== undefined) return { type: "Failed", reason: failing.reason ?? "", message: failing.message ?? "" };
  const failed = (reason: string, message: string): Ending => ({ type: "Failed", reason, message });
  if (tally.failJob !== undefined) return failed("PodFailurePolicy", tally.failJob);
  const restarts = job.spec?.template.spec?.restartPolicy === "OnFailure" ? restartsOf(pods) : 0;
  const limit = job.spec?.backoffLimit ?? 6;
  if (tally.failed > limit || restarts >= Math.max(1, limit))
    return failed("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  const deadline = deadlineAt(job, now);
  if (deadline !== undefined && deadline <= now)
    return failed("DeadlineExceeded", "Job was active longer than specified deadline");
  if (isIndexed(job)) {
    const most = job.spec?.maxFailedIndexes;
    if (most !== undefined && tally.failedIndexes.size > most)
      return failed("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
    if (
      tally.failedIndexes.size > 0 &&
      tally.failedIndexes.size + tally.completedIndexes.size >= (job.spec?.completions ?? 0)
    )
      return failed("FailedIndexes", "Job has failed indexes");
    const rule = matchedSuccessRule(job, tally);
    if (rule !== undefined)
      return { type: "Complete", reason: "SuccessPolicy", message: `Matched rules at index ${rule}` };
  }
  return isSatisfied(job, active, tally)
    ? { type: "Complete", reason: "CompletionsReached", message: "Reached expected number of succeeded pods" }
    : undefined;
}

function restartsOf(pods: readonly Pod[]): number {
  const going = pods.filter(({ status }) => status?.phase === "Pending" || status?.phase === "Running");
  const counts = going.flatMap(({ status }) => [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
  ]);
  return counts.reduce((sum, { restartCount }) => sum + restartCount, 0);
}

function isSatisfied(job: Job, active: readonly Pod[], tally: Tally): boolean {
  if (job.spec?.suspend === true && (job.spec.completions ?? 1) > tally.succeeded) return false;
  const { completions } = job.spec ?? {};
  if (completions !== undefined) return tally.succeeded >= completions;
  return tally.succeeded > 0 && active.length === 0;
}

function matchedSuccessRule(job: Job, { completedIndexes }: Tally): number | undefined {
  const at = (job.spec?.successPolicy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    const wanted =
      succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes, job.spec?.completions ?? 0);
    const found =
      wanted === undefined ? completedIndexes : new Set([...wanted].filter((each) => completedIndexes.has(each)));
    return found.size >= (succeededCount ?? wanted?.size ?? Infinity);
  });
  return at < 0 ? undefined : at;
}

function deadlineAt({ spec, status }: Job, now: number): number | undefined {
  if (spec?.activeDeadlineSeconds === undefined || spec.suspend === true) return undefined;
  const started = status?.startTime === undefined ? now : timeOf(status.startTime);
  return started + spec.activeDeadlineSeconds * 1_000;
}

/** Creates what is missing or deletes what is too much. */
function manage(
  job: Job,
  pods: readonly Pod[],
  active: readonly Pod[],
  tally: Tally,
  now: number,
): { changes: Change[]; at: number | undefined } {
  if (job.metadata.deletionTimestamp !== undefined) return { changes: [], at: undefined };
  const { parallelism = 1, completions } = job.spec ?? {};
  const open =
    completions === undefined
      ? tally.succeeded > 0
        ? active.length
        : parallelism
      : completions - tally.succeeded - tally.failedIndexes.size;
  const wished = Math.max(0, Math.min(open, parallelism));
  const outside = isIndexed(job) ? superfluous(job, active, tally) : [];
  const surplus = Math.max(active.length - wished, outside.length);
  if (surplus > 0) {
    const rest = byDeletionOrderOfJob(active.filter((pod) => !outside.includes(pod)));
    return {
      changes: stop(job, [...outside, ...rest].slice(0, Math.min(surplus, burstMax)), false),
      at: undefined,
    };
  }
  const leaving = job.spec?.podReplacementPolicy === "Failed" ? pods.filter(isPodTerminating).length : 0;
  const missing = Math.min(wished - active.length - leaving, burstMax);
  if (missing <= 0) return { changes: [], at: undefined };
  if (job.spec?.backoffLimitPerIndex !== undefined) return newPodsByIndex(job, pods, active, tally, missing, now);
  const seen = pods.filter(({ status }) => status?.phase === "Failed").length;
  const { failed = 0, succeeded = 0 } = job.status ?? {};
  const at = nextTryAt(pods, failed > seen ? changedAt(job, "status") : 0, succeeded === 0 ? Math.max(1, failed) : 1);
  if (at > now) return { changes: [], at };
  const made = isIndexed(job)
    ? openIndexes(job, pods, active, tally, missing).map((index) => newJobPod(job, index))
    : Array.from({ length: missing }, () => newJobPod(job));
  return { changes: made.map((pod) => createPod(pod, job)), at: undefined };
}

/** Each index has a pause of its own. */
function newPodsByIndex(
  job: Job,
  pods: readonly Pod[],
  active: readonly Pod[],
  tally: Tally,
  missing: number,
  now: number,
): { changes: Change[]; at: number | undefined } {
  const tries = openIndexes(job, pods, active, tally, missing).map((index) => {
    const former = tally.replaced.get(index);
    return { index, former, at: nextTryOfIndexAt(former) };
  });
  const due = tries.filter(({ at }) => at <= now);
  const changes = due.map(({ index, former }) => createPod(newJobPod(job, index, failuresAfter(job, former)), job));
  const later = tries.filter(({ at }) => at > now).map(({ at }) => at);
  return { changes, at: later.length === 0 ? undefined : Math.min(...later) };
}

/** What the next pod of an index says of those before it. */
function failuresAfter(job: Job, former: Pod | undefined): IndexFailures {
  if (former === undefined) return { counted: 0, ignored: 0 };
  const { counted, ignored } = failuresIn(former);
  return judgeFailure(job, former).action === "Ignore"
    ? { counted, ignored: ignored + 1 }
    : { counted: counted + 1, ignored };
}

/** Pods of no index that is wanted, and all but one of an index. */
function superfluous(job: Job, active: readonly Pod[], tally: Tally): Pod[] {
  const wanted = Map.groupBy(
    active.filter((pod) => isWantedIndex(job, pod, tally)),
    indexOf,
  );
  const twice = [...wanted.values()].flatMap((same) => byDeletionOrderOfJob(same).slice(0, -1));
  return [...active.filter((pod) => !isWantedIndex(job, pod, tally)), ...twice];
}

function isWantedIndex(job: Job, pod: Pod, { completedIndexes, failedIndexes }: Tally): boolean {
  const index = indexOf(pod);
  if (index === undefined || index >= (job.spec?.completions ?? 0)) return false;
  return !completedIndexes.has(index) && !failedIndexes.has(index);
}

/** The first indexes that are not done and have no pod. */
function openIndexes(job: Job, pods: readonly Pod[], active: readonly Pod[], tally: Tally, missing: number): number[] {
  const keeping = job.spec?.podReplacementPolicy === "Failed" ? [...active, ...pods.filter(isPodTerminating)] : active;
  const taken = new Set(keeping.map(indexOf));
  const open: number[] = [];
  for (let index = 0; index < (job.spec?.completions ?? 0) && open.length < missing; index += 1)
    if (!taken.has(index) && !tally.completedIndexes.has(index) && !tally.failedIndexes.has(index)) open.push(index);
  return open;
}

function statusOf(
  job: Job,
  pods: readonly Pod[],
  active: readonly Pod[],
  tally: Tally,
  ending: Ending | undefined,
  pending: boolean,
  now: number,
): V1JobStatus {
  const suspended = job.spec?.suspend === true && ending === undefined;
  const before = job.status ?? {};
  const counts = { active: active.length, succeeded: tally.counted.succeeded, failed: tally.counted.failed };
  const uncounted = {
    ...(tally.uncounted.succeeded.size === 0 ? {} : { succeeded: [...tally.uncounted.succeeded] }),
    ...(tally.uncounted.failed.size === 0 ? {} : { failed: [...tally.uncounted.failed] }),
  };
  const done = ending !== undefined && !pending && !pods.some(isPodTerminating);
  const resumed = (before.conditions ?? []).some(({ type, status }) => type === "Suspended" && status === "True");
  const startTime = suspended
    ? undefined
    : resumed || before.startTime === undefined
      ? formatTime(now)
      : before.startTime;
  const conditions = conditionsOf(job, ending, done, suspended, now);
  const completed = formatIndexes(tally.completedIndexes);
  return {
    ...(conditions.length === 0 ? {} : { conditions }),
    ...(startTime === undefined ? {} : { startTime }),
    ...(done && ending?.type === "Complete" ? { completionTime: formatTime(now) } : {}),
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)),
    terminating: pods.filter(isPodTerminating).length,
    ...(completed === "" ? {} : { completedIndexes: completed }),
    ...(job.spec?.backoffLimitPerIndex === undefined ? {} : { failedIndexes: formatIndexes(tally.failedIndexes) }),
    uncountedTerminatedPods: uncounted,
    ready: active.filter(isPodReady).length,
  };
}

function conditionsOf(
  job: Job,
  ending: Ending | undefined,
  done: boolean,
  suspended: boolean,
  now: number,
): V1JobCondition[] {
  let conditions = [...(job.status?.conditions ?? [])];
  const time = formatTime(now);
  const set = (type: string, status: string, reason: string, message: string): void => {
    const current = conditions.find((condition) => condition.type === type);
    if (current?.status === status) return;
    conditions = conditions.filter((condition) => condition.type !== type);
    conditions.push({ type, status, lastProbeTime: time, lastTransitionTime: time, reason, message });
  };
  const wasSuspended = conditions.some(({ type, status }) => type === "Suspended" && status === "True");
  if (suspended) set("Suspended", "True", "JobSuspended", "Job suspended");
  else if (wasSuspended && ending === undefined) set("Suspended", "False", "JobResumed", "Job resumed");
  if (ending === undefined) return conditions;
  set(ending.type === "Failed" ? "FailureTarget" : "SuccessCriteriaMet", "True", ending.reason, ending.message);
  if (done) set(ending.type, "True", ending.reason, ending.message);
  return conditions;
}

/** Events for conditions that are new. */
function told(job: Job, { conditions = [], succeeded = 0 }: V1JobStatus): EventSpec[] {
  return conditions.flatMap(({ type, status: is, reason = "", message = "" }): EventSpec[] => {
    const before = job.status?.conditions?.find((condition) => condition.type === type);
    if (before?.status === is) return [];
    if (type === "Complete") return completed(job, succeeded);
    if (type === "Failed") return [{ about: job, type: "Warning", reason, message }];
    if (type !== "Suspended") return [];
    return [{ about: job, type: "Normal", reason: is === "True" ? "Suspended" : "Resumed", message }];
  });
}

function completed(job: Job, succeeded: number): EventSpec[] {
  const tooMany = "Too many succeeded pods running after completion count reached";
  const isTooMany = succeeded > (job.spec?.completions ?? Infinity);
  return [
    ...(isTooMany ? [{ about: job, type: "Warning", reason: "TooManySucceededPods", message: tooMany } as const] : []),
    { about: job, type: "Normal", reason: "Completed", message: "Job completed" },
  ];
}

function report(job: Job, status: V1JobStatus): Change[] {
  if (canonical(status) === canonical(job.status ?? {})) return [];
  return [updateStatus(Job, { ...job, status }, ({ ok }) => (ok ? told(job, status) : undefined))];
}
