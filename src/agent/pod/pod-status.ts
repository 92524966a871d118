/** A pod's whole status, from what is observed. Pure; the status that the API has is input only for what must not be lost. */
import { formatTime } from "#lib/clock.ts";
import type { Pod } from "#api/core/pod.ts";
import type { V1ContainerStatus, V1PodCondition, V1PodStatus } from "#api/generated/types.ts";
import { containerStatusesOf } from "./container-statuses.ts";
import { readySandbox, type ObservedContainer, type PodObservation } from "./observation.ts";
import type { ProbeVerdict, WaitReason } from "./plan-pod.ts";
import type { ResizeCondition } from "./pod-resizer.ts";
import { agentConditions, podPhase, type PodPhase } from "./pod-phase.ts";
import { podResources } from "./pod-resources.ts";
import { qosClass } from "./qos.ts";

/** A verdict on the pod as a whole: refused, or out of time. */
export interface PodFailure {
  readonly reason: string;
  readonly message: string;
}

export interface PodStatusInput {
  readonly pod: Pod;
  readonly observation: PodObservation;
  readonly waits: ReadonlyMap<string, WaitReason>;
  readonly replaced: ReadonlySet<string>;
  readonly restartingAll: boolean | undefined;
  readonly probeOf: (container: ObservedContainer) => ProbeVerdict;
  readonly terminal: boolean;
  readonly failure: PodFailure | undefined;
  /** The pod with the cpu and memory that it was given, and with what its containers have; as it asks when left out. */
  readonly allocated?: Pod;
  readonly actual?: Pod;
  readonly resizeConditions?: readonly ResizeCondition[];
  readonly hostIps: readonly string[];
  readonly nowMs: number;
}

export function podStatus(input: PodStatusInput): V1PodStatus {
  const { pod, observation, failure } = input;
  const sandbox = readySandbox(observation);
  const containers = containerStatusesOf({ ...input, containers: observation.containers });
  const { initContainerStatuses = [], containerStatuses = [] } = containers;
  const statuses = new Map([...initContainerStatuses, ...containerStatuses].map((status) => [status.name, status]));
  const phase = settledPhase(input, statuses);
  const ips = podIps(input, sandbox?.ips);
  const resources = statuses.values().some(({ resources: known }) => known !== undefined)
    ? podResources(input.allocated ?? pod, input.actual ?? pod)
    : {};
  const old = pod.status ?? {};
  return {
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase,
    conditions: conditions(input, statuses, phase),
    ...messageOf(failure, old),
    ...(old.nominatedNodeName === undefined ? {} : { nominatedNodeName: old.nominatedNodeName }),
    ...hostOf(input.hostIps),
    ...(ips[0] === undefined ? {} : { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) }),
    startTime: old.startTime ?? formatTime(input.nowMs),
    ...containers,
    qosClass: qosClass(pod),
    ...(old.resize === undefined ? {} : { resize: old.resize }),
    ...(old.resourceClaimStatuses === undefined ? {} : { resourceClaimStatuses: old.resourceClaimStatuses }),
    ...resources,
  };
}

/** What a pod says that the node does not take. */
export function refusedStatus(pod: Pod, { reason, message }: PodFailure, nowMs: number): V1PodStatus {
  return {
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase: "Failed",
    message: `Pod was rejected: ${message}`,
    reason,
    startTime: pod.status?.startTime ?? formatTime(nowMs),
    qosClass: qosClass(pod),
  };
}

function messageOf(failure: PodFailure | undefined, old: V1PodStatus): Pick<V1PodStatus, "message" | "reason"> {
  const { message, reason } = failure ?? old;
  return { ...(message === undefined ? {} : { message }), ...(reason === undefined ? {} : { reason }) };
}

function hostOf(hostIps: readonly string[]): Pick<V1PodStatus, "hostIP" | "hostIPs"> {
  return hostIps[0] === undefined ? {} : { hostIP: hostIps[0], hostIPs: hostIps.map((ip) => ({ ip })) };
}

/** A pod that succeeded or failed stays so. */
function settledPhase(
  { pod, terminal, failure, restartingAll }: PodStatusInput,
  statuses: ReadonlyMap<string, V1ContainerStatus>,
): PodPhase {
  const old = pod.status?.phase;
  if (old === "Succeeded" || old === "Failed") return old;
  if (failure !== undefined) return "Failed";
  const phase = podPhase(pod, statuses, terminal);
  // Containers that were removed to run anew ended for no reason of their own.
  if (restartingAll === true && !terminal && phase !== "Pending") return "Running";
  // A pod that ends before it ran has no exit code that could tell success.
  return terminal && (phase === "Pending" || phase === "Running") ? "Failed" : phase;
}

function podIps({ pod, hostIps }: PodStatusInput, observed: readonly string[] | undefined): readonly string[] {
  if (observed === undefined) return (pod.status?.podIPs ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
  return pod.spec?.hostNetwork === true ? hostIps : observed;
}

const ours = new Set([
  "PodReadyToStartContainers",
  "Initialized",
  "Ready",
  "ContainersReady",
  "PodScheduled",
  "AllContainersRestarting",
  "PodResizePending",
  "PodResizeInProgress",
]);

/** Others' conditions first, as they are; ours with the time of their last change. */
function conditions(
  input: PodStatusInput,
  statuses: ReadonlyMap<string, V1ContainerStatus>,
  phase: PodPhase,
): V1PodCondition[] {
  const { pod, observation, nowMs } = input;
  const old = pod.status?.conditions ?? [];
  const known = old.some(({ type }) => type === "AllContainersRestarting") ? false : undefined;
  const restartingAll = input.restartingAll ?? known;
  const sandboxReady = readySandbox(observation) !== undefined;
  const verdicts = agentConditions({ pod, statuses, phase, sandboxReady, restartingAll });
  return [
    ...old.filter(({ type }) => !ours.has(type)),
    ...[...verdicts, ...(input.resizeConditions ?? [])].map(({ type, observedGeneration, status, reason, message }) => {
      const before = old.find((condition) => condition.type === type);
      const unchanged = before?.status === status && typeof before.lastTransitionTime === "string";
      return {
        type,
        ...(observedGeneration === undefined ? {} : { observedGeneration }),
        status,
        lastProbeTime: null,
        lastTransitionTime: unchanged ? before.lastTransitionTime : formatTime(nowMs),
        ...(reason === undefined ? {} : { reason }),
        ...(message === undefined ? {} : { message }),
      } as unknown as V1PodCondition;
    }),
  ];
}
