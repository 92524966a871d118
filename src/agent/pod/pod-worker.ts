/**
 * Drives one pod: looks, plans, carries out, looks again. All that it knows can be read from the runtime and the API again;
 * several actions may be under way, each under its key. Nothing here decides: plan-pod.ts does.
 */
import { backoffMs } from "#lib/backoff.ts";
import { timerMsMax } from "#lib/sleep.ts";
import type { Pod } from "#api/core/pod.ts";
import { isUnavailable } from "#agent/runtime/grpc-connection.ts";
import { ContainerKiller } from "./container-killer.ts";
import { findContainer, gracePeriodSeconds, podTitle, type PodContainer } from "./containers-of.ts";
import type { RestartRecord } from "./crash-back-off.ts";
import {
  isAlive,
  latestOf,
  nothingObserved,
  readySandbox,
  type ObservedContainer,
  type PodObservation,
} from "./observation.ts";
import { MountedVolumes } from "./mounted-volumes.ts";
import { newestFirst, observeContainer, observePod, observeSandbox } from "./observe.ts";
import { planPod, type Ending, type PodAction, type ProbeVerdict, type WaitReason } from "./plan-pod.ts";
import type { PodContext } from "./pod-context.ts";
import { PodProbes } from "./pod-probes.ts";
import { PodResizer } from "./pod-resizer.ts";
import { podStatus, type PodFailure } from "./pod-status.ts";
import type { ProbeTarget } from "./probe.ts";
import type { ResizeRefusal } from "./resize.ts";
import { runtimeHandler, sandboxConfig } from "./sandbox.ts";
import { startContainer } from "./start-container.ts";
import type { StatusWriter } from "./status-writer.ts";

export interface PodWorkerOptions {
  readonly context: PodContext;
  readonly statuses: StatusWriter;
  /** Whether the node has no room for what a pod of it newly asks for. */
  refusesResize(pod: Pod): ResizeRefusal | undefined;
  /** The pod is over and nothing of it runs: the API may forget it. */
  finished(pod: Pod): void;
}

const retry = { initialMs: 500, limitMs: 122_000 };
/** How soon the runtime's own status shows an exit that its events told. */
const exitSeenMs = { initialMs: 3, limitMs: 500 };
const exitLooksMax = 20;
const evictionGraceSeconds = 1;
/** How often a resize that was refused is asked for again. */
const resizeRetryMs = 3_000;
const deadlineFailure: PodFailure = {
  reason: "DeadlineExceeded",
  message: "Pod was active on the node longer than the specified deadline",
};

export class PodWorker {
  readonly #context: PodContext;
  readonly #options: PodWorkerOptions;
  readonly #killer: ContainerKiller;
  readonly #resizer: PodResizer;
  #pod: Pod;
  #observation: PodObservation = nothingObserved;
  #waits = new Map<string, WaitReason>();
  #restarts = new Map<string, RestartRecord>();
  #attempts = new Map<string, number>();
  #replaced = new Set<string>();
  #restartingAll: boolean | undefined;
  readonly #probes: PodProbes;
  readonly #volumes: MountedVolumes;
  readonly #busy = new Set<string>();
  /** Containers that were made but are not observed yet. */
  readonly #own = new Set<string>();
  readonly #endWaiters = new Map<string, Set<() => void>>();
  #failures = 0;
  #holdUntilMs = 0;
  #failure: PodFailure | undefined;
  #evicted = false;
  /** The API has forgotten the pod. */
  #removed = false;
  #tornDown = false;
  #stopped = false;
  #scheduled = false;
  #timer: NodeJS.Timeout | undefined;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #looked = false;

