/** The rules of a job's spec, in a job and in a cron job's template. Upstream: validateJobSpec, whose order this is. */
import type { V1JobSpec, V1JobTemplateSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { podTemplateErrors } from "#api/core/pod-spec.ts";
import { podWarnings } from "#api/core/pod-warnings.ts";
import { invalid, notSupported, required, tooLong } from "#api/validation/field-errors.ts";
import { domainPrefixedPathErrors } from "#api/validation/formats.ts";
import { nonNegative } from "#api/validation/values.ts";
import { podFailurePolicyErrors, successPolicyErrors } from "./job-policies.ts";

export const selectorDescription =
  "A label query over pods that should match the pod count. Normally, the system sets this field for you. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors";

const indexedParallelismMax = 100_000;
const failedIndexesMax = 100_000;
/** Above so many completions, a limit per index bounds other numbers. */
const completionsMany = 100_000;
const parallelismManyMax = 10_000;
const failedIndexesManyMax = 10_000;
const managedByBytesMax = 63;

/** Of jobs and of cron jobs' templates. */
export function defaultFailurePolicy(spec: V1JobSpec | undefined): void {
  for (const { onPodConditions } of spec?.podFailurePolicy?.rules ?? [])
    for (const pattern of onPodConditions ?? []) pattern.status ||= "True";
}

export function jobSpecErrors(spec: V1JobSpec, path: string): FieldError[] {
  const { restartPolicy = "" } = spec.template?.spec ?? {};
  const at = `${path}.template.spec.restartPolicy`;
  const errors = [
    ...countsErrors(spec, path),
    ...managedByErrors(spec, path),
    ...completionModeErrors(spec, path),
    ...(spec.podFailurePolicy === undefined ? [] : podFailurePolicyErrors(spec, `${path}.podFailurePolicy`)),
    ...(spec.successPolicy === undefined ? [] : successPolicyErrors(spec, `${path}.successPolicy`)),
    ...replacementErrors(spec, `${path}.podReplacementPolicy`),
    ...podTemplateErrors(spec.template ?? { metadata: {} }, `${path}.template`),
  ];
  // A pod's default is Always, so that is what "missing" looks like.
  if (restartPolicy === "" || restartPolicy === "Always")
    errors.push(required(at, 'valid values: "OnFailure", "Never"'));
  else if (restartPolicy !== "OnFailure" && restartPolicy !== "Never")
    errors.push(notSupported(at, restartPolicy, ["OnFailure", "Never"]));
  else if (spec.podFailurePolicy !== undefined && restartPolicy !== "Never")
    errors.push(invalid(at, restartPolicy, 'only "Never" is supported when podFailurePolicy is specified'));
  return errors;
}

const counts = [
  "parallelism",
  "completions",
  "activeDeadlineSeconds",
  "backoffLimit",
  "ttlSecondsAfterFinished",
  "backoffLimitPerIndex",
  "maxFailedIndexes",
] as const;

function countsErrors(spec: V1JobSpec, path: string): FieldError[] {
  const errors = counts.flatMap((field) => nonNegative(`${path}.${field}`, spec[field]));
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    errors.push(required(`${path}.backoffLimitPerIndex`, "when maxFailedIndexes is specified"));
  return errors;
}

function managedByErrors({ managedBy }: V1JobSpec, path: string): FieldError[] {
  if (managedBy === undefined) return [];
  const errors = domainPrefixedPathErrors(`${path}.managedBy`, managedBy);
  return managedBy.length > managedByBytesMax ? [...errors, tooLong(`${path}.managedBy`, managedByBytesMax)] : errors;
}

function completionModeErrors(spec: V1JobSpec, path: string): FieldError[] {
  const mode = spec.completionMode ?? "NonIndexed";
  if (mode === "Indexed") return indexedErrors(spec, path);
  if (mode !== "NonIndexed") return [notSupported(`${path}.completionMode`, mode, ["NonIndexed", "Indexed"])];
  return (["backoffLimitPerIndex", "maxFailedIndexes"] as const).flatMap((field) =>
    spec[field] === undefined ? [] : [invalid(`${path}.${field}`, spec[field], "requires indexed completion mode")],
  );
}

function indexedErrors(
  { completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex }: V1JobSpec,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const atMost = (field: string, value: number | undefined, max: number, when = "") => {
    if (value !== undefined && value > max)
      errors.push(invalid(`${path}.${field}`, value, `must be less than or equal to ${max}${when}`));
  };
  if (completions === undefined) errors.push(required(`${path}.completions`, "when completion mode is Indexed"));
  atMost("parallelism", parallelism, indexedParallelismMax, " when completion mode is Indexed");
  if (maxFailedIndexes !== undefined && completions !== undefined && maxFailedIndexes > completions)
    errors.push(invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, "must be less than or equal to completions"));
  atMost("maxFailedIndexes", maxFailedIndexes, failedIndexesMax);
  if (completions === undefined || completions <= completionsMany || backoffLimitPerIndex === undefined) return errors;
  const when = ` when completions are above ${completionsMany} and used with backoff limit per index`;
  if (maxFailedIndexes === undefined)
    errors.push(required(`${path}.maxFailedIndexes`, `must be specified when completions is above ${completionsMany}`));
  atMost("parallelism", parallelism, parallelismManyMax, when);
  atMost("maxFailedIndexes", maxFailedIndexes, failedIndexesManyMax, when);
  return errors;
}

function replacementErrors({ podReplacementPolicy, podFailurePolicy }: V1JobSpec, field: string): FieldError[] {
  if (podReplacementPolicy === undefined) return [];
  const values = podFailurePolicy === undefined ? ["Failed", "TerminatingOrFailed"] : ["Failed"];
  return values.includes(podReplacementPolicy) ? [] : [notSupported(field, podReplacementPolicy, values)];
}

/** A job's spec in a cron job: its selector is made for each job. */
export function jobTemplateErrors({ spec }: Partial<V1JobTemplateSpec>, path: string): FieldError[] {
  const errors = jobSpecErrors(spec ?? ({} as V1JobSpec), `${path}.spec`);
  if (spec?.selector !== undefined)
    errors.push(invalid(`${path}.spec.selector`, spec.selector, "`selector` will be auto-generated"));
  if (spec?.manualSelector === true) errors.push(notSupported(`${path}.spec.manualSelector`, true, ["nil", "false"]));
  return errors;
}

const trackingText =
  "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail";

export function jobSpecWarnings(spec: V1JobSpec | undefined, path: string): string[] {
  if (spec === undefined) return [];
  const { completionMode, completions = 0, parallelism = 0, template } = spec;
  const many = completions > completionsMany && parallelism > parallelismManyMax;
  return [
    ...(completionMode === "Indexed" && many ? [`${path}: ${trackingText}`] : []),
    ...(template === undefined
      ? []
      : podWarnings(template.spec ?? { containers: [] }, template.metadata, `${path}.template`)),
  ];
}
