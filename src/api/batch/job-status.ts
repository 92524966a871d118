/** What a job's status may say, and what it may take back. Upstream: validateJobStatus, ValidateJobStatusUpdate. */
import type { V1Job } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { duplicate, invalid, invalidTogether, required } from "#api/validation/field-errors.ts";
import { immutableError, nonNegative, semanticEqual } from "#api/validation/values.ts";
import { firstOverlap, parseIntervals } from "./indexes.ts";

type Status = NonNullable<V1Job["status"]>;
export type ConditionType = "Complete" | "Failed" | "FailureTarget" | "SuccessCriteriaMet" | "Suspended";

export const hasCondition = (status: V1Job["status"], type: ConditionType): boolean =>
  (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");
const isFinished = (status: Status) => hasCondition(status, "Complete") || hasCondition(status, "Failed");

interface Facts {
  job: V1Job;
  status: Status;
  old: Status;
}

/** A rule is looked at when one of the things that it is about changed: jobs of old versions may break it. */
interface Rule {
  about: readonly (ConditionType | "finished" | keyof Status)[];
  check(facts: Facts): FieldError | undefined;
}

const has = ({ status }: Facts, type: ConditionType) => hasCondition(status, type);
const conditions = (detail: string) => invalidTogether("status.conditions", detail);

const rules: readonly Rule[] = [
  {
    about: ["Complete", "Failed"],
    check: (facts) =>
      has(facts, "Complete") && has(facts, "Failed")
        ? conditions("cannot set Complete=True and Failed=true conditions")
        : undefined,
  },
  {
    about: ["Complete", "FailureTarget"],
    check: (facts) =>
      has(facts, "Complete") && has(facts, "FailureTarget")
        ? conditions("cannot set Complete=True and FailureTarget=true conditions")
        : undefined,
  },
  {
    about: ["Complete", "completionTime"],
    check: (facts) =>
      facts.status.completionTime !== undefined && !has(facts, "Complete")
        ? invalid(
            "status.completionTime",
            facts.status.completionTime,
            "cannot set completionTime when there is no Complete=True condition",
          )
        : undefined,
  },
  {
    about: ["Complete", "completionTime"],
    check: (facts) =>
      facts.status.completionTime === undefined && has(facts, "Complete")
        ? required("status.completionTime", "completionTime is required for Complete jobs")
        : undefined,
  },
  {
    about: ["startTime", "completionTime"],
    check: ({ status: { startTime, completionTime } }) =>
      startTime && completionTime && Date.parse(completionTime) < Date.parse(startTime)
        ? invalid("status.completionTime", completionTime, "must be equal to or after `startTime`")
        : undefined,
  },
  {
    about: ["Failed", "FailureTarget"],
    check: (facts) =>
      has(facts, "Failed") && !has(facts, "FailureTarget")
        ? conditions("cannot set Failed=True condition without the FailureTarget=true condition")
        : undefined,
  },
  {
    about: ["Complete", "SuccessCriteriaMet"],
    check: (facts) =>
      has(facts, "Complete") && !has(facts, "SuccessCriteriaMet")
        ? conditions("cannot set Complete=True condition without the SuccessCriteriaMet=true condition")
        : undefined,
  },
  {
    about: ["finished", "active"],
    check: ({ status }) =>
      isFinished(status) && (status.active ?? 0) > 0
        ? invalid("status.active", status.active, "active>0 is invalid for finished job")
        : undefined,
  },
  {
    about: ["finished", "startTime"],
    check: ({ status }) =>
      isFinished(status) && status.startTime === undefined
        ? required("status.startTime", "startTime is required for finished job")
        : undefined,
  },
  {
    about: ["finished", "uncountedTerminatedPods"],
    check: ({ status }) => {
      const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
      return isFinished(status) && succeeded.length + failed.length > 0
        ? invalid("status.uncountedTerminatedPods", status.uncountedTerminatedPods, "must be empty for finished job")
        : undefined;
    },
  },
  { about: ["completedIndexes"], check: ({ job, status }) => indexesFault(job, "completedIndexes", status) },
  {
    about: ["failedIndexes"],
    check: ({ job, status }) =>
      job.spec?.backoffLimitPerIndex === undefined ? undefined : indexesFault(job, "failedIndexes", status),
  },
  {
    about: ["completedIndexes"],
    check: ({ job, status: { completedIndexes = "" } }) =>
      completedIndexes !== "" && job.spec?.completionMode !== "Indexed"
        ? invalid(
            "status.completedIndexes",
            completedIndexes,
            "cannot set non-empty completedIndexes when non-indexed completion mode",
          )
        : undefined,
  },
  {
    about: ["failedIndexes"],
    check: ({ job, status: { failedIndexes } }) =>
      failedIndexes !== undefined && job.spec?.backoffLimitPerIndex === undefined
        ? invalid(
            "status.failedIndexes",
            failedIndexes,
            "cannot set non-null failedIndexes when backoffLimitPerIndex is null",
          )
        : undefined,
  },
  { about: ["completedIndexes", "failedIndexes"], check: overlap },
  {
    about: ["finished", "terminating"],
    check: ({ status }) =>
      isFinished(status) && (status.terminating ?? 0) > 0
        ? invalid("status.terminating", status.terminating, "terminating>0 is invalid for finished job")
        : undefined,
  },
  {
    about: ["ready", "active"],
    check: ({ status: { ready, active = 0 } }) =>
      ready !== undefined && ready > active
        ? invalid("status.ready", ready, "cannot set more ready pods than active")
        : undefined,
  },
  {
    about: ["SuccessCriteriaMet", "Failed"],
    check: (facts) =>
      has(facts, "SuccessCriteriaMet") && has(facts, "Failed")
        ? conditions("cannot set SuccessCriteriaMet=True and Failed=true conditions")
        : undefined,
  },
  {
    about: ["SuccessCriteriaMet", "FailureTarget"],
    check: (facts) =>
      has(facts, "SuccessCriteriaMet") && has(facts, "FailureTarget")
        ? conditions("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions")
        : undefined,
  },
  {
    about: ["SuccessCriteriaMet", "Complete"],
    check: (facts) =>
      facts.job.spec?.successPolicy !== undefined && has(facts, "Complete") && !has(facts, "SuccessCriteriaMet")
        ? conditions("cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True")
        : undefined,
  },
];

function indexesFault(
  job: V1Job,
  field: "completedIndexes" | "failedIndexes",
  { [field]: text = "" }: Status,
): FieldError | undefined {
  if (job.spec?.completions === undefined) return undefined;
  const { fault } = parseIntervals(text, job.spec.completions);
  return fault === undefined ? undefined : invalid(`status.${field}`, text, `error parsing ${field}: ${fault}`);
}

function overlap({ job, status: { completedIndexes = "", failedIndexes } }: Facts): FieldError | undefined {
  const completions = job.spec?.completions;
  if (completions === undefined || failedIndexes === undefined) return undefined;
  const index = firstOverlap(completedIndexes, failedIndexes, completions);
  return index === undefined
    ? undefined
    : invalid("status.failedIndexes", failedIndexes, `failedIndexes and completedIndexes overlap at index: ${index}`);
}

const terminal = ["Failed", "Complete", "FailureTarget"] as const;

/** Rules of what was said before. */
const updateRules: readonly ((facts: Facts) => FieldError | undefined)[] = [
  ...terminal.map(
    (type) => (facts: Facts) =>
      hasCondition(facts.old, type) && !has(facts, type)
        ? conditions(`cannot disable the terminal ${type}=True condition`)
        : undefined,
  ),
  ({ status: { failed = 0 }, old }) =>
    (old.failed ?? 0) > failed ? invalid("status.failed", failed, "cannot decrease the failed counter") : undefined,
  ({ job: { spec }, status: { succeeded = 0 }, old }) =>
    (old.succeeded ?? 0) > succeeded && !(spec?.completionMode === "Indexed" && spec.completions === spec.parallelism)
      ? invalid("status.succeeded", succeeded, "cannot decrease the succeeded counter")
      : undefined,
  ({ status: { completionTime }, old }) =>
    completionTime !== undefined && old.completionTime !== undefined && completionTime !== old.completionTime
      ? invalid("status.completionTime", completionTime, immutableError)
      : undefined,
  ({ job, status: { startTime }, old }) => {
    if (old.startTime === undefined || startTime === old.startTime || job.spec?.suspend === true) return undefined;
    return startTime === undefined
      ? required("status.startTime", "startTime cannot be removed for unsuspended job")
      : invalid("status.startTime", startTime, "field is immutable for unsuspended job once set");
  },
  (facts) =>
    hasCondition(facts.old, "SuccessCriteriaMet") && !has(facts, "SuccessCriteriaMet")
      ? conditions("cannot disable the SuccessCriteriaMet=True condition")
      : undefined,
  (facts) =>
    hasCondition(facts.old, "Complete") &&
    !hasCondition(facts.old, "SuccessCriteriaMet") &&
    has(facts, "SuccessCriteriaMet")
      ? conditions("cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions")
      : undefined,
];

export function jobStatusErrors(job: V1Job, oldJob: V1Job | undefined): FieldError[] {
  const facts: Facts = { job, status: job.status ?? {}, old: oldJob?.status ?? {} };
  const { status } = facts;
  return [
    ...nonNegative("status.active", status.active),
    ...nonNegative("status.succeeded", status.succeeded),
    ...nonNegative("status.failed", status.failed),
    ...nonNegative("status.ready", status.ready),
    ...nonNegative("status.terminating", status.terminating),
    ...uncountedErrors(status),
    ...rules.flatMap(({ about, check }) => (about.some((what) => changed(facts, what)) ? (check(facts) ?? []) : [])),
    ...updateRules.flatMap((check) => check(facts) ?? []),
  ];
}

function changed({ status, old }: Facts, what: Rule["about"][number]): boolean {
  switch (what) {
    case "finished":
      return isFinished(status) !== isFinished(old);
    case "Complete":
    case "Failed":
    case "FailureTarget":
    case "SuccessCriteriaMet":
    case "Suspended":
      return hasCondition(status, what) !== hasCondition(old, what);
    default:
      return !semanticEqual(status[what], old[what]);
  }
}

function uncountedErrors({ uncountedTerminatedPods }: Status): FieldError[] {
  const seen = new Set<string>();
  return (["succeeded", "failed"] as const).flatMap((list) =>
    (uncountedTerminatedPods?.[list] ?? []).flatMap((uid, index) => {
      const field = `status.uncountedTerminatedPods.${list}[${index}]`;
      if (uid === "") return [invalid(field, uid, "must not be empty")];
      if (seen.has(uid)) return [duplicate(field, uid)];
      seen.add(uid);
      return [];
    }),
  );
}
