/** What each endpoint of a pod fills in, carries over and checks. Upstream: pkg/registry/core/pod/strategy.go. */
import type { V1Container, V1Pod, V1PodAffinityTerm, V1PodSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import type { RequestContext, Strategy } from "#api/resource.ts";
import { formatTime } from "#lib/clock.ts";
import { forbidden } from "#api/validation/field-errors.ts";
import { isDns1123Label } from "#api/validation/names.ts";
import { semanticEqual } from "#api/validation/values.ts";
import { imageSpaceErrors } from "./containers.ts";
import { adoptAppArmorAnnotations, annotationsAgainstFields, podAnnotationsErrors } from "./pod-annotations.ts";
import { qosClassOf } from "./pod-resources.ts";
import { keepAllButResources, podResizeErrors, resizeRefusal } from "./pod-resize.ts";
import { podSpecErrors } from "./pod-spec.ts";
import { dropDisabledStatusFields, keepObservedGenerations, podStatusErrors, podStatusWarnings } from "./pod-status.ts";
import {
  ephemeralContainersRefusal,
  ephemeralContainersUpdateErrors,
  podAnnotationsUpdateErrors,
  podUpdateErrors,
} from "./pod-update.ts";
import { podWarnings } from "./pod-warnings.ts";

/** Fields whose features are off in this release: upstream drops them silently. In pods and templates. */
export function dropDisabledFields(spec: V1PodSpec | undefined): void {
  if (spec === undefined) return;
  delete spec.schedulingGroup;
  dropProjections(spec);
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) dropStopSignal(container);
  for (const container of spec.ephemeralContainers ?? []) dropStopSignal(container as V1Container);
}

/** Sources of projected volumes whose features are off leave an empty source. */
function dropProjections({ volumes }: V1PodSpec): void {
  for (const { projected } of volumes ?? [])
    for (const source of projected?.sources ?? []) {
      delete source.clusterTrustBundle;
      delete source.podCertificate;
    }
}

function dropStopSignal(container: V1Container): void {
  if (container.lifecycle?.stopSignal === undefined) return;
  delete container.lifecycle.stopSignal;
  if (Object.keys(container.lifecycle).length === 0) delete container.lifecycle;
}

function prepareCreate(pod: V1Pod, { now, warn }: RequestContext): void {
  const spec = (pod.spec ??= { containers: [] });
  dropDisabledFields(spec);
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1;
  pod.status = { phase: "Pending", qosClass: qosClassOf(spec) };
  if ((spec.schedulingGates ?? []).length > 0) pod.status.conditions = [gatedCondition(now)];
  mergeLabelKeys(pod);
  adoptAppArmorAnnotations(pod, warn ?? (() => undefined));
}

const gatedCondition = (now: number) => ({
  type: "PodScheduled",
  status: "False",
  lastProbeTime: null as unknown as string,
  lastTransitionTime: formatTime(now),
  reason: "SchedulingGated",
  message: "Scheduling is blocked due to non-empty scheduling gates",
});

