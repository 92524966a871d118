/**
 * What to do next for one pod. Pure: the wished pod, what the runtime has, probe results and the time go in, actions come
 * out; what is under way already is not asked for twice. Upstream: pkg/kubelet/kuberuntime computePodActions.
 */
import type { Pod } from "#api/core/pod.ts";
import {
  afterExit,
  containerHash,
  containersOf,
  gracePeriodSeconds,
  podTitle,
  type PodContainer,
} from "./containers-of.ts";
import { durationText } from "#api/duration.ts";
import { decideRestart, type RestartRecord } from "./crash-back-off.ts";
import type { ContainerResize } from "./resize.ts";
import { isAlive, latestOf, readySandbox, type ObservedContainer, type PodObservation } from "./observation.ts";

/** Why a container is not running: shown as state.waiting. */
export interface WaitReason {
  readonly reason: string;
  readonly message: string;
  /** Not tried again before. */
  readonly untilMs: number;
}

export interface ProbeVerdict {
  /** False until the startup probe has succeeded. */
  readonly started: boolean;
  readonly ready: boolean;
  /** The probe that wants this container ended. */
  readonly failed?: { readonly probe: "liveness" | "startup"; readonly graceSeconds?: number | undefined } | undefined;
}

/** The pod is to end, whatever its restart policy says. */
export interface Ending {
  readonly graceSeconds: number;
}

export interface PodPlanInput {
  readonly pod: Pod;
  readonly observation: PodObservation;
  readonly ending: Ending | undefined;
  readonly probeOf: (container: ObservedContainer) => ProbeVerdict;
  readonly waits: ReadonlyMap<string, WaitReason>;
  readonly restarts: ReadonlyMap<string, RestartRecord>;
  /** How often each container was made already, where the runtime no longer knows. */
  readonly attempts: ReadonlyMap<string, number>;
  readonly volumesReady: boolean;
  /** What running containers need to have the cpu and memory that they were given, by name. */
  readonly resizes?: ReadonlyMap<string, ContainerResize>;
  /** Some of it can be done while they run. */
  readonly resizeDue?: boolean;
  /** Keys of actions under way. */
  readonly busy: ReadonlySet<string>;
  /** Something failed: nothing is tried again before. */
  readonly holdUntilMs: number;
  readonly nowMs: number;
}

export type PodAction =
  | { readonly do: "set-up-volumes"; readonly key: "volumes" }
  | { readonly do: "run-sandbox"; readonly key: "sandbox"; readonly attempt: number; readonly changed: boolean }
  | { readonly do: "stop-sandbox"; readonly key: "sandbox"; readonly id: string }
  | {
      readonly do: "start";
      readonly key: "start";
      readonly container: PodContainer;
      readonly attempt: number;
      readonly record?: RestartRecord;
    }
  | {
      readonly do: "kill";
      readonly key: string;
      readonly container: ObservedContainer;
      readonly graceSeconds: number;
      readonly message: string;
      /** Ends only after these have. */
      readonly after: readonly string[];
    }
  | { readonly do: "remove"; readonly key: string; readonly container: ObservedContainer; readonly replaced: boolean }
  | { readonly do: "resize"; readonly key: "resize" }
  | { readonly do: "wait"; readonly name: string; readonly wait: WaitReason }
  | { readonly do: "wake"; readonly atMs: number };

export interface PodPlan {
  readonly actions: readonly PodAction[];
  /** Every container has ended for good, and nothing is left to start. */
  readonly terminal: boolean;
  /** All that the runtime had is stopped. */
  readonly stopped: boolean;
}

export function planPod(input: PodPlanInput): PodPlan {
  const { pod, ending, holdUntilMs, nowMs } = input;
  if (holdUntilMs > nowMs) return { actions: [{ do: "wake", atMs: holdUntilMs }], terminal: false, stopped: false };
  if (ending !== undefined) return end(input, ending.graceSeconds);
  if (isFinished(input)) return end(input, gracePeriodSeconds(pod));
  const actions = [...begin(input), ...prune(input)];
  return { actions: actions.filter((action) => !isBusy(input, action)), terminal: false, stopped: false };
}

const isBusy = ({ busy }: PodPlanInput, action: PodAction): boolean => "key" in action && busy.has(action.key);

/** No container runs and none will be started again: whether the pod did its work, or failed, says the status. */
function isFinished({ pod, observation, busy }: PodPlanInput): boolean {
  if (busy.has("start")) return false;
  const all = containersOf(pod);
  for (const container of all) {
    const latest = latestOf(observation, container.spec.name);
    if (container.kind === "init" && latest?.state === "exited" && latest.exitCode !== 0) {
      if (afterExit(pod, container, latest.exitCode) === "stay") return true;
    }
  }
  const main = all.filter(({ kind }) => kind === "main");
  if (lostForGood(pod, observation, main)) return true;
  return main.every((container) => {
    const latest = latestOf(observation, container.spec.name);
    return latest?.state === "exited" && afterExit(pod, container, latest.exitCode) === "stay";
  });
}

