/**
 * The loop around the cycle: takes the next pod, decides, assumes, and writes what was decided while the next pods are
 * already being decided on. The only part of the scheduler that acts.
 */
import { type Clock, systemClock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import { type Random, systemRandom } from "#lib/random.ts";
import { isNotFound } from "#api/status-error.ts";
import type { Client } from "#client/client.ts";
import { ClusterCache } from "#client/cluster-cache.ts";
import { createEventRecorder } from "#client/event-recorder.ts";
import { allPlugins } from "./all.ts";
import { AssumedObjects } from "./assumed-objects.ts";
import { ClusterFollower, forgivingView, servedKinds } from "./cluster-follower.ts";
import { ClusterState } from "./cluster-state.ts";
import { type Decision, decide } from "./cycle.ts";
import { ClaimWriter } from "./devices/claim-writer.ts";
import { namespaceRef, nodeRef, optionalKinds, podRef } from "./kinds.ts";
import { podInfoOf } from "./pod-info.ts";
import { PodWriter } from "./pod-writer.ts";
import type { Cluster, Plugin } from "./plugin.ts";
import { type QueuedPod, SchedulingQueue } from "./queue.ts";
import { StepRunner } from "./step-runner.ts";

export interface SchedulerOptions {
  client: Client;
  log: Logger;
  clock?: Clock;
  random?: Random;
  /** Shared with other parts of the process; default one of our own. */
  cache?: ClusterCache;
  plugins?: readonly Plugin[];
  /** Pods that name this scheduler are ours. */
  schedulerName?: string;
}

/** Bindings and their preparations under way at once. */
export const bindingsMax = 500;
/** How long pods are decided on before others have a turn. */
const turnMs = 10;
const timePassedMs = 30_000;

/** Runs until `stop` is called. */
export function startScheduler(options: SchedulerOptions): { stop(): void } {
  const stopped = new AbortController();
  const { log } = options;
  const cache = options.cache ?? new ClusterCache(options.client, { log });
  const scheduler = new Scheduler(options, cache, stopped.signal);
  scheduler.run().catch((error: unknown) => {
    if (!stopped.signal.aborted) log.error("the scheduler did not start", { error });
  });
  return {
    stop() {
      stopped.abort();
      if (options.cache === undefined) cache.stop();
    },
  };
}

class Scheduler {
  readonly #log: Logger;
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #plugins: readonly Plugin[];
  readonly #cache: ClusterCache;
  readonly #signal: AbortSignal;
  readonly #state = new ClusterState();
  readonly #cluster: Cluster;
  readonly #queue: SchedulingQueue;
  readonly #follower: ClusterFollower;
  readonly #writer: PodWriter;
  readonly #steps: StepRunner;
  #bindings = 0;
  #isTurnPlanned = false;
  #hasStarted = false;
  #timer: NodeJS.Timeout | undefined;
  #startAt = 0;

  constructor(options: SchedulerOptions, cache: ClusterCache, signal: AbortSignal) {
    const { log, clock = systemClock, random = systemRandom, schedulerName = "default-scheduler" } = options;
    const client = options.client.withFieldManager("kube-scheduler");
    const recorder = createEventRecorder(client, { log, component: schedulerName, clock, flavour: "events" });
    const assumed = new AssumedObjects(cache);
    this.#log = log;
    this.#client = client;
    this.#clock = clock;
    this.#random = random;
    this.#plugins = options.plugins ?? allPlugins;
    this.#cache = cache;
    this.#signal = signal;
    this.#cluster = { state: this.#state, objects: forgivingView(cache, assumed) };
    this.#queue = new SchedulingQueue(clock, this.#plugins, this.#cluster);
    this.#follower = new ClusterFollower({
      cache,
      state: this.#state,
      queue: this.#queue,
      assumed,
      schedulerName,
      onWork: () => this.#planTurn(),
    });
    this.#writer = new PodWriter({ client, recorder, clock, log, schedulerName });
    this.#steps = new StepRunner(client, cache, assumed, new ClaimWriter(client, clock), signal);
  }

  async run(): Promise<void> {
    const needed = [podRef, nodeRef, namespaceRef].map((ref) => this.#cache.of(ref as typeof podRef));
    // Kinds that are not served yet are tried until they are; nobody waits for them.
    for (const ref of optionalKinds) this.#cache.of(ref as typeof podRef);
    const served = (await servedKinds(this.#client, this.#signal)).map((ref) => this.#cache.of(ref));
    await Promise.all([...needed, ...served].map((cache) => cache.synced(this.#signal)));
    if (this.#signal.aborted) return;
    this.#follower.start();
    this.#hasStarted = true;
    const timer = setInterval(() => {
      this.#queue.timePassed();
      this.#planTurn();
    }, timePassedMs);
    timer.unref();
    this.#signal.addEventListener("abort", () => {
      clearInterval(timer);
      clearTimeout(this.#timer);
    });
    this.#planTurn();
  }

  #planTurn(): void {
    if (this.#isTurnPlanned || !this.#hasStarted || this.#signal.aborted) return;
    this.#isTurnPlanned = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#isTurnPlanned = false;
    const until = performance.now() + turnMs;
    while (!this.#signal.aborted && this.#bindings < bindingsMax) {
      const queued = this.#queue.pop();
      if (queued === undefined) return this.#planTurnAt(this.#queue.nextAt);
      this.#schedule(queued);
      if (performance.now() >= until) return this.#planTurn();
    }
  }

  #planTurnAt(at: number | undefined): void {
    clearTimeout(this.#timer);
    if (at === undefined) return;
    this.#timer = setTimeout(() => this.#planTurn(), Math.max(0, at - this.#clock.now()));
    this.#timer.unref();
  }

  #schedule(queued: QueuedPod): void {
    const { info } = queued;
    const options = { plugins: this.#plugins, random: this.#random, startAt: this.#startAt++ };
    const decision = decide(info, this.#cluster, options);
    if (decision.kind === "chosen") return this.#place(queued, decision);
    const failed = this.#note(queued, decision).catch((error: unknown) =>
      this.#log.warn("a pod's failure could not be written", { pod: `${info.namespace}/${info.name}`, error }),
    );
    void failed;
  }

  #place(queued: QueuedPod, { node, attempt }: Decision & { kind: "chosen" }): void {
    const { info } = queued;
    const nodeInfo = this.#state.node(node);
    const steps =
      nodeInfo === undefined
        ? []
        : this.#plugins.flatMap(
            (plugin) => plugin.reserve?.(info, nodeInfo, attempt.preparedBy(plugin.name), this.#cluster) ?? [],
          );
    this.#follower.assume(info.pod, node);
    this.#steps.assume(steps, info);
    this.#bindings++;
    void this.#bind(queued, node, steps).finally(() => {
      this.#bindings--;
      this.#planTurn();
    });
  }

  async #bind(queued: QueuedPod, node: string, steps: Parameters<StepRunner["run"]>[0]): Promise<void> {
    const { info } = queued;
    try {
      await this.#steps.run(steps, info, node);
      await this.#writer.bind(info, node);
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#steps.forget(steps, info);
      this.#follower.forget(info.pod);
      const current = this.#cache.of(podRef).get(info.pod.metadata);
      const isGone = isNotFound(error) && current === undefined;
      if (isGone || current?.metadata.uid !== info.uid || (current.spec?.nodeName ?? "") !== "")
        return this.#queue.remove(info.uid);
      queued.info = podInfoOf(current);
      const message = `binding rejected: running Bind plugin "DefaultBinder": ${String((error as Error).message)}`;
      await this.#fail(queued, message);
    }
  }

  async #note(queued: QueuedPod, decision: Exclude<Decision, { kind: "chosen" }>): Promise<void> {
    if (decision.kind === "failed") return await this.#fail(queued, decision.message);
    const { info } = queued;
    const { preemption, message, refusedBy, losesNomination } = decision;
    this.#queue.refuse(queued, refusedBy);
    if (preemption !== undefined) this.#state.nominate(podInfoOf(info.pod, preemption.node));
    else if (losesNomination) this.#state.withdrawNomination(info.uid);
    const nominatedNodeName = preemption?.node ?? (losesNomination ? "" : undefined);
    await this.#writer.reportFailure(info, { reason: "Unschedulable", message, nominatedNodeName });
    if (preemption === undefined) return;
    const { node, victims, disappointed } = preemption;
    await Promise.all([
      ...victims.map((victim) => this.#writer.evict(victim, info, node)),
      ...disappointed.map((pod) => this.#writer.withdrawNomination(pod)),
    ]);
  }

  async #fail(queued: QueuedPod, message: string): Promise<void> {
    this.#queue.fail(queued);
    this.#planTurn();
    await this.#writer
      .reportFailure(queued.info, { reason: "SchedulerError", message, nominatedNodeName: undefined })
      .catch((error: unknown) => this.#log.warn("a pod's failure could not be written", { error }));
  }
}
