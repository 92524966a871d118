/** Jobs at set times. Upstream: pkg/registry/batch/cronjob/strategy.go, pkg/apis/batch/validation. */
import { age, ageColumn, column, containerColumns, integer, nameColumn, selectorText, wide } from "#api/columns.ts";
import { nameWarnings, statusStrategy } from "#api/apps/workload.ts";
import { defaultTemplate } from "#api/core/pod-defaults.ts";
import { dropDisabledFields } from "#api/core/pod-strategy.ts";
import type { V1CronJob, V1CronJobSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { defineResource } from "#api/resource.ts";
import { invalid, required } from "#api/validation/field-errors.ts";
import { charactersError } from "#api/validation/names.ts";
import { nonNegative, oneOf } from "#api/validation/values.ts";
import { isTimeZoneName, scheduleFault, timeZoneFault } from "./cron-schedule.ts";
import { defaultFailurePolicy, jobSpecWarnings, jobTemplateErrors, selectorDescription } from "./job-spec.ts";

/** Names of its jobs are 11 characters longer. */
const nameMax = 52;

export type CronJob = V1CronJob;
export const CronJob = defineResource<CronJob>({
  group: "batch",
  version: "v1",
  kind: "CronJob",
  plural: "cronjobs",
  shortNames: ["cj"],
  categories: ["all"],
  scope: "Namespaced",
  schema: "io.k8s.api.batch.v1.CronJob",
  defaults({ spec }) {
    if (spec === undefined) return;
    defaultTemplate(spec.jobTemplate?.spec?.template);
    defaultFailurePolicy(spec.jobTemplate?.spec);
    spec.concurrencyPolicy ||= "Allow";
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
  },
  prepareCreate(job) {
    job.status = {};
    dropDisabledFields(job.spec?.jobTemplate?.spec?.template?.spec);
  },
  prepareUpdate(job, old) {
    job.status = old.status!;
    dropDisabledFields(job.spec?.jobTemplate?.spec?.template?.spec);
  },
  resetFields: [["status"]],
  metadataLooks: { whole: 1, form: 0 },
  validate: ({ metadata, spec }, old) => [
    ...specErrors(spec ?? ({} as V1CronJobSpec), old?.spec),
    ...(old === undefined && (metadata.name ?? "").length > nameMax
      ? [invalid("metadata.name", metadata.name, charactersError(nameMax))]
      : []),
  ],
  warnings: (job, old) => [
    ...(old === undefined ? nameWarnings(job) : []),
    ...(old === undefined || old.metadata.generation !== job.metadata.generation
      ? jobSpecWarnings(job.spec?.jobTemplate?.spec, "spec.jobTemplate.spec")
      : []),
  ],
  status: { ...statusStrategy<CronJob>(() => []), metadataLooks: { whole: 0, form: 0 } },
  columns: [
    nameColumn,
    column("Schedule", ["batch.v1.CronJobSpec", "schedule"], (job: CronJob) => job.spec?.schedule ?? ""),
    column("Timezone", ["batch.v1.CronJobSpec", "timeZone"], (job: CronJob) => job.spec?.timeZone ?? "<none>"),
    column(
      "Suspend",
      ["batch.v1.CronJobSpec", "suspend"],
      (job: CronJob) => (job.spec?.suspend === true ? "True" : "False"),
      { type: "boolean" },
    ),
    column(
      "Active",
      ["batch.v1.CronJobStatus", "active"],
      (job: CronJob) => (job.status?.active ?? []).length,
      integer,
    ),
    column("Last Schedule", ["batch.v1.CronJobStatus", "lastScheduleTime"], (job: CronJob, now) =>
      job.status?.lastScheduleTime ? age(job.status.lastScheduleTime, now) : "<none>",
    ),
    ageColumn,
    ...containerColumns((job: CronJob) => job.spec?.jobTemplate?.spec?.template),
    column(
      "Selector",
      selectorDescription,
      (job: CronJob) => selectorText(job.spec?.jobTemplate?.spec?.selector),
      wide,
    ),
  ],
});

function specErrors(spec: V1CronJobSpec, old: V1CronJobSpec | undefined): FieldError[] {
  return [
    ...scheduleErrors(spec, old),
    ...nonNegative("spec.startingDeadlineSeconds", spec.startingDeadlineSeconds),
    ...(old !== undefined && old.timeZone === spec.timeZone ? [] : timeZoneErrors("spec.timeZone", spec.timeZone)),
    ...oneOf("spec.concurrencyPolicy", spec.concurrencyPolicy, ["Allow", "Forbid", "Replace"]),
    ...jobTemplateErrors(spec.jobTemplate ?? {}, "spec.jobTemplate"),
    ...nonNegative("spec.successfulJobsHistoryLimit", spec.successfulJobsHistoryLimit),
    ...nonNegative("spec.failedJobsHistoryLimit", spec.failedJobsHistoryLimit),
  ];
}

/** A zone in the schedule is of old versions: cron jobs that have it keep it. */
function scheduleErrors({ schedule, timeZone }: V1CronJobSpec, old: V1CronJobSpec | undefined): FieldError[] {
  const field = "spec.schedule";
  if (schedule === undefined || schedule === "") return [required(field)];
  const fault = scheduleFault(schedule);
  const errors = fault === undefined ? [] : [invalid(field, schedule, fault)];
  if (!schedule.includes("TZ")) return errors;
  if (!(old?.schedule ?? "").includes("TZ"))
    errors.push(invalid(field, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
  else if (timeZone !== undefined)
    errors.push(invalid(field, schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule"));
  return errors;
}

function timeZoneErrors(field: string, zone: string | undefined): FieldError[] {
  if (zone === undefined) return [];
  if (zone === "") return [invalid(field, zone, "timeZone must be nil or non-empty string")];
  if (!isTimeZoneName(zone)) return [invalid(field, zone, `unknown time zone ${zone}`)];
  const fault = timeZoneFault(zone);
  return [
    ...(zone.toLowerCase() === "local"
      ? [invalid(field, zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones")]
      : []),
    ...(fault === undefined ? [] : [invalid(field, zone, fault)]),
  ];
}
