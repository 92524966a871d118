/** Pods that run to an end. Upstream: pkg/registry/batch/job/strategy.go, pkg/apis/batch/validation. */
import { compareText, goQuote } from "#api/go-text.ts";
import { ageColumn, column, containerColumns, nameColumn, selectorText, shortDuration, wide } from "#api/columns.ts";
import { nameWarnings, readSelector, statusStrategy, workloadStrategy } from "#api/apps/workload.ts";
import { defaultTemplate } from "#api/core/pod-defaults.ts";
import type { V1Job, V1JobSpec, V1PodSpec, V1PodTemplateSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { labelSelectorErrors, matchesLabels } from "#api/label-selector.ts";
import { defineResource } from "#api/resource.ts";
import { invalid, required } from "#api/validation/field-errors.ts";
import { isDns1123Label, labelValueBytesMax } from "#api/validation/names.ts";
import { immutable, immutableError, semanticEqual } from "#api/validation/values.ts";
import { defaultFailurePolicy, jobSpecErrors, jobSpecWarnings, selectorDescription } from "./job-spec.ts";
import { type ConditionType, hasCondition, jobStatusErrors } from "./job-status.ts";

const int32Max = 2_147_483_647;
/** The label of the selector and those that pods have beside it. */
const uidLabel = "batch.kubernetes.io/controller-uid";
const nameLabel = "batch.kubernetes.io/job-name";
const oldUidLabel = "controller-uid";
const oldNameLabel = "job-name";

const strategy = workloadStrategy<Job>("batch.v1.JobStatus");

export type Job = V1Job;
export const Job = defineResource<Job>({
  group: "batch",
  version: "v1",
  kind: "Job",
  plural: "jobs",
  categories: ["all"],
  scope: "Namespaced",
  schema: "io.k8s.api.batch.v1.Job",
  defaultPropagation: "Orphan",
  propagationWarning:
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning",
  fieldSelectors: { "status.successful": ({ status }) => String(status?.succeeded ?? 0) },
  unknownFieldText: (field) => `field label ${goQuote(field)} not supported for Job`,
  defaults(job) {
    const { metadata, spec } = job;
    if (spec === undefined) return;
    const labels = spec.template?.metadata?.labels;
    // The same object, not a copy: labels that prepareCreate adds to the template are then the job's too, as upstream.
    if (Object.keys(metadata.labels ?? {}).length === 0 && labels !== undefined) metadata.labels = labels;
    defaultTemplate(spec.template);
    defaultSpec(spec);
  },
  ...strategy,
  prepareCreate(job, context) {
    strategy.prepareCreate!(job, context);
    if (job.spec !== undefined && job.spec.manualSelector !== true) generateSelector(job, job.spec);
  },
  validate: (job, old) => [...jobErrors(job, old), ...(old === undefined ? [] : updateErrors(job, old))],
  warnings(job, old) {
    if (old !== undefined && old.metadata.generation === job.metadata.generation) return [];
    return [...(old === undefined ? nameWarnings(job) : []), ...jobSpecWarnings(job.spec, "spec")];
  },
  status: statusStrategy<Job>(jobStatusErrors),
  columns: [
    nameColumn,
    column("Status", "Status of the job.", statusText),
    column("Completions", ["batch.v1.JobStatus", "succeeded"], completionsText),
    column("Duration", "Time required to complete the job.", ({ status }: Job, now) => {
      if (!status?.startTime) return "";
      const end = status.completionTime ? Date.parse(status.completionTime) : now;
      return shortDuration(end - Date.parse(status.startTime));
    }),
    ageColumn,
    ...containerColumns((job: Job) => job.spec?.template),
    column("Selector", selectorDescription, (job: Job) => selectorText(job.spec?.selector), wide),
  ],
});

/** Of jobs alone: cron jobs leave their templates as they are. */
function defaultSpec(spec: V1JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) {
    spec.completions = 1;
    spec.parallelism = 1;
  }
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : int32Max;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed";
  spec.manualSelector ??= false;
  defaultFailurePolicy(spec);
}

