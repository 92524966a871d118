/**
 * All pods of this node: one worker each, fed by the API's watch and the runtime's events. Takes over what runs already,
 * and clears away what the API no longer knows.
 */
import { backoffMs } from "#lib/backoff.ts";
import type { Logger } from "#lib/log.ts";
import { sleep } from "#lib/sleep.ts";
import type { Node } from "#api/core/node.ts";
import { Pod } from "#api/core/pod.ts";
import { isConflict, isNotFound } from "#api/status-error.ts";
import type { Cache } from "#client/cache.ts";
import { podLogDirectory, type AgentPaths } from "#agent/agent-paths.ts";
import { isGone, isUnavailable } from "#agent/runtime/grpc-connection.ts";
import { rm } from "node:fs/promises";
import { labels } from "./container-config.ts";
import { refuse } from "./node-admission.ts";
import type { PodContext } from "./pod-context.ts";
import { refusedStatus } from "./pod-status.ts";
import { PodWorker } from "./pod-worker.ts";
import { refuseResize, type ResizeRefusal } from "./resize.ts";
import { StatusWriter } from "./status-writer.ts";

/** The net below missed events. */
const relistMs = 60_000;
const forgetRetry = { initialMs: 200, limitMs: 10_000 };

export class NodePods {
  readonly #context: PodContext;
  readonly #cache: Cache<Pod>;
  readonly #node: () => Node | undefined;
  readonly #log: Logger;
  readonly #statuses: StatusWriter;
  readonly #workers = new Map<string, PodWorker>();
  readonly #refused = new Set<string>();
  readonly #finishing = new Set<string>();
  readonly #signal: AbortSignal;
  #adopted = false;

  constructor(context: PodContext, cache: Cache<Pod>, node: () => Node | undefined, signal: AbortSignal) {
    this.#context = context;
    this.#cache = cache;
    this.#node = node;
    this.#log = context.log;
    this.#signal = signal;
    this.#statuses = new StatusWriter(context.client, context.log, signal);
  }