  constructor(pod: Pod, options: PodWorkerOptions) {
    this.#pod = pod;
    this.#options = options;
    this.#context = options.context;
    this.#killer = new ContainerKiller(options.context, (reason, message) =>
      this.#event(undefined, "Warning", reason, message),
    );
    this.#volumes = new MountedVolumes(options.context, () => this.wake());
    this.#probes = new PodProbes({
      context: options.context,
      changed: () => this.wake(),
      tell: (container, reason, message) => this.#event(container, "Warning", reason, message),
    });
    this.#resizer = new PodResizer(pod, {
      context: options.context,
      refuses: (wished) => options.refusesResize(wished),
      event: (type, reason, message) => this.#event(undefined, type, reason, message),
    });
    if (pod.status?.reason === deadlineFailure.reason) this.#failure = deadlineFailure;
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** With the cpu and memory that it was given. */
  get allocatedPod(): Pod {
    return this.#resizer.allocated(this.#pod);
  }

  get observation(): PodObservation {
    return this.#observation;
  }

  /** Over, and all that it had is gone. */
  get isGone(): boolean {
    return this.#tornDown;
  }

  /** The newest that the API says. Refreshes what of it containers see in files. */
  update(pod: Pod): void {
    const before = this.#pod;
    this.#pod = pod;
    if (before.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp) this.#holdUntilMs = 0;
    const { labels, annotations } = pod.metadata;
    if (before.metadata.labels !== labels || before.metadata.annotations !== annotations) this.refreshVolumes();
    this.wake();
  }

  /** An object that the pod refers to is new or different. */
  refreshVolumes(): void {
    this.#volumes.age();
    this.#holdUntilMs = 0;
    for (const [name, wait] of this.#waits)
      if (wait.reason === "CreateContainerConfigError") this.#waits.set(name, { ...wait, untilMs: 0 });
    this.wake();
  }

  remove(): void {
    this.#removed = true;
    this.#holdUntilMs = 0;
    this.wake();
  }

  /** The node takes back what the pod has too much of. */
  evict(failure: PodFailure): void {
    if (this.#failure !== undefined || this.#ending() !== undefined) return;
    this.#failure = failure;
    this.#evicted = true;
    this.#event(undefined, "Warning", failure.reason, failure.message);
    this.wake();
  }

  /** Lets go of the pod without touching it: its containers go on. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#probes.stop();
    this.#volumes.stop();
  }

  wake(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      void this.#step().catch((error: unknown) => this.#stumble("step", error));
    });
  }

  /** Something of this pod changed in the runtime. */
  async changed(containerId: string): Promise<void> {
    const isSandbox = this.#observation.sandboxes.some(({ id }) => id === containerId);
    if (isSandbox) await this.#lookAtSandbox(containerId);
    else await this.#lookUntilEnded(containerId);
    this.wake();
  }

  owns(containerId: string): boolean {
    const { sandboxes, containers } = this.#observation;
    return (
      this.#own.has(containerId) ||
      sandboxes.some(({ id }) => id === containerId) ||
      containers.some(({ id }) => id === containerId)
    );
  }

  /** Whether a container's first start is under way or about to be: nobody knows yet how it will turn out. */
  isStarting(container: string): boolean {
    if (!this.#looked) return true;
    const { containers } = this.#observation;
    const latest = latestOf(this.#observation, container);
    if (latest !== undefined) return latest.state === "created" && this.#busy.has("start");
    const held = this.#failures > 0 || containers.some(isAlive) || this.#ending() !== undefined;
    return !held && this.#waits.size === 0;
  }

  waitOf(container: string): WaitReason | undefined {
    return this.#waits.get(container);
  }

  /** Resolves when a container no longer runs, or when `signal` fires. */
  async whenEnded(id: string, signal: AbortSignal): Promise<void> {
    if (!this.#observation.containers.some((container) => container.id === id && isAlive(container))) return;
    await new Promise<void>((resolve) => {
      const waiters = this.#endWaiters.get(id) ?? new Set();
      this.#endWaiters.set(id, waiters);
      waiters.add(resolve);
      signal.addEventListener(
        "abort",
        () => {
          waiters.delete(resolve);
          resolve();
        },
        { once: true },
      );
    });
  }

  /** Whether what runs, by ids, is not what this worker saw last. Says nothing while it acts. */
  differsFrom(alive: ReadonlySet<string>): boolean {
    if (this.#busy.size > 0) return false;
    const { sandboxes, containers } = this.#observation;
    return (
      sandboxes.some(({ id, ready }) => ready !== alive.has(id)) ||
      containers.some((container) => (container.state === "running") !== alive.has(container.id))
    );
  }

  /** Looks at everything: at the start of the agent, and as a net below missed events. */
  async relist(): Promise<void> {
    const { runtime, paths } = this.#context;
    const seen = await observePod(runtime, paths, this.#pod.metadata.uid ?? "", this.#observation);
    this.#observation = seen;
    this.#looked = true;
    this.wake();
  }

  /** A new pod has nothing in the runtime: no need to ask. */
  begin(): void {
    this.#looked = true;
    this.wake();
  }

  // --- looking

  async #lookAtSandbox(id: string): Promise<void> {
    for (let look = 1; look <= exitLooksMax; look += 1) {
      const seen = await observeSandbox(this.#context.runtime, id);
      const others = this.#observation.sandboxes.filter((sandbox) => sandbox.id !== id);
      const sandboxes = newestFirst(seen === undefined ? others : [...others, seen]);
      this.#observation = { ...this.#observation, sandboxes };
      if (seen?.ready !== true) return;
      await pause(backoffMs(look, exitSeenMs));
    }
  }

  /** The event comes before the runtime's own record of it. */
  async #lookUntilEnded(id: string): Promise<void> {
    for (let look = 1; look <= exitLooksMax; look += 1) {
      const seen = await this.#look(id);
      if (seen === undefined || !isAlive(seen)) return;
      await pause(backoffMs(look, exitSeenMs));
    }
  }

  async #look(id: string): Promise<ObservedContainer | undefined> {
    const { runtime, paths } = this.#context;
    const known = this.#observation.containers.find((container) => container.id === id);
    const sandboxId = known?.sandboxId ?? readySandbox(this.#observation)?.id ?? "";
    const seen = await observeContainer(runtime, paths, id, sandboxId);
    this.#own.delete(id);
    const others = this.#observation.containers.filter((container) => container.id !== id);
    this.#observation = {
      ...this.#observation,
      containers: newestFirst(seen === undefined ? others : [...others, seen]),
    };
    if (seen === undefined || !isAlive(seen)) {
      this.#probes.drop(id);
      this.#tellEnd(id);
    }
    return seen;
  }

  // --- planning

  async #step(): Promise<void> {
    if (!this.#looked || this.#stopped) return;
    if (this.#tornDown && !this.#removed) return this.#stayDown();
    this.#watchDeadline();
    await this.#probes.keep(this.#pod, this.#observation, this.#podIps());
    const resizes = this.#resizes();
    const plan = planPod({
      pod: this.#pod,
      observation: this.#observation,
      ending: this.#ending(),
      probeOf: (container) => this.#verdict(container),
      waits: this.#waits,
      restarts: this.#restarts,
      attempts: this.#attempts,
      volumesReady: this.#volumes.ready !== undefined,
      resizes,
      resizeDue: this.#resizer.isDue(this.#pod, resizes),
      busy: this.#busy,
      holdUntilMs: this.#holdUntilMs,
      nowMs: this.#context.clock.now(),
    });
    for (const action of plan.actions) this.#carryOut(action);
    if (this.#volumes.isStale && plan.terminal === false) this.#refresh();
    if (!this.#removed) this.#report(plan.terminal);
    if (plan.stopped && this.#busy.size === 0) await this.#tearDown();
  }

  /** A container that is to have other amounts waits for nothing when it starts again. */
  #resizes(): ReturnType<PodResizer["needs"]> {
    if (this.#resizer.allocate(this.#pod)) this.#wakeAt(this.#context.clock.now() + resizeRetryMs);
    const needs = this.#resizer.needs(this.#pod, this.#observation);
    this.#resizer.settle(this.#pod, needs);
    for (const [name, need] of needs) if (need === "restart") this.#restarts.set(name, { delayMs: 0, setAtMs: 0 });
    return needs;
  }

  #ending(): Ending | undefined {
    const { deletionTimestamp } = this.#pod.metadata;
    if (this.#removed || deletionTimestamp !== undefined) return { graceSeconds: gracePeriodSeconds(this.#pod) };
    if (this.#evicted) return { graceSeconds: evictionGraceSeconds };
    const phase = this.#pod.status?.phase;
    const over = phase === "Succeeded" || phase === "Failed";
    return this.#failure !== undefined || over ? { graceSeconds: gracePeriodSeconds(this.#pod) } : undefined;
  }

  #watchDeadline(): void {
    const { activeDeadlineSeconds } = this.#pod.spec ?? {};
    const startTime = this.#pod.status?.startTime;
    if (activeDeadlineSeconds === undefined || startTime === undefined || this.#failure !== undefined) return;
    const phase = this.#pod.status?.phase;
    if (phase === "Succeeded" || phase === "Failed") return;
    const atMs = Date.parse(startTime) + activeDeadlineSeconds * 1000;
    if (atMs > this.#context.clock.now()) return this.#wakeAt(atMs);
    this.#failure = deadlineFailure;
    this.#event(undefined, "Normal", deadlineFailure.reason, deadlineFailure.message);
  }

  #report(terminal: boolean): void {
    const status = podStatus({
      pod: this.#pod,
      observation: this.#observation,
      waits: this.#waits,
      replaced: this.#replaced,
      restartingAll: this.#restartingAll,
      probeOf: (container) => this.#verdict(container),
      terminal,
      failure: this.#failure,
      allocated: this.#resizer.allocated(this.#pod),
      actual: this.#resizer.actual(this.#pod),
      resizeConditions: this.#resizer.conditions(this.#pod),
      hostIps: this.#context.hostIps,
      nowMs: this.#context.clock.now(),
    });
    this.#options.statuses.put(this.#pod, status, (newer) => {
      if (isNewer(newer, this.#pod)) this.#pod = newer;
      this.wake();
    });
  }

  #verdict(container: ObservedContainer): ProbeVerdict {
    return this.#probes.verdict(this.#pod, container);
  }

  /** What probes and hooks of a container are aimed at. */
  #target(container: PodContainer, containerId: string): Promise<ProbeTarget> {
    return this.#probes.target(this.#pod, container, containerId, this.#podIps());
  }

  #tellEnd(id: string): void {
    for (const resolve of this.#endWaiters.get(id) ?? []) resolve();
    this.#endWaiters.delete(id);
  }

  #podIps(): readonly string[] {
    if (this.#pod.spec?.hostNetwork === true) return this.#context.hostIps;
    return readySandbox(this.#observation)?.ips ?? [];
  }

  // --- carrying out

  #carryOut(action: PodAction): void {
    switch (action.do) {
      case "wake":
        return this.#wakeAt(action.atMs);
      case "wait":
        return this.#backOff(action.name, action.wait);
      case "set-up-volumes":
        return this.#perform(action.key, () => this.#setUpVolumes());
      case "run-sandbox":
        return this.#perform(action.key, () => this.#runSandbox(action.attempt, action.changed));
      case "stop-sandbox":
        return this.#perform(action.key, () => this.#stopSandbox(action.id));
      case "start":
        return this.#perform(action.key, () => this.#start(action.container, action.attempt, action.record));
      case "kill":
        return this.#perform(action.key, () => this.#kill(action));
      case "resize":
        return this.#perform(action.key, () => this.#resizer.carryOut(this.#pod, this.#observation));
      case "remove":
        return this.#perform(action.key, () => this.#remove(action.container, action.replaced));
    }
  }

  /** Invariant: an action's key is busy from here until it has ended, well or not. */
  #perform(key: string, work: () => Promise<void>): void {
    this.#busy.add(key);
    void work()
      .then(
        () => (this.#failures = 0),
        (error: unknown) => this.#stumble(key, error),
      )
      .finally(() => {
        this.#busy.delete(key);
        this.wake();
      });
  }

  #stumble(what: string, error: unknown): void {
    this.#failures += 1;
    this.#holdUntilMs = this.#context.clock.now() + backoffMs(this.#failures, retry);
    const { namespace, name } = this.#pod.metadata;
    const say = isUnavailable(error) ? this.#context.log.debug : this.#context.log.warn;
    say("pod action failed", { pod: `${namespace ?? ""}/${name ?? ""}`, action: what, error });
    this.#wakeAt(this.#holdUntilMs);
  }

  async #setUpVolumes(): Promise<void> {
    try {
      await this.#volumes.setUp(this.#pod, this.#podIps());
    } catch (error) {
      this.#event(undefined, "Warning", "FailedMount", error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  #refresh(): void {
    if (this.#busy.has("refresh")) return;
    this.#perform("refresh", () => this.#volumes.refresh(this.#pod, this.#podIps()));
  }

  async #runSandbox(attempt: number, changed: boolean): Promise<void> {
    const { runtime, cgroups } = this.#context;
    const pod = this.#pod;
    if (changed)
      this.#event(undefined, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
    try {
      if (pod.spec?.hostUsers === false) throw new Error("user namespaces are not supported by the container runtime");
      for (const { id, ready } of this.#observation.sandboxes) if (!ready) await runtime.stopPodSandbox(id);
      const parent = await cgroups.makePod(this.#resizer.allocated(pod));
      const config = sandboxConfig(pod, attempt, parent, this.#context, await this.#context.hostDns());
      const id = await runtime.runPodSandbox(config, await runtimeHandler(pod, this.#context));
      const sandbox = await observeSandbox(runtime, id);
      if (sandbox !== undefined)
        this.#observation = {
          ...this.#observation,
          sandboxes: newestFirst([...this.#observation.sandboxes.filter((one) => one.id !== id), sandbox]),
        };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#event(undefined, "Warning", "FailedCreatePodSandBox", `Failed to create pod sandbox: ${text}`);
      throw error;
    }
  }

  async #stopSandbox(id: string): Promise<void> {
    await this.#context.runtime.stopPodSandbox(id);
    await this.#lookAtSandbox(id);
  }

  async #start(container: PodContainer, attempt: number, record: RestartRecord | undefined): Promise<void> {
    const sandbox = readySandbox(this.#observation);
    const volumes = this.#volumes.ready;
    if (sandbox === undefined || volumes === undefined) return;
    const { name } = container.spec;
    const pod = this.#resizer.allocated(this.#pod);
    const parent = this.#context.cgroups.podPath(pod);
    await this.#context.objects.want(pod);
    this.#resizer.started(name);
    const result = await startContainer(
      {
        pod,
        container: findContainer(pod, name) ?? container,
        attempt,
        sandbox,
        sandboxConfig: sandboxConfig(pod, sandbox.attempt, parent, this.#context, await this.#context.hostDns()),
        volumes,
        podIps: this.#podIps(),
        created: (id) => void this.#own.add(id),
        idOf: (wanted) => latestOf(this.#observation, wanted)?.id,
      },
      this.#context,
      (type, reason, message) => this.#event(container, type, reason, message),
    );
    if (record !== undefined) this.#restarts.set(name, record);
    const seen = result.id === undefined ? undefined : await this.#look(result.id);
    if (!result.started) return this.#keepWait(name, result.wait, seen);
    this.#waits.delete(name);
    if (this.#restartingAll === true) this.#restartingAll = false;
    if (container.spec.lifecycle?.postStart !== undefined && seen !== undefined) await this.#postStart(container, seen);
  }

  /** A start that the runtime refused left a container that has ended: its exit decides, not the clock. */
  #keepWait(name: string, wait: WaitReason, seen: ObservedContainer | undefined): void {
    this.#waits.set(name, seen?.state === "exited" ? { ...wait, untilMs: 0 } : wait);
  }

  async #postStart(container: PodContainer, seen: ObservedContainer): Promise<void> {
    this.#report(false);
    const failed = await this.#killer.postStart(container.spec, await this.#target(container, seen.id));
    if (failed === undefined) return;
    const { namespace, name } = this.#pod.metadata;
    this.#context.log.info("postStart hook failed", { pod: `${namespace ?? ""}/${name ?? ""}`, error: failed });
    this.#event(container, "Warning", "FailedPostStartHook", "PostStartHook failed");
    this.#waits.set(container.spec.name, { reason: "PostStartHookError", message: failed.message, untilMs: 0 });
    await this.#kill({
      container: seen,
      graceSeconds: gracePeriodSeconds(this.#pod),
      message: "FailedPostStartHook",
      after: [],
    });
  }

  async #kill({
    container,
    graceSeconds,
    message,
    after,
  }: {
    container: ObservedContainer;
    graceSeconds: number;
    message: string;
    after: readonly string[];
  }): Promise<void> {
    const known = findContainer(this.#pod, container.name);
    this.#probes.spare(container.id);
    this.#event(known, "Normal", "Killing", message);
    const target = known === undefined ? undefined : await this.#target(known, container.id);
    await this.#killer.kill(container, target, graceSeconds, {
      turn: () => after.every((id) => !this.#observation.containers.some((other) => other.id === id && isAlive(other))),
      graceNow: () => (this.#ending() === undefined ? graceSeconds : gracePeriodSeconds(this.#pod)),
      // Not why: what a hook prints may be secret.
      hookFailed: () => this.#event(known, "Warning", "FailedPreStopHook", "PreStopHook failed"),
    });
    await this.#lookUntilEnded(container.id);
  }

  async #remove(container: ObservedContainer, replaced: boolean): Promise<void> {
    await this.#context.runtime.removeContainer(container.id);
    this.#probes.drop(container.id);
    if (replaced) {
      this.#restartingAll = true;
      this.#replaced.add(container.name);
      this.#waits.delete(container.name);
      this.#attempts.set(container.name, Math.max(this.#attempts.get(container.name) ?? 0, container.attempt + 1));
    }
    const containers = this.#observation.containers.filter(({ id }) => id !== container.id);
    this.#observation = { ...this.#observation, containers };
  }

  #backOff(name: string, wait: WaitReason): void {
    const before = this.#waits.get(name);
    this.#waits.set(name, wait);
    if (before?.reason === wait.reason && before.untilMs === wait.untilMs) return;
    const message = `Back-off restarting failed container ${name} in pod ${podTitle(this.#pod)}`;
    this.#event(findContainer(this.#pod, name), "Warning", "BackOff", message);
  }

  /** Volumes and groups go when the pod has ended; its ended containers stay until the API forgets it, for their logs. */
  async #tearDown(): Promise<void> {
    const uid = this.#pod.metadata.uid ?? "";
    if (!this.#tornDown) {
      await this.#volumes.tearDown(this.#pod);
      await this.#context.cgroups.removePod(uid);
      this.#tornDown = true;
    }
    this.#tellFinished();
  }

  /** Word that the API is to forget the pod may come after all of it went. */
  #stayDown(): void {
    this.#report(true);
    this.#tellFinished();
  }

  #tellFinished(): void {
    if (this.#removed || this.#pod.metadata.deletionTimestamp !== undefined) this.#options.finished(this.#pod);
  }

  #event(container: PodContainer | undefined, type: "Normal" | "Warning", reason: string, message: string): void {
    const { namespace, name, uid, resourceVersion } = this.#pod.metadata;
    const fieldPath = container === undefined ? {} : { fieldPath: container.fieldPath };
    const about = { kind: "Pod", namespace, name, uid, apiVersion: "v1", resourceVersion, ...fieldPath };
    this.#context.events.record({ about, type, reason, message });
  }

  #wakeAt(atMs: number): void {
    const now = this.#context.clock.now();
    if (this.#timer !== undefined && this.#wakeAtMs <= atMs && this.#wakeAtMs > now) return;
    clearTimeout(this.#timer);
    this.#wakeAtMs = atMs;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.wake();
      },
      Math.min(timerMsMax, Math.max(1, atMs - now)),
    );
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function isNewer(a: Pod, b: Pod): boolean {
  return Number(a.metadata.resourceVersion ?? 0) > Number(b.metadata.resourceVersion ?? 0);
}