/** A selector of the job's own uid, and the labels for it. What the user set stays: validation tells if it does not fit. */
function generateSelector({ metadata }: Job, spec: V1JobSpec): void {
  const { name = "", uid = "" } = metadata;
  const template = (spec.template ??= {} as V1PodTemplateSpec);
  const given = template.metadata?.labels;
  const shared = given !== undefined && metadata.labels === given;
  const names = { [nameLabel]: name, [oldNameLabel]: name, [uidLabel]: uid, [oldUidLabel]: uid };
  const own = sortedLabels({ ...names, ...given });
  (template.metadata ??= {}).labels = own;
  const selector = (spec.selector ??= {});
  selector.matchLabels = sortedLabels({ [uidLabel]: uid, ...selector.matchLabels });
  // Upstream a job without labels gets its template's when it is read from the store, thus not when it is refused.
  const none = Object.keys(metadata.labels ?? {}).length === 0;
  if (shared || (none && name.length <= labelValueBytesMax)) metadata.labels = { ...own };
}

/** As upstream shows them when they do not fit. */
const sortedLabels = (labels: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).sort(([a], [b]) => compareText(a, b)));

function jobErrors(job: Job, old: Job | undefined): FieldError[] {
  const spec = job.spec ?? ({} as V1JobSpec);
  const errors = [...generatedSelectorErrors(job, spec, old), ...specErrors(spec)];
  if (spec.completionMode !== "Indexed" || (spec.completions ?? 0) <= 0) return errors;
  const hostname = `${job.metadata.name ?? ""}-${spec.completions! - 1}`;
  const text = `will not able to create pod with invalid DNS label: ${hostname}`;
  return isDns1123Label(hostname).length === 0
    ? errors
    : [...errors, invalid("metadata.name", job.metadata.name, text)];
}

/** Jobs of old versions lack the labels that have a prefix. */
function needsPrefixedLabels(old: Job | undefined): boolean {
  if (old === undefined) return true;
  const labels = old.spec?.template?.metadata?.labels ?? {};
  return labels[uidLabel] !== undefined && labels[nameLabel] !== undefined;
}

function generatedSelectorErrors({ metadata }: Job, spec: V1JobSpec, old: Job | undefined): FieldError[] {
  if (spec.manualSelector === true || spec.selector === undefined) return [];
  const { name = "", uid = "" } = metadata;
  const expected = {
    [oldUidLabel]: uid,
    [oldNameLabel]: name,
    ...(needsPrefixedLabels(old) ? { [uidLabel]: uid, [nameLabel]: name } : {}),
  };
  const labels = spec.template?.metadata?.labels ?? {};
  const errors = Object.entries(expected).flatMap(([label, value]) =>
    labelErrors(labels, label, value, "spec.template.metadata"),
  );
  const selector = readSelector(spec.selector);
  if (selector !== undefined && !matchesLabels(selector, expected))
    errors.push(invalid("spec.selector", spec.selector, "`selector` not auto-generated"));
  return errors;
}

/** Upstream's ValidateHasLabel. */
function labelErrors(labels: Record<string, string>, label: string, value: string, path: string): FieldError[] {
  const field = `${path}.labels[${label}]`;
  const actual = labels[label];
  if (actual === undefined) return [required(field, `must be '${value}'`)];
  return actual === value ? [] : [invalid(field, labels, `must be '${value}'`)];
}

function specErrors(spec: V1JobSpec): FieldError[] {
  const errors = jobSpecErrors(spec, "spec");
  if (spec.selector === undefined) errors.push(required("spec.selector"));
  else errors.push(...labelSelectorErrors(spec.selector, "spec.selector"));
  const selector = readSelector(spec.selector);
  const labels = spec.template?.metadata?.labels;
  if (selector !== undefined && !matchesLabels(selector, labels))
    errors.push(
      invalid("spec.template.metadata.labels", labels ?? null, "`selector` does not match template `labels`"),
    );
  return errors;
}