/** Its sandbox died, and a pod whose containers are not to run twice is not begun anew. */
function lostForGood(pod: Pod, observation: PodObservation, main: readonly PodContainer[]): boolean {
  if (readySandbox(observation) !== undefined || observation.sandboxes.length === 0) return false;
  if (pod.spec?.restartPolicy !== "Never" || observation.containers.length === 0) return false;
  return main.every((container) => afterExit(pod, container, killedCode) === "stay");
}

const killedCode = 137;

/** Volumes, then the sandbox, then init containers and sidecars in order, then the rest. */
function begin(input: PodPlanInput): PodAction[] {
  const { observation, volumesReady } = input;
  const sandbox = readySandbox(observation);
  if (!volumesReady) return [{ do: "set-up-volumes", key: "volumes" }];
  if (sandbox === undefined) return replaceSandbox(input);
  const replaced = restartAll(input);
  if (replaced !== undefined) return replaced;
  const orphans = observation.containers
    .filter((container) => isAlive(container) && container.sandboxId !== sandbox.id)
    .map((container) => kill(input, container, gracePeriodSeconds(input.pod), "its sandbox is gone"));
  return [...orphans, ...keepRunning(input)];
}

/** What runs in a sandbox that died is ended first. */
function replaceSandbox(input: PodPlanInput): PodAction[] {
  const { observation, pod } = input;
  const alive = observation.containers.filter(isAlive);
  if (alive.length > 0)
    return alive.map((container) => kill(input, container, gracePeriodSeconds(pod), "its sandbox changed"));
  const former = observation.sandboxes[0];
  const attempt = former === undefined ? 0 : former.attempt + 1;
  return [{ do: "run-sandbox", key: "sandbox", attempt, changed: former !== undefined }];
}

function keepRunning(input: PodPlanInput): PodAction[] {
  const { pod, observation } = input;
  const all = containersOf(pod);
  const sandboxId = readySandbox(observation)?.id;
  const hasRun = all.some(({ kind, spec }) => {
    const latest = latestOf(observation, spec.name);
    return kind === "main" && latest !== undefined && latest.sandboxId === sandboxId;
  });
  const actions: PodAction[] = input.resizeDue === true ? [{ do: "resize", key: "resize" }] : [];
  for (const container of all.filter(({ kind }) => kind === "init" || kind === "sidecar")) {
    if (container.kind === "init" && hasRun) continue;
    const { next, blocks } = keepInit(input, container, sandboxId);
    actions.push(...next);
    if (blocks && !hasRun) return oneStart(actions);
  }
  for (const container of all.filter(({ kind }) => kind === "main")) actions.push(...keepMain(input, container));
  for (const container of all.filter(({ kind }) => kind === "ephemeral"))
    if (latestOf(observation, container.spec.name) === undefined) actions.push(...start(input, container, undefined));
  return oneStart(actions);
}

function keepInit(
  input: PodPlanInput,
  container: PodContainer,
  sandboxId: string | undefined,
): { next: PodAction[]; blocks: boolean } {
  const latest = latestOf(input.observation, container.spec.name);
  if (latest === undefined || latest.sandboxId !== sandboxId)
    return { next: start(input, container, undefined), blocks: true };
  if (isAlive(latest)) {
    const next = watchOver(input, container, latest);
    const blocks = container.kind === "init" || !input.probeOf(latest).started || latest.state !== "running";
    return { next, blocks };
  }
  if (container.kind === "init" && latest.state === "exited" && latest.exitCode === 0)
    return { next: [], blocks: false };
  return { next: start(input, container, latest), blocks: true };
}

function keepMain(input: PodPlanInput, container: PodContainer): PodAction[] {
  const latest = latestOf(input.observation, container.spec.name);
  if (latest === undefined) return start(input, container, undefined);
  if (isAlive(latest)) return watchOver(input, container, latest);
  if (afterExit(input.pod, container, latest.exitCode) === "restart") return start(input, container, latest);
  return [];
}

/** A running container is ended when a probe or a new definition says so; the exit then starts it again. */
function watchOver(input: PodPlanInput, container: PodContainer, latest: ObservedContainer): PodAction[] {
  const { spec } = container;
  const grace = gracePeriodSeconds(input.pod);
  if (latest.hash !== containerHash(spec))
    return [kill(input, latest, grace, `Container ${spec.name} definition changed, will be restarted`)];
  if (input.resizes?.get(spec.name) === "restart" && latest.state === "running")
    return [kill(input, latest, grace, `Container ${spec.name} resize requires restart`)];
  const { failed } = input.probeOf(latest);
  if (failed === undefined) return [];
  return [kill(input, latest, failed.graceSeconds ?? grace, failedProbeText(input.pod, container, failed.probe))];
}