  /** Begins with what runs already; then follows the API. */
  async start(): Promise<void> {
    await this.#cache.synced(this.#signal);
    const running = await this.#podsOfRuntime();
    this.#cache.onChange(({ type, object }) => {
      if (type === "deleted") this.#deleted(object);
      else this.#wished(object, running.has(object.metadata.uid ?? ""));
    });
    this.#adopted = true;
    void this.#clearOrphans(running).catch((error: unknown) => this.#log.warn("cannot clear orphans", { error }));
    void this.#relistNowAndThen();
  }

  async stop(): Promise<void> {
    for (const worker of this.#workers.values()) worker.stop();
    await this.#statuses.flush();
  }

  /** The runtime says that a container or sandbox changed. */
  changed(containerId: string): void {
    for (const worker of this.#workers.values()) {
      if (!worker.owns(containerId)) continue;
      void worker.changed(containerId).catch((error: unknown) => this.#complain(worker, error));
      return;
    }
  }

  /** Events may have been missed. */
  resync(): void {
    if (!this.#adopted) return;
    for (const worker of this.#workers.values())
      void worker.relist().catch((error: unknown) => this.#complain(worker, error));
  }

  refreshVolumes(podUid: string): void {
    this.#workers.get(podUid)?.refreshVolumes();
  }

  worker(namespace: string, name: string): PodWorker | undefined {
    const pod = this.#cache.get({ namespace, name });
    return this.#workers.get(pod?.metadata.uid ?? "");
  }

  get paths(): AgentPaths {
    return this.#context.paths;
  }

  isRefused(namespace: string, name: string): boolean {
    return this.#refused.has(this.#cache.get({ namespace, name })?.metadata.uid ?? "");
  }

  workers(): PodWorker[] {
    return [...this.#workers.values()];
  }

  list(): Pod[] {
    return this.#cache.list();
  }

  #complain(worker: PodWorker, error: unknown): void {
    const say = isUnavailable(error) ? this.#log.debug : this.#log.warn;
    say("cannot look at a pod in the runtime", { pod: worker.pod.metadata.name, error });
  }

  #wished(pod: Pod, runs: boolean): void {
    const uid = pod.metadata.uid ?? "";
    const worker = this.#workers.get(uid);
    if (worker !== undefined) return worker.update(pod);
    if (this.#refused.has(uid)) return this.#release(pod);
    const phase = pod.status?.phase;
    const over = phase === "Succeeded" || phase === "Failed";
    if (!runs && over) return this.#release(pod);
    const taken = runs || (pod.status?.containerStatuses ?? []).length > 0;
    if (!taken && pod.metadata.deletionTimestamp === undefined && this.#refuses(pod)) return;
    const made = new PodWorker(pod, {
      context: this.#context,
      statuses: this.#statuses,
      refusesResize: (wished) => this.#refusesResize(wished),
      finished: (finished) => void this.#finish(finished).catch((error: unknown) => this.#complain(made, error)),
    });
    this.#workers.set(uid, made);
    if (runs) void made.relist().catch((error: unknown) => this.#complain(made, error));
    else made.begin();
  }

  /** A pod that has nothing here and is to be deleted: the API waits for this node's word. */
  #release(pod: Pod): void {
    if (pod.metadata.deletionTimestamp === undefined) return;
    const uid = pod.metadata.uid ?? "";
    if (this.#finishing.has(uid)) return;
    this.#finishing.add(uid);
    void this.#forget(pod).finally(() => this.#finishing.delete(uid));
  }

  #refuses(pod: Pod): boolean {
    const node = this.#node();
    if (node === undefined) return false;
    const others = this.#others(pod);
    const failure = refuse(pod, node, others);
    if (failure === undefined) return false;
    this.#refused.add(pod.metadata.uid ?? "");
    const { namespace, name, uid, resourceVersion } = pod.metadata;
    const about = { kind: "Pod", apiVersion: "v1", namespace, name, uid, resourceVersion };
    this.#context.events.record({ about, type: "Warning", ...failure });
    this.#statuses.put(pod, refusedStatus(pod, failure, this.#context.clock.now()), () => {});
    return true;
  }

  /** Who takes room: not what has ended, nor what the API has forgotten while its last processes end here. */
  #others({ metadata }: Pod): Pod[] {
    return [...this.#workers]
      .filter(([uid, { pod, isGone }]) => {
        const isKnown = this.#cache.objects.byUid(uid) !== undefined;
        return uid !== metadata.uid && isKnown && !isGone && isActive(pod);
      })
      .map(([, { allocatedPod }]) => allocatedPod);
  }

  #refusesResize(pod: Pod): ResizeRefusal | undefined {
    const node = this.#node();
    return node === undefined ? undefined : refuseResize(pod, node, this.#others(pod));
  }

  #deleted(pod: Pod): void {
    const uid = pod.metadata.uid ?? "";
    this.#refused.delete(uid);
    const worker = this.#workers.get(uid);
    if (worker !== undefined) worker.remove();
    else void this.#clear(uid, pod).catch(() => {});
  }

  /** Nothing of the pod runs any more: the API is told, and once it has forgotten the pod its remains go. */
  async #finish(pod: Pod): Promise<void> {
    const uid = pod.metadata.uid ?? "";
    if (this.#finishing.has(uid)) return;
    this.#finishing.add(uid);
    try {
      await this.#statuses.settled(uid);
      const isKnown = (): boolean => this.#cache.objects.byUid(uid) !== undefined;
      if (isKnown()) await this.#forget(pod);
      // The watch may have told of the deletion meanwhile, to nobody's ears.
      if (!isKnown()) await this.#clear(uid, pod);
    } finally {
      this.#finishing.delete(uid);
    }
  }

  /** Tried until the API has answered: no later event would bring this up again. */
  async #forget({ metadata }: Pod): Promise<void> {
    const uid = metadata.uid ?? "";
    for (let failures = 1; ; failures += 1) {
      try {
        await this.#context.client.delete(Pod, metadata, { gracePeriodSeconds: 0, preconditions: { uid } });
        return;
      } catch (error) {
        if (isNotFound(error) || isConflict(error) || this.#signal.aborted) return;
        this.#log.warn("cannot let a pod be deleted", { pod: metadata.name, failures, error });
      }
      await sleep(backoffMs(failures, forgetRetry), this.#signal);
    }
  }

  async #clear(uid: string, pod: Pod): Promise<void> {
    this.#workers.get(uid)?.stop();
    this.#workers.delete(uid);
    await this.#removeFromRuntime(uid);
    await this.#context.volumes.tearDownUid(uid);
    await this.#context.cgroups.removePod(uid);
    const { namespace = "", name = "" } = pod.metadata;
    await rm(podLogDirectory(this.#context.paths, { namespace, name, uid }), { recursive: true, force: true });
  }

  async #removeFromRuntime(uid: string): Promise<void> {
    const { runtime } = this.#context;
    for (const { id } of await runtime.listPodSandboxes({ [labels.podUid]: uid })) {
      try {
        await runtime.stopPodSandbox(id);
        await runtime.removePodSandbox(id);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }
  }

  async #podsOfRuntime(): Promise<Map<string, Pod>> {
    const pods = new Map<string, Pod>();
    for (const { metadata } of await this.#context.runtime.listPodSandboxes()) {
      const { uid, name, namespace } = metadata;
      pods.set(uid, { metadata: { uid, name, namespace } });
    }
    return pods;
  }

  /** What the runtime or the disk has of pods that the API does not know. */
  async #clearOrphans(running: ReadonlyMap<string, Pod>): Promise<void> {
    const known = (uid: string): boolean => this.#cache.objects.byUid(uid) !== undefined;
    for (const [uid, pod] of running) {
      if (known(uid)) continue;
      this.#log.info("clearing away a pod that the API does not know", { pod: pod.metadata.name, uid });
      await this.#clear(uid, pod).catch((error: unknown) => this.#log.warn("cannot clear away a pod", { uid, error }));
    }
    for (const uid of await this.#context.cgroups.podUids())
      if (!known(uid)) await this.#context.cgroups.removePod(uid);
    for (const uid of await this.#context.volumes.podUids())
      if (!known(uid)) await this.#context.volumes.tearDownUid(uid);
  }

  async #relistNowAndThen(): Promise<void> {
    while (!this.#signal.aborted) {
      await sleep(relistMs, this.#signal);
      if (this.#signal.aborted) return;
      await this.#relistChanged().catch((error: unknown) => this.#log.debug("relist failed", { error }));
    }
  }

  /** Two lists tell which pods differ from what their workers think; only those are looked at closely. */
  async #relistChanged(): Promise<void> {
    const { runtime } = this.#context;
    const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers()]);
    const alive = new Set<string>();
    for (const { id, state } of sandboxes) if (state === "SANDBOX_READY") alive.add(id);
    for (const { id, state } of containers) if (state === "CONTAINER_RUNNING") alive.add(id);
    for (const worker of this.#workers.values()) if (worker.differsFrom(alive)) await worker.relist();
  }
}

function isActive({ status }: Pod): boolean {
  return status?.phase !== "Succeeded" && status?.phase !== "Failed";
}
