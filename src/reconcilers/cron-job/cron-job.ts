/** Makes a job at each time of a schedule. Upstream: pkg/controller/cronjob/cronjob_controllerv2.go. */
import { formatTime } from "#lib/clock.ts";
import type { V1ObjectReference } from "#api/generated/types.ts";
import { CronJob, Job } from "#reconcilers/kinds.ts";
import { controllerReference } from "#reconcilers/ownership.ts";
import { timeOf } from "#reconcilers/pod-state.ts";
import {
  create,
  defineReconciler,
  event,
  remove,
  updateStatus,
  wake,
  type Change,
  type View,
} from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";
import { missedMax, missedTimes, neverComesAgain, parseSchedule, type Schedule } from "./schedule.ts";

const scheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/** A look right at the time could come a moment too early. */
const afterTimeMs = 100;

export const cronJobReconciler = defineReconciler<CronJob>({
  name: "cronjob",
  component: "cronjob-controller",
  watches: CronJob,
  owns: [Job],
  reconcile(cron, view, { now }) {
    const jobs = view.ownedBy(cron, Job);
    const tidied = tidy(cron, jobs, view);
    const cleaned = cleanUp(cron, jobs);
    const rest = cron.metadata.deletionTimestamp !== undefined || cron.spec?.suspend === true;
    const started = rest ? { changes: [], cron: tidied.cron } : start(cron, tidied.cron, jobs, now);
    return [...tidied.changes, ...cleaned, ...started.changes, ...report(cron, started.cron)];
  },
});

function endOf({ status }: Job): "Complete" | "Failed" | undefined {
  const found = status?.conditions?.find(
    ({ type, status: is }) => (type === "Complete" || type === "Failed") && is === "True",
  );
  return found?.type as "Complete" | "Failed" | undefined;
}

interface Step {
  changes: Change[];
  cron: CronJob;
}

/** The list of active jobs follows the jobs. */
function tidy(cron: CronJob, jobs: readonly Job[], view: View): Step {
  const changes: Change[] = [];
  const byUid = new Map(jobs.map((job) => [job.metadata.uid, job]));
  const listed = cron.status?.active ?? [];
  // A job that is no longer its own is not missing as long as one of that name exists.
  const missing = listed.filter(
    ({ uid, name }) => !byUid.has(uid) && view.get(Job, { namespace: cron.metadata.namespace, name }) === undefined,
  );
  const active = listed.filter((reference) => {
    const job = byUid.get(reference.uid);
    return job === undefined ? !missing.includes(reference) : endOf(job) === undefined;
  });
  let lastSuccessfulTime = cron.status?.lastSuccessfulTime;
  for (const job of jobs) {
    const end = endOf(job);
    const known = listed.some(({ uid }) => uid === job.metadata.uid);
    const { name } = job.metadata;
    if (end === undefined && !known && !isJustMade(cron, job)) {
      const message = `Saw a job that the controller did not create or forgot: ${name}`;
      changes.push(event(cron, "Warning", "UnexpectedJob", message));
    }
    if (end === undefined) continue;
    if (known) changes.push(event(cron, "Normal", "SawCompletedJob", `Saw completed job: ${name}, condition: ${end}`));
    const at = job.status?.completionTime;
    if (end === "Complete" && timeOf(at) > timeOf(lastSuccessfulTime)) lastSuccessfulTime = at;
  }
  for (const { name } of missing) changes.push(event(cron, "Normal", "MissingJob", `Active job went missing: ${name}`));
  return {
    changes,
    cron: {
      ...cron,
      status: { ...cron.status, active, ...(lastSuccessfulTime === undefined ? {} : { lastSuccessfulTime }) },
    },
  };
}

/** Made by the plan before this one: the status will list it now. */
function isJustMade({ status }: CronJob, { metadata }: Job): boolean {
  return timeOf(metadata.annotations?.[scheduledAnnotation]) > timeOf(status?.lastScheduleTime);
}

/** Finished jobs beyond the limits go, the oldest first. */
function cleanUp(cron: CronJob, jobs: readonly Job[]): Change[] {
  const beyond = (end: "Complete" | "Failed", limit: number | undefined): Job[] => {
    const ended = jobs.filter((job) => endOf(job) === end && job.metadata.deletionTimestamp === undefined);
    const startOf = ({ status }: Job): number => timeOf(status?.startTime) || Number.MAX_SAFE_INTEGER;
    const byName = (a: Job, b: Job): number => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1);
    const sorted = ended.sort((a, b) => startOf(a) - startOf(b) || byName(a, b));
    return limit === undefined ? [] : sorted.slice(0, Math.max(0, sorted.length - limit));
  };
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cron.spec ?? {};
  return [...beyond("Complete", successfulJobsHistoryLimit), ...beyond("Failed", failedJobsHistoryLimit)].map((job) =>
    deletion(cron, job),
  );
}

function deletion(cron: CronJob, job: Job): Change {
  const { name } = job.metadata;
  return remove(Job, job, {
    propagation: "Background",
    report: (outcome) =>
      outcome.ok
        ? { about: cron, type: "Normal", reason: "SuccessfulDelete", message: `Deleted job ${name}` }
        : { about: cron, type: "Warning", reason: "FailedDelete", message: `Deleted job: ${outcome.error.message}` },
  });
}