function updateErrors(job: Job, old: Job): FieldError[] {
  const spec = job.spec ?? ({} as V1JobSpec);
  const oldSpec = old.spec ?? ({} as V1JobSpec);
  const fixed = (field: keyof V1JobSpec) => immutable(`spec.${field}`, spec[field] ?? null, oldSpec[field] ?? null);
  return [
    ...specErrors(spec),
    ...completionsErrors(spec, oldSpec),
    ...fixed("selector"),
    ...templateUpdateErrors(spec.template, oldSpec.template, mayBeMoved(old)),
    ...fixed("completionMode"),
    ...fixed("podFailurePolicy"),
    ...fixed("backoffLimitPerIndex"),
    ...fixed("managedBy"),
    ...fixed("successPolicy"),
  ];
}

/** Suspended, and none of its pods runs: it has not begun, or says that it stopped. */
const mayBeMoved = ({ spec, status }: Job): boolean =>
  spec?.suspend === true &&
  (status?.active ?? 0) === 0 &&
  (status?.startTime === undefined || hasCondition(status, "Suspended"));

/** Indexed jobs may grow and shrink with their parallelism. */
function completionsErrors(spec: V1JobSpec, old: V1JobSpec): FieldError[] {
  if (spec.completionMode !== "Indexed")
    return immutable("spec.completions", spec.completions ?? null, old.completions ?? null);
  if (spec.completions === undefined || spec.completions === old.completions) return [];
  return spec.completions === spec.parallelism
    ? []
    : [invalid("spec.completions", spec.completions, "can only be modified in tandem with spec.parallelism")];
}

/** While none of its pods runs, a suspended job may still be told where and with how much they will. */
const directives = ["nodeSelector", "tolerations", "schedulingGates"] as const;

function templateUpdateErrors(
  template: V1PodTemplateSpec | undefined,
  old: V1PodTemplateSpec | undefined,
  isMovable: boolean,
): FieldError[] {
  if (semanticEqual(template, old)) return [];
  if (!isMovable) return [invalid("spec.template", shownTemplate(template), immutableError)];
  return semanticEqual(rigidPart(template?.spec), rigidPart(old?.spec))
    ? []
    : [invalid("spec.template.spec", template?.spec ?? null, immutableError)];
}

function rigidPart(spec: V1PodSpec | undefined): object {
  const rest: V1PodSpec = { ...(spec as V1PodSpec) };
  for (const field of directives) delete rest[field];
  // Of affinities those to nodes alone are free; to have none of the others is the same as to have no affinity.
  const { podAffinity, podAntiAffinity } = rest.affinity ?? {};
  delete rest.affinity;
  if (podAffinity !== undefined) rest.affinity = { podAffinity };
  if (podAntiAffinity !== undefined) rest.affinity = { ...rest.affinity, podAntiAffinity };
  for (const list of ["containers", "initContainers"] as const)
    if (rest[list]) rest[list] = rest[list].map((container) => ({ ...container, resources: {} }));
  return rest;
}

/** As upstream shows its internal type: metadata first, without a name of its own. */
const shownTemplate = (template: V1PodTemplateSpec | undefined) => ({
  ...template?.metadata,
  Spec: template?.spec ?? null,
});

const phases: readonly ConditionType[] = ["Complete", "Failed"];
const laterPhases: readonly ConditionType[] = ["Suspended", "FailureTarget", "SuccessCriteriaMet"];

function statusText({ metadata, status }: Job): string {
  const phase = phases.find((type) => hasCondition(status, type));
  if (phase !== undefined) return phase;
  if (metadata.deletionTimestamp) return "Terminating";
  return laterPhases.find((type) => hasCondition(status, type)) ?? "Running";
}

function completionsText({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}