/** matchLabelKeys become part of the selectors, with the pod's own values. */
function mergeLabelKeys({ metadata, spec }: V1Pod): void {
  const labels = metadata.labels ?? {};
  for (const kind of ["podAffinity", "podAntiAffinity"] as const) {
    const affinity = spec?.affinity?.[kind];
    for (const term of affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) mergeIntoTerm(term, labels);
    for (const { podAffinityTerm } of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
      mergeIntoTerm(podAffinityTerm, labels);
  }
  for (const constraint of spec?.topologySpreadConstraints ?? [])
    if (constraint.labelSelector !== undefined)
      addKeys(constraint.labelSelector, constraint.matchLabelKeys, "In", labels);
}

function mergeIntoTerm(term: V1PodAffinityTerm, labels: Record<string, string>): void {
  if (term.labelSelector === undefined) return;
  addKeys(term.labelSelector, term.matchLabelKeys, "In", labels);
  addKeys(term.labelSelector, term.mismatchLabelKeys, "NotIn", labels);
}

function addKeys(
  selector: { matchExpressions?: { key: string; operator: string; values?: string[] }[] },
  keys: readonly string[] | undefined,
  operator: string,
  labels: Record<string, string>,
): void {
  for (const key of keys ?? []) {
    const value = labels[key];
    if (value !== undefined) (selector.matchExpressions ??= []).push({ key, operator, values: [value] });
  }
}

/** What a pod must fulfil at any time. Upstream: validatePodMetadataAndSpec without the rules of all metadata. */
function podErrors(pod: V1Pod): FieldError[] {
  const { metadata, spec = { containers: [] } } = pod;
  const errors = [
    ...podAnnotationsErrors(metadata.annotations, spec, "metadata.annotations"),
    ...podSpecErrors(spec, metadata, "spec"),
  ];
  if (!spec.serviceAccountName) errors.push(...tokenWithoutAccount(spec));
  for (const field of ["containers", "initContainers"] as const)
    for (const [index, container] of (spec[field] ?? []).entries())
      errors.push(...imageSpaceErrors(container, `spec.${field}[${index}]`));
  return errors;
}

function tokenWithoutAccount({ volumes = [] }: V1PodSpec): FieldError[] {
  const text = "must not be specified when serviceAccountName is not set";
  return volumes.flatMap(({ projected }, index) =>
    (projected?.sources ?? []).flatMap(({ serviceAccountToken }, at) =>
      serviceAccountToken === undefined
        ? []
        : [forbidden(`spec.volumes[${index}].projected.sources[${at}].serviceAccountToken`, text)],
    ),
  );
}

function createErrors(pod: V1Pod): FieldError[] {
  const errors = podErrors(pod);
  const spec = pod.spec!;
  if ((spec.ephemeralContainers ?? []).length > 0)
    errors.push(forbidden("spec.ephemeralContainers", "cannot be set on create"));
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0)
    errors.push(forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"));
  return [...errors, ...annotationsAgainstFields(pod.metadata.annotations, spec, "spec")];
}

/** A pod's changes are machines' work: only who creates one is warned. */
function warnings(pod: V1Pod, old: V1Pod | undefined): string[] {
  if (old !== undefined) return [];
  const faults = isDns1123Label(pod.metadata.name ?? "");
  const text =
    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended";
  return [
    ...(faults.length > 0 ? [`${text}: [${faults.join(" ")}]`] : []),
    ...podWarnings(pod.spec ?? { containers: [] }, pod.metadata, ""),
  ];
}

export const podStrategy: Strategy<V1Pod> = {
  prepareCreate,
  prepareUpdate(pod, old) {
    dropDisabledFields(pod.spec);
    keepStatus(pod, old);
  },
  validate: (pod, old) => (old === undefined ? createErrors(pod) : [...podErrors(pod), ...podUpdateErrors(pod, old)]),
  warnings,
  resetFields: [["status"]],
};

function keepStatus(pod: V1Pod, old: V1Pod): void {
  if (old.status === undefined) delete pod.status;
  else pod.status = old.status;
}

export const podStatusStrategy: Strategy<V1Pod> = {
  prepareUpdate(pod, old) {
    pod.spec = old.spec!;
    delete pod.metadata.deletionTimestamp;
    if (old.metadata.deletionTimestamp !== undefined) pod.metadata.deletionTimestamp = old.metadata.deletionTimestamp;
    delete pod.metadata.ownerReferences;
    if (old.metadata.ownerReferences !== undefined) pod.metadata.ownerReferences = old.metadata.ownerReferences;
    const status = (pod.status ??= {});
    dropDisabledStatusFields(status);
    keepObservedGenerations(status, old.status);
    if (!status.qosClass && old.status?.qosClass !== undefined) status.qosClass = old.status.qosClass;
  },
  validate: (pod, old) => [...podAnnotationsUpdateErrors(pod, old!), ...podStatusErrors(pod, old!)],
  warnings: (pod) => podStatusWarnings(pod),
  metadataLooks: { whole: 1, form: 0 },
  resetFields: [["spec"], ["metadata", "deletionTimestamp"], ["metadata", "ownerReferences"]],
};

function keepMetadata(pod: V1Pod, old: V1Pod): void {
  const { resourceVersion, managedFields } = pod.metadata;
  pod.metadata = { ...old.metadata };
  if (resourceVersion !== undefined) pod.metadata.resourceVersion = resourceVersion;
  if (managedFields !== undefined) pod.metadata.managedFields = managedFields;
}

/** Subresources count the generation themselves. */
function countSpec(pod: V1Pod, old: V1Pod): void {
  if (!semanticEqual(pod.spec, old.spec)) pod.metadata.generation = (old.metadata.generation ?? 0) + 1;
}

/** Takes the ephemeral containers only. */
export const ephemeralContainersStrategy: Strategy<V1Pod> = {
  prepareUpdate(pod, old) {
    const added = pod.spec?.ephemeralContainers;
    pod.spec = { ...old.spec!, ...(added === undefined ? {} : { ephemeralContainers: added }) };
    if (added === undefined) delete pod.spec.ephemeralContainers;
    keepMetadata(pod, old);
    keepStatus(pod, old);
    dropDisabledFields(pod.spec);
    countSpec(pod, old);
  },
  validate: (pod, old) => {
    const refusal = ephemeralContainersRefusal(old!);
    if (refusal !== undefined) return [refusal];
    return [
      ...podErrors(pod),
      ...podAnnotationsUpdateErrors(pod, old!),
      ...ephemeralContainersUpdateErrors(pod.spec!, old!.spec!),
    ];
  },
  ownedFields: [["spec", "ephemeralContainers"]],
};

export const resizeStrategy: Strategy<V1Pod> = {
  prepareUpdate(pod, old) {
    keepAllButResources(pod, old);
    keepMetadata(pod, old);
    keepStatus(pod, old);
    countSpec(pod, old);
  },
  validate: (pod, old) => {
    const refusal = resizeRefusal(old!);
    return refusal === undefined ? [...podErrors(pod), ...podResizeErrors(pod, old!)] : [refusal];
  },
  ownedFields: ["containers", "initContainers"].flatMap((list) =>
    ["resources", "resizePolicy"].map((field) => ["spec", list, "*", field]),
  ),
};