function failedProbeText(pod: Pod, { kind, spec }: PodContainer, probe: string): string {
  if (kind === "sidecar") return `Init container ${spec.name} failed ${probe} probe`;
  const policy = spec.restartPolicy ?? pod.spec?.restartPolicy ?? "Always";
  return `Container ${spec.name} failed ${probe} probe${policy === "Never" ? "" : ", will be restarted"}`;
}

function start(input: PodPlanInput, container: PodContainer, latest: ObservedContainer | undefined): PodAction[] {
  const { waits, restarts, attempts, nowMs, pod } = input;
  const { name } = container.spec;
  const wait = waits.get(name);
  if (wait !== undefined && wait.untilMs > nowMs) return [{ do: "wake", atMs: wait.untilMs }];
  const attempt = Math.max(
    attempts.get(name) ?? 0,
    ...input.observation.containers.filter((one) => one.name === name).map((one) => one.attempt + 1),
  );
  if (latest === undefined) return [{ do: "start", key: "start", container, attempt }];
  const decision = decideRestart(latest, restarts.get(name), nowMs);
  if (decision.start) return [{ do: "start", key: "start", container, attempt, record: decision.record }];
  const message = `back-off ${durationText(decision.delayMs)} restarting failed container=${name} pod=${podTitle(pod)}`;
  return [
    { do: "wait", name, wait: { reason: "CrashLoopBackOff", message, untilMs: decision.untilMs } },
    { do: "wake", atMs: decision.untilMs },
  ];
}

/** Containers start one after the other; the next plan has the next. */
function oneStart(actions: readonly PodAction[]): PodAction[] {
  const first = actions.find((action) => action.do === "start");
  return actions.filter((action) => action.do !== "start" || action === first);
}

/**
 * A container's exit asks for a new run of all of them: end what runs, remove all, and the pod begins anew. Invariant: those
 * that ask go last, so that nothing starts while any of the others is still there.
 */
function restartAll(input: PodPlanInput): PodAction[] | undefined {
  const { pod, observation } = input;
  const asking = containersOf(pod).flatMap((container) => {
    const latest = latestOf(observation, container.spec.name);
    const asks = latest?.state === "exited" && afterExit(pod, container, latest.exitCode) === "restart-all";
    return asks ? [latest] : [];
  });
  if (asking.length === 0) return undefined;
  // One that is just being made is ended too, once it is there.
  if (input.busy.has("start")) return [];
  const alive = observation.containers.filter(isAlive);
  if (alive.length > 0) return alive.map((container) => kill(input, container, 0, "all containers restart"));
  const others = observation.containers.filter((container) => !asking.includes(container));
  return (others.length > 0 ? others : asking).map((container) => ({
    do: "remove",
    key: `remove:${container.id}`,
    container,
    replaced: true,
  }));
}

/** Of each container the last two runs stay: the status shows both, and their logs can be read. */
function prune({ observation }: PodPlanInput): PodAction[] {
  const seen = new Map<string, number>();
  const actions: PodAction[] = [];
  for (const container of observation.containers) {
    const count = (seen.get(container.name) ?? 0) + 1;
    seen.set(container.name, count);
    if (count > keptRunsMax && !isAlive(container))
      actions.push({ do: "remove", key: `remove:${container.id}`, container, replaced: false });
  }
  return actions;
}

const keptRunsMax = 2;

function kill(
  _input: PodPlanInput,
  container: ObservedContainer,
  graceSeconds: number,
  message: string,
  after: readonly string[] = [],
): PodAction {
  return { do: "kill", key: `kill:${container.id}`, container, graceSeconds, message, after };
}

/** Main containers end at once, then the sidecars, the last one first; then the sandbox. */
function end(input: PodPlanInput, graceSeconds: number): PodPlan {
  const { pod, observation, busy } = input;
  const alive = observation.containers.filter(isAlive);
  const sidecars = containersOf(pod)
    .filter(({ kind }) => kind === "sidecar")
    .map(({ spec }) => spec.name);
  const actions: PodAction[] = alive.map((container) => {
    const place = sidecars.indexOf(container.name);
    const later = alive.filter((other) => {
      const otherPlace = sidecars.indexOf(other.name);
      return otherPlace < 0 || otherPlace > place;
    });
    const after = place < 0 ? [] : later.map(({ id }) => id).filter((id) => id !== container.id);
    return kill(input, container, graceSeconds, `Stopping container ${container.name}`, after);
  });
  const waiting = busy.has("sandbox") || busy.has("start") || busy.has("volumes");
  const terminal = alive.length === 0 && !busy.has("start");
  const sandbox = readySandbox(observation);
  if (terminal && sandbox !== undefined) actions.push({ do: "stop-sandbox", key: "sandbox", id: sandbox.id });
  return {
    actions: actions.filter((action) => !isBusy(input, action)),
    terminal,
    stopped: terminal && sandbox === undefined && !waiting,
  };
}
