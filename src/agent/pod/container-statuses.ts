/** One container's status from what the runtime has, why it waits and what its probes say. Pure. */
import { formatTime } from "#lib/clock.ts";
import type { Pod } from "#api/core/pod.ts";
import type {
  V1Container,
  V1ContainerState,
  V1ContainerStateTerminated,
  V1ContainerStatus,
  V1PodStatus,
  V1ResourceRequirements,
  V1VolumeMountStatus,
} from "#api/generated/types.ts";
import { afterExit, containersOf, findContainer, type ContainerKind, type PodContainer } from "./containers-of.ts";
import type { ObservedContainer } from "./observation.ts";
import type { ProbeVerdict, WaitReason } from "./plan-pod.ts";

export interface ContainerStatusInput {
  readonly pod: Pod;
  /** The pod with the cpu and memory that it was given, and with what its containers have; as it asks when left out. */
  readonly allocated?: Pod;
  readonly actual?: Pod;
  /** Newest first. */
  readonly containers: readonly ObservedContainer[];
  readonly waits: ReadonlyMap<string, WaitReason>;
  /** Containers that were removed so that all of them run anew. */
  readonly replaced: ReadonlySet<string>;
  readonly probeOf: (container: ObservedContainer) => ProbeVerdict;
  /** Nothing will be started again. */
  readonly terminal: boolean;
}

export type ContainerStatuses = Pick<
  V1PodStatus,
  "initContainerStatuses" | "containerStatuses" | "ephemeralContainerStatuses"
>;

/** What the containers of a pod may leave as their last words together: each has an even share. */
const messagesBytesMax = 12 * 1024;

/** Init statuses are in the order of the spec, the others by name. */
export function containerStatusesOf(seen: ContainerStatusInput): ContainerStatuses {
  const all = containersOf(seen.pod);
  const share = Math.floor(messagesBytesMax / all.length);
  const input = { ...seen, containers: seen.containers.map((container) => withMessageOf(container, share)) };
  const of = (...kinds: ContainerKind[]): V1ContainerStatus[] =>
    all.filter(({ kind }) => kinds.includes(kind)).map((container) => containerStatus(input, container));
  const byName = (a: V1ContainerStatus, b: V1ContainerStatus): number => (a.name < b.name ? -1 : 1);
  const init = of("init", "sidecar");
  const ephemeral = of("ephemeral").toSorted(byName);
  return {
    ...(init.length === 0 ? {} : { initContainerStatuses: init }),
    containerStatuses: of("main").toSorted(byName),
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
  };
}

function withMessageOf(container: ObservedContainer, bytesMax: number): ObservedContainer {
  if (container.message.length * 3 <= bytesMax) return container;
  const bytes = Buffer.from(container.message);
  return bytes.length <= bytesMax ? container : { ...container, message: bytes.toString("utf8", 0, bytesMax) };
}

function containerStatus(input: ContainerStatusInput, container: PodContainer): V1ContainerStatus {
  const { spec, kind } = container;
  const [latest, previous] = input.containers.filter(({ name }) => name === spec.name);
  const old = oldStatus(input.pod.status, spec.name);
  const shown = stateOf(input, container, latest, previous, old);
  const verdict = latest === undefined ? undefined : input.probeOf(latest);
  const running = shown.state.running !== undefined;
  const started = running && (kind === "init" || verdict?.started === true);
  const ready = kind === "init" ? shown.state.terminated?.exitCode === 0 : started && verdict?.ready === true;
  const restartCount = latest?.attempt ?? old?.restartCount ?? 0;
  const given = resourcesOf(input.allocated, spec)?.requests;
  const { requests, limits } = resourcesOf(input.actual, spec) ?? {};
  const mounts = mountStatuses(spec);
  return {
    name: spec.name,
    state: shown.state,
    lastState: shown.lastState,
    ready: kind !== "ephemeral" && ready,
    restartCount,
    image: imageName(latest, spec),
    imageID: latest?.imageRef ?? "",
    ...(latest === undefined ? {} : { containerID: `containerd://${latest.id}` }),
    ...(kind === "ephemeral" ? {} : { started }),
    ...(latest === undefined || isEmpty(given) ? {} : { allocatedResources: { ...given } }),
    ...(latest === undefined
      ? {}
      : { resources: { ...(isEmpty(limits) ? {} : { limits }), ...(isEmpty(requests) ? {} : { requests }) } }),
    ...(mounts.length === 0 ? {} : { volumeMounts: mounts }),
  };
}