function scheduleOf({ spec }: CronJob): Schedule | Error {
  try {
    return parseSchedule(spec?.schedule ?? "", spec?.timeZone);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function start(before: CronJob, cron: CronJob, jobs: readonly Job[], now: number): Step {
  const schedule = scheduleOf(cron);
  if (schedule instanceof Error) {
    const message = `unparseable schedule: "${cron.spec?.schedule}" : ${schedule.message}`;
    return { cron, changes: [event(before, "Warning", "UnparseableSchedule", message)] };
  }
  const deadline = cron.spec?.startingDeadlineSeconds;
  const since = timeOf(cron.status?.lastScheduleTime) || timeOf(cron.metadata.creationTimestamp);
  const from = deadline === undefined ? since : Math.max(since, now - deadline * 1_000);
  if (neverComesAgain(schedule, from, now)) {
    const message = `invalid schedule: ${cron.spec?.schedule} : time difference between two schedules is less than 1 second`;
    return { cron, changes: [event(before, "Warning", "InvalidSchedule", message)] };
  }
  const { latest, count } = missedTimes(schedule, from, now);
  const next = schedule.next(now);
  const again = next === undefined ? [] : [wake(next + afterTimeMs)];
  if (latest === undefined || latest <= timeOf(cron.status?.lastScheduleTime)) return { cron, changes: again };
  const job = jobAt(cron, latest);
  const made = jobs.find(({ metadata }) => metadata.name === job.metadata.name);
  if (made !== undefined) return { cron: withStarted(cron, made, latest), changes: again };
  const changes: Change[] = [...again];
  if (count > missedMax) {
    const message = `too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew`;
    changes.push(event(before, "Warning", "TooManyMissedTimes", message));
  }
  if (deadline !== undefined && latest + deadline * 1_000 < now) return { cron, changes };
  // Jobs that somebody else made for it do not count.
  const listed = new Set((cron.status?.active ?? []).map(({ uid }) => uid));
  const running = jobs.filter(({ metadata }) => listed.has(metadata.uid));
  if (cron.spec?.concurrencyPolicy === "Forbid" && listed.size > 0) {
    const message = "Not starting job because prior execution is running and concurrency policy is Forbid";
    return { cron, changes: [...changes, event(before, "Normal", "JobAlreadyActive", message)] };
  }
  const replaced = cron.spec?.concurrencyPolicy === "Replace" ? running : [];
  const created = create(Job, job, {
    existsIsFine: true,
    report: (outcome) =>
      outcome.ok
        ? { about: before, type: "Normal", reason: "SuccessfulCreate", message: `Created job ${job.metadata.name}` }
        : {
            about: before,
            type: "Warning",
            reason: "FailedCreate",
            message: `Error creating job: ${outcome.error.message}`,
          },
  });
  return { cron, changes: [...changes, ...replaced.map((each) => deletion(cron, each)), created] };
}

/** Once the job of this time is there, the status says so. */
function withStarted(cron: CronJob, job: Job, at: number): CronJob {
  const active = [...(cron.status?.active ?? [])];
  const isListed = active.some(({ uid }) => uid === job.metadata.uid);
  if (endOf(job) === undefined && !isListed) active.push(referenceTo(job));
  return { ...cron, status: { ...cron.status, active, lastScheduleTime: formatTime(at) } };
}

function referenceTo({ metadata: { namespace, name, uid, resourceVersion } }: Job): V1ObjectReference {
  const reference: V1ObjectReference = {
    apiVersion: "batch/v1",
    kind: "Job",
    namespace: namespace!,
    name: name!,
    uid: uid!,
  };
  return resourceVersion === undefined ? reference : { ...reference, resourceVersion };
}

function jobAt(cron: CronJob, at: number): Job {
  const { metadata, spec } = cron.spec!.jobTemplate;
  const annotations = { ...metadata?.annotations, [scheduledAnnotation]: zonedTime(at, cron.spec?.timeZone) };
  return {
    metadata: {
      name: `${cron.metadata.name}-${Math.floor(at / 60_000)}`,
      namespace: cron.metadata.namespace!,
      ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
      annotations,
      ownerReferences: [controllerReference(cron, CronJob)],
    },
    ...(spec === undefined ? {} : { spec }),
  };
}

/** RFC 3339 with the zone's own offset. */
function zonedTime(at: number, timeZone: string | undefined): string {
  if (timeZone === undefined || timeZone === "" || timeZone === "UTC") return formatTime(at);
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZoneName: "longOffset",
  }).formatToParts(new Date(at));
  const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? "";
  const offset = part("timeZoneName").replace("GMT", "");
  const date = `${part("year")}-${part("month")}-${part("day")}`;
  return `${date}T${part("hour")}:${part("minute")}:${part("second")}${offset === "" ? "Z" : offset}`;
}

function report(before: CronJob, cron: CronJob): Change[] {
  const { active = [], ...rest } = cron.status ?? {};
  const status = { ...rest, ...(active.length === 0 ? {} : { active }) };
  return canonical(status) === canonical(before.status ?? {}) ? [] : [updateStatus(CronJob, { ...before, status })];
}
