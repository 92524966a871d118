/** A pod as a job makes it. Upstream: pkg/controller/job/job_controller.go, indexed_job_utils.go. */
import { Pod as PodRef, type Pod } from "#api/core/pod.ts";
import type { V1Container, V1PodTemplateSpec } from "#api/generated/types.ts";
import { Job } from "#reconcilers/kinds.ts";
import { podFromTemplate } from "#reconcilers/pod-template.ts";
import { patch, type Change } from "#reconcilers/reconciler.ts";
import { indexAnnotation } from "./indexes.ts";

/** Holds a finished pod until the job has counted it. */
export const trackingFinalizer = "batch.kubernetes.io/job-tracking";
export const failureCountAnnotation = "batch.kubernetes.io/job-index-failure-count";
/** Failures that a rule said not to count; they only make the pauses longer. */
export const ignoredFailureCountAnnotation = "batch.kubernetes.io/job-index-ignored-failure-count";
/** A generated name's base is cut at this length; the index must survive that. Upstream: MaxGeneratedNameLength. */
const generatedBaseLengthMax = 58;
const indexVariable = "JOB_COMPLETION_INDEX";

export const isIndexed = ({ spec }: Job): boolean => spec?.completionMode === "Indexed";
export const isTracked = ({ metadata }: Pod): boolean => metadata.finalizers?.includes(trackingFinalizer) === true;

/** How often the pods of an index have failed. */
export interface IndexFailures {
  counted: number;
  ignored: number;
}

export const failuresIn = ({ metadata }: Pod): IndexFailures => ({
  counted: Number(metadata.annotations?.[failureCountAnnotation] ?? 0),
  ignored: Number(metadata.annotations?.[ignoredFailureCountAnnotation] ?? 0),
});

export function newJobPod(job: Job, index?: number, failures: IndexFailures = { counted: 0, ignored: 0 }): Pod {
  const pod = podFromTemplate(job.spec?.template as V1PodTemplateSpec, job, Job);
  const finalizers = [...(pod.metadata.finalizers ?? []), trackingFinalizer];
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, finalizers } };
  const perIndex: Record<string, string> =
    job.spec?.backoffLimitPerIndex === undefined
      ? {}
      : {
          [failureCountAnnotation]: String(failures.counted),
          ...(failures.ignored === 0 ? {} : { [ignoredFailureCountAnnotation]: String(failures.ignored) }),
        };
  const { name = "" } = job.metadata;
  const ending = `-${index}-`;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      finalizers,
      generateName: `${name.slice(0, generatedBaseLengthMax - ending.length)}${ending}`,
      annotations: { ...pod.metadata.annotations, ...perIndex, [indexAnnotation]: String(index) },
      labels: { ...pod.metadata.labels, [indexAnnotation]: String(index) },
    },
    spec: {
      ...pod.spec!,
      hostname: `${name}-${index}`,
      containers: pod.spec!.containers.map(withIndex),
      ...(pod.spec!.initContainers === undefined ? {} : { initContainers: pod.spec!.initContainers.map(withIndex) }),
    },
  };
}

function withIndex(container: V1Container): V1Container {
  const env = container.env ?? [];
  if (env.some(({ name }) => name === indexVariable)) return container;
  const fieldRef = { fieldPath: `metadata.labels['${indexAnnotation}']` };
  return { ...container, env: [...env, { name: indexVariable, valueFrom: { fieldRef } }] };
}

/** The patch that lets a counted pod go, whatever else became of it meanwhile. */
export function withoutTracking(pod: Pod): Change {
  const metadata = { uid: pod.metadata.uid, "$deleteFromPrimitiveList/finalizers": [trackingFinalizer] };
  return patch(PodRef, pod, "strategic", { metadata });
}