const resourcesOf = (pod: Pod | undefined, spec: V1Container): V1ResourceRequirements | undefined =>
  (pod === undefined ? spec : (findContainer(pod, spec.name)?.spec ?? spec)).resources;

const isEmpty = (list: Record<string, string> | undefined): boolean =>
  list === undefined || Object.keys(list).length === 0;

const imageName = (latest: ObservedContainer | undefined, spec: V1Container): string =>
  latest === undefined || latest.image === "" ? (spec.image ?? "") : latest.image;

function stateOf(
  input: ContainerStatusInput,
  container: PodContainer,
  latest: ObservedContainer | undefined,
  previous: ObservedContainer | undefined,
  old: V1ContainerStatus | undefined,
): { state: V1ContainerState; lastState: V1ContainerState } {
  const { pod, waits, replaced } = input;
  const { name } = container.spec;
  const wait = waits.get(name);
  const hasInit = (pod.spec?.initContainers ?? []).length > 0;
  const waiting: V1ContainerState = {
    waiting:
      wait === undefined
        ? { reason: hasInit ? "PodInitializing" : "ContainerCreating" }
        : { reason: wait.reason, ...(wait.message === "" ? {} : { message: wait.message }) },
  };
  if (latest === undefined && input.terminal && container.kind === "main" && wasInitialized(pod))
    return { state: lostState, lastState: lastOf(old) };
  if (latest === undefined) return { state: waiting, lastState: replaced.has(name) ? removedState : lastOf(old) };
  const lastState =
    previous !== undefined
      ? { terminated: terminated(previous) }
      : replaced.has(name)
        ? removedState
        : keptLast(old, latest);
  if (latest.state === "running") return { state: { running: { startedAt: time(latest.startedAtMs) } }, lastState };
  if (latest.state === "created") return { state: waiting, lastState };
  const ended: V1ContainerState = { terminated: terminated(latest) };
  const again = !input.terminal && afterExit(pod, container, latest.exitCode) !== "stay";
  return again && wait !== undefined ? { state: waiting, lastState: ended } : { state: ended, lastState };
}

/** A container of a pod that ended before it could run it. Upstream: status_manager.go TerminatePod. */
const lostState = {
  terminated: {
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message: "The container could not be located when the pod was terminated",
    startedAt: null,
    finishedAt: null,
  },
} as unknown as V1ContainerState;

function wasInitialized({ spec, status }: Pod): boolean {
  if ((spec?.initContainers ?? []).length === 0) return true;
  return status?.conditions?.some(({ type, status: value }) => type === "Initialized" && value === "True") === true;
}

/** The runtime no longer has the run before: what the status said of it stays. */
function keptLast(old: V1ContainerStatus | undefined, latest: ObservedContainer): V1ContainerState {
  if (old === undefined || latest.attempt === 0) return {};
  return old.restartCount === latest.attempt ? (old.lastState ?? {}) : lastOf(old);
}

function lastOf(old: V1ContainerStatus | undefined): V1ContainerState {
  return old?.state?.terminated === undefined ? (old?.lastState ?? {}) : { terminated: old.state.terminated };
}

export const removedReason = "RestartingAllContainers";

/** Upstream says so of containers that RestartAllContainers removed; their times are null there. */
const removedState = {
  terminated: {
    exitCode: 137,
    reason: removedReason,
    message: "The container is removed because RestartAllContainers in place",
    startedAt: null,
    finishedAt: null,
  },
} as unknown as V1ContainerState;

function terminated(container: ObservedContainer): V1ContainerStateTerminated {
  const { exitCode, reason, message, startedAtMs, finishedAtMs, id } = container;
  return {
    exitCode,
    reason: reason === "" ? (exitCode === 0 ? "Completed" : "Error") : reason,
    ...(message === "" ? {} : { message }),
    startedAt: time(startedAtMs),
    finishedAt: time(finishedAtMs),
    containerID: `containerd://${id}`,
  };
}

const time = (ms: number): string => formatTime(Math.max(0, ms));

export function oldStatus(status: V1PodStatus | undefined, name: string): V1ContainerStatus | undefined {
  const { initContainerStatuses = [], containerStatuses = [], ephemeralContainerStatuses = [] } = status ?? {};
  return [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses].find(
    (one) => one.name === name,
  );
}

function mountStatuses({ volumeMounts = [] }: V1Container): V1VolumeMountStatus[] {
  return volumeMounts.map(({ name, mountPath, readOnly, recursiveReadOnly }) => ({
    name,
    mountPath,
    ...(readOnly === true
      ? { readOnly, recursiveReadOnly: recursiveReadOnly === "Enabled" ? "Enabled" : "Disabled" }
      : {}),
  }));
}
