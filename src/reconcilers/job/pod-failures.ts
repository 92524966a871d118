/** What a failed pod means for its job. Upstream: pkg/controller/job/pod_failure_policy.go, backoff_utils.go. */
import type { Pod } from "#api/core/pod.ts";
import type { V1ContainerStatus, V1PodFailurePolicyRule } from "#api/generated/types.ts";
import { backoffMs } from "#lib/backoff.ts";
import type { Job } from "#reconcilers/kinds.ts";
import { failuresIn } from "./job-pod.ts";
import { timeOf } from "#reconcilers/pod-state.ts";

export interface FailureVerdict {
  /** "Count" unless a rule says otherwise. */
  action: "Count" | "Ignore" | "FailJob" | "FailIndex";
  message: string;
}

export function judgeFailure(job: Job, pod: Pod): FailureVerdict {
  for (const [at, rule] of (job.spec?.podFailurePolicy?.rules ?? []).entries()) {
    const why = matched(rule, pod);
    if (why === undefined) continue;
    const message = `${why} matching ${rule.action} rule at index ${at}`;
    return { action: rule.action as FailureVerdict["action"], message };
  }
  return { action: "Count", message: "" };
}

function matched({ onExitCodes, onPodConditions }: V1PodFailurePolicyRule, pod: Pod): string | undefined {
  const { namespace, name } = pod.metadata;
  if (onExitCodes !== undefined) {
    const { containerName, operator, values } = onExitCodes;
    const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
    for (const status of statuses) {
      const code = exitCode(status);
      if (code === undefined || code === 0 || (containerName !== undefined && containerName !== status.name)) continue;
      if (values.includes(code) === (operator === "In"))
        return `Container ${status.name} for pod ${namespace}/${name} failed with exit code ${code}`;
    }
  }
  const patterns = onPodConditions ?? [];
  const met = pod.status?.conditions?.find((condition) =>
    patterns.some(({ type, status = "True" }) => condition.type === type && condition.status === status),
  );
  return met === undefined ? undefined : `Pod ${namespace}/${name} has condition ${met.type}`;
}

const exitCode = ({ state }: V1ContainerStatus): number | undefined => state?.terminated?.exitCode;

/** When an index may have another pod, by the one that failed last; 0 if it never had one. */
export function nextTryOfIndexAt(lastFailed: Pod | undefined): number {
  if (lastFailed === undefined) return 0;
  const { counted, ignored } = failuresIn(lastFailed);
  return finishedAt(lastFailed) + backoffMs(counted + ignored + 1, backoff);
}

const backoff = { initialMs: 10_000, limitMs: 600_000 };

/**
 * When a job that has failed before may try again; 0 if it may now. Pods that failed may be gone: `unseenFailureAt` is when
 * the last of them may have failed, 0 if none did, and `failuresMin` how many failed at least since the last success.
 */
export function nextTryAt(pods: readonly Pod[], unseenFailureAt = 0, failuresMin = 1): number {
  const ended = pods
    .filter(({ status }) => status?.phase === "Failed" || status?.phase === "Succeeded")
    .map((pod) => ({ failed: pod.status?.phase === "Failed", at: finishedAt(pod) }))
    .sort((a, b) => b.at - a.at);
  const succeeded = ended.findIndex(({ failed }) => !failed);
  const failures = succeeded < 0 ? ended : ended.slice(0, succeeded);
  const last = Math.max(failures[0]?.at ?? 0, unseenFailureAt);
  return last === 0 ? 0 : last + backoffMs(Math.max(failuresMin, failures.length), backoff);
}

/** The end of the last container, sidecars too, if all have ended; else when the pod became unready, was deleted or was made. */
export function finishedAt({ metadata, spec, status }: Pod): number {
  const sidecars = new Set(
    (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always").map(({ name }) => name),
  );
  const ends = [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name)),
  ].map(({ state }) => timeOf(state?.terminated?.finishedAt));
  if (ends.length > 0 && ends.every((at) => at > 0)) return Math.max(...ends);
  const unready = status?.conditions?.find(({ type, status: is }) => type === "Ready" && is === "False");
  const graceMs = (metadata.deletionGracePeriodSeconds ?? 0) * 1_000;
  return (
    timeOf(unready?.lastTransitionTime) ||
    Math.max(0, timeOf(metadata.deletionTimestamp) - graceMs) ||
    timeOf(metadata.creationTimestamp)
  );
}
