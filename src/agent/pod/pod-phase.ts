/** A pod's phase and conditions from the statuses of its containers. Upstream: kubelet_pods.go getPhase, status/generate.go. */
import type { Pod } from "#api/core/pod.ts";
import type { V1ContainerState, V1ContainerStatus, V1PodCondition } from "#api/generated/types.ts";
import { removedReason } from "./container-statuses.ts";
import { afterExit, containersOf, type PodContainer } from "./containers-of.ts";

export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed";

type Statuses = ReadonlyMap<string, V1ContainerStatus>;

/** `terminal`: nothing will be started again, whatever the restart policy says. */
export function podPhase(pod: Pod, statuses: Statuses, terminal: boolean): PodPhase {
  const all = containersOf(pod);
  const of = (kind: PodContainer["kind"]): PodContainer[] => all.filter((container) => container.kind === kind);
  const init = countInit(pod, of("init"), statuses);
  const main = countMain(of("main"), statuses);
  const side = countSidecars(of("sidecar"), statuses);
  if (init.failedForGood > 0) return "Failed";
  const begun = of("main").some(({ spec }) => hasStarted(statuses.get(spec.name)));
  if (init.pending > 0 || init.failed > 0 || (!begun && side.pending > 0)) return "Pending";
  if (main.waiting > 0 || side.waiting > 0) return "Pending";
  const running = main.running + side.running;
  if (main.unknown > 0) return "Pending";
  if (running > 0) return "Running";
  if (main.stopped === 0) return "Pending";
  if (!terminal && of("main").some((container) => restarts(pod, container, statuses))) return "Running";
  return main.stopped === main.succeeded ? "Succeeded" : "Failed";
}

/** Containers that were removed so that all of them run anew did not end by themselves. */
function ownEnd(state: V1ContainerState | undefined): V1ContainerState["terminated"] {
  return state?.terminated?.reason === removedReason ? undefined : state?.terminated;
}

function countInit(pod: Pod, containers: readonly PodContainer[], statuses: Statuses) {
  const counts = { pending: 0, failed: 0, failedForGood: 0 };
  for (const container of containers) {
    const { state, lastState } = statuses.get(container.spec.name) ?? {};
    const ended = state?.terminated ?? (state?.waiting === undefined ? undefined : ownEnd(lastState));
    if (ended === undefined) counts.pending += 1;
    else if (ended.exitCode !== 0) {
      counts.failed += 1;
      if (afterExit(pod, container, ended.exitCode) === "stay") counts.failedForGood += 1;
    }
  }
  return counts;
}

function countMain(containers: readonly PodContainer[], statuses: Statuses) {
  const counts = { running: 0, waiting: 0, stopped: 0, succeeded: 0, unknown: 0 };
  for (const { spec } of containers) {
    const { state, lastState } = statuses.get(spec.name) ?? {};
    if (state?.running !== undefined) counts.running += 1;
    else if (state?.terminated !== undefined) {
      counts.stopped += 1;
      if (state.terminated.exitCode === 0) counts.succeeded += 1;
    } else if (state?.waiting === undefined) counts.unknown += 1;
    else if (ownEnd(lastState) === undefined) counts.waiting += 1;
    else counts.stopped += 1;
  }
  return counts;
}

function countSidecars(containers: readonly PodContainer[], statuses: Statuses) {
  const counts = { running: 0, pending: 0, waiting: 0 };
  for (const { spec } of containers) {
    const { state, lastState, started } = statuses.get(spec.name) ?? {};
    if (state?.running !== undefined) {
      counts.running += 1;
      if (started !== true) counts.pending += 1;
    } else if (state?.terminated === undefined && lastState?.terminated === undefined) {
      counts.pending += 1;
      counts.waiting += 1;
    }
  }
  return counts;
}

function hasStarted(status: V1ContainerStatus | undefined): boolean {
  const { state, lastState } = status ?? {};
  return state?.running !== undefined || state?.terminated !== undefined || lastState?.terminated !== undefined;
}

function restarts(pod: Pod, container: PodContainer, statuses: Statuses): boolean {
  const { state, lastState } = statuses.get(container.spec.name) ?? {};
  const ended = state?.terminated ?? lastState?.terminated;
  return ended !== undefined && afterExit(pod, container, ended.exitCode) !== "stay";
}

export interface ConditionInput {
  readonly pod: Pod;
  readonly statuses: Statuses;
  readonly phase: PodPhase;
  readonly sandboxReady: boolean;
  /** Undefined: this pod never restarted all its containers. */
  readonly restartingAll: boolean | undefined;
}

type Verdict = Omit<V1PodCondition, "type" | "lastProbeTime" | "lastTransitionTime">;

/** What the agent itself says of a pod; conditions of others are not its to change. */
export function agentConditions(input: ConditionInput): (Verdict & { type: string })[] {
  const containersReady = containersReadyOf(input);
  const observed = input.pod.metadata.generation;
  const generation = observed === undefined ? {} : { observedGeneration: observed };
  const conditions: (Verdict & { type: string })[] = [
    { type: "PodReadyToStartContainers", ...generation, status: truth(input.sandboxReady) },
    { type: "Initialized", ...generation, ...initializedOf(input) },
    { type: "Ready", ...generation, ...readyOf(input, containersReady) },
    { type: "ContainersReady", ...generation, ...containersReady },
    { type: "PodScheduled", ...generation, status: "True" },
  ];
  if (input.restartingAll !== undefined)
    conditions.push({ type: "AllContainersRestarting", status: truth(input.restartingAll) });
  return conditions;
}

const truth = (value: boolean): string => (value ? "True" : "False");
const list = (names: readonly string[]): string => `[${names.join(" ")}]`;

function initializedOf({ pod, statuses, phase }: ConditionInput): Verdict {
  const all = containersOf(pod);
  const incomplete = all.filter(({ kind, spec }) => {
    const status = statuses.get(spec.name);
    if (kind === "sidecar") return status?.started !== true;
    return kind === "init" && status?.ready !== true;
  });
  if (phase === "Succeeded") return { status: "True", reason: "PodCompleted" };
  const begun = all.some(({ kind, spec }) => kind === "main" && hasStarted(statuses.get(spec.name)));
  if (incomplete.length === 0 || begun) return { status: "True" };
  const message = `containers with incomplete status: ${list(incomplete.map(({ spec }) => spec.name))}`;
  return { status: "False", reason: "ContainersNotInitialized", message };
}

function containersReadyOf({ pod, statuses, phase }: ConditionInput): Verdict {
  if (phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  const unready = containersOf(pod)
    .filter(({ kind }) => kind === "main" || kind === "sidecar")
    .filter(({ spec }) => statuses.get(spec.name)?.ready !== true)
    .map(({ spec }) => spec.name);
  if (unready.length === 0) return { status: "True" };
  return {
    status: "False",
    reason: "ContainersNotReady",
    message: `containers with unready status: ${list(unready)}`,
  };
}

function readyOf({ pod }: ConditionInput, containersReady: Verdict): Verdict {
  if (containersReady.status !== "True") return containersReady;
  const messages = (pod.spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const found = pod.status?.conditions?.find(({ type }) => type === conditionType);
    if (found === undefined)
      return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (found.status === "True") return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${found.status}`];
  });
  if (messages.length === 0) return { status: "True" };
  return { status: "False", reason: "ReadinessGatesNotReady", message: messages.join(", ") };
}
