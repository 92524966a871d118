/**
 * The Node object of this machine: made once, its status kept true, its lease renewed. The lease says that the node lives;
 * the status is written when something changed, and now and then besides.
 */
import { isDeepStrictEqual } from "node:util";
import { formatMicroTime, formatTime, type Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import { sleep } from "#lib/sleep.ts";
import { Lease } from "#api/coordination/lease.ts";
import { Node } from "#api/core/node.ts";
import { knownFeatures } from "#api/core/node-features.ts";
import type { V1ContainerImage, V1NodeAddress, V1NodeCondition, V1NodeStatus, V1Taint } from "#api/generated/types.ts";
import { isAlreadyExists, isConflict, isNotFound } from "#api/status-error.ts";
import type { Client } from "#client/client.ts";
import type { RuntimeClient } from "#agent/runtime/runtime-client.ts";
import { goArchitecture, pressureNow, type MachineFacts, type Pressure } from "./node-facts.ts";
import { difference, nodeResources } from "./node-resources.ts";

export interface NodeRegistrationOptions {
  readonly client: Client;
  readonly runtime: RuntimeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly name: string;
  readonly ips: readonly string[];
  readonly hostName: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly V1Taint[];
  readonly facts: MachineFacts;
  readonly dataDirectory: string;
}

export const leaseSeconds = 40;
const leaseEveryMs = 10_000;
export const statusEveryMs = 10_000;
/** A status without news is written this often: for readers of lastHeartbeatTime. */
export const heartbeatEveryMs = 300_000;
const notReadyRetryMs = 500;
/** The status names the largest images only. */
const imagesMax = 50;

export class NodeRegistration {
  readonly #options: NodeRegistrationOptions;
  #node: Node | undefined;
  #writtenAtMs = 0;
  #wake = new AbortController();
  #ready = false;
  #port = 0;

  constructor(options: NodeRegistrationOptions) {
    this.#options = options;
  }

  get node(): Node | undefined {
    return this.#node;
  }

  /** A newer object, from a watch. */
  update(node: Node): void {
    this.#node = node;
  }

  /** Where the node's own API is. */
  listensAt(port: number): void {
    this.#port = port;
  }

  /** Something that readiness waits for may be there: look now. */
  refreshUntilReady(): void {
    if (!this.#ready) this.#wake.abort();
  }

  get capacity(): Record<string, string> {
    return { ...this.#options.facts.capacity };
  }

  get memoryBytes(): number {
    return this.#options.facts.memoryBytes;
  }

  /** Resolves once the Node is there; then goes on until `signal` fires. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#register(signal);
    void this.#keepStatus(signal);
    void this.#keepLease(signal);
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { log, name } = this.#options;
    for (let wait = 100; !signal.aborted; wait = Math.min(7_000, wait * 2)) {
      try {
        this.#node = await this.#createOrAdopt();
        log.info("node registered", { node: name });
        return;
      } catch (error) {
        log.warn("cannot register the node", { node: name, error });
        await sleep(wait, signal);
      }
    }
  }

  async #createOrAdopt(): Promise<Node> {
    const { client, name, taints } = this.#options;
    const wished: Node = {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name, labels: this.#labels(), annotations },
      spec: taints.length === 0 ? {} : { taints: [...taints] },
      status: await this.#status(undefined),
    };
    try {
      return await client.create(Node, wished);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    const known = await client.get(Node, { name });
    const labels = Object.fromEntries(
      Object.entries(this.#labels()).filter(([key, value]) => known.metadata.labels?.[key] !== value),
    );
    const noted = known.metadata.annotations?.[attachAnnotation] === "true";
    if (Object.keys(labels).length === 0 && noted) return known;
    return await client.patch(Node, { name }, "merge", { metadata: { labels, annotations } });
  }

  #labels(): Record<string, string> {
    const { hostName, labels } = this.#options;
    return {
      "beta.kubernetes.io/arch": goArchitecture,
      "beta.kubernetes.io/os": "linux",
      "kubernetes.io/arch": goArchitecture,
      "kubernetes.io/hostname": hostName,
      "kubernetes.io/os": "linux",
      ...labels,
    };
  }

  async #keepStatus(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const ready = await this.#writeStatus().catch((error: unknown) => {
        this.#options.log.warn("cannot write the node's status", { error });
        return true;
      });
      this.#ready = ready;
      this.#wake = new AbortController();
      await sleep(ready ? statusEveryMs : notReadyRetryMs, AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  /** Returns whether the node is ready. */
  async #writeStatus(): Promise<boolean> {
    const { client, name, clock } = this.#options;
    const old = this.#node?.status;
    const status = await this.#status(old);
    const ready = status.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") === true;
    const due = clock.now() - this.#writtenAtMs > heartbeatEveryMs;
    if (!due && isDeepStrictEqual(withoutHeartbeats(old), withoutHeartbeats({ ...old, ...status }))) return ready;
    const capacity = difference(old?.capacity, status.capacity);
    const allocatable = difference(old?.allocatable, status.allocatable);
    try {
      const patch = { status: { ...status, capacity, allocatable } };
      this.#node = await client.patch(Node, { name }, "strategic", patch, { subresource: "status" });
      this.#writtenAtMs = clock.now();
    } catch (error) {
      if (isNotFound(error)) this.#node = await this.#createOrAdopt();
      else if (!isConflict(error)) throw error;
    }
    return ready;
  }

  async #status(old: V1NodeStatus | undefined): Promise<V1NodeStatus> {
    const { facts, dataDirectory } = this.#options;
    return {
      ...nodeResources(old, facts.capacity),
      conditions: await this.#conditions(old, await pressureNow(dataDirectory)),
      addresses: this.#addresses(),
      daemonEndpoints: { kubeletEndpoint: { Port: this.#port } },
      nodeInfo: facts.info,
      images: await this.#images(),
      // This agent can do all of it.
      declaredFeatures: [...knownFeatures],
    };
  }

  #addresses(): V1NodeAddress[] {
    const { ips, hostName } = this.#options;
    return [...ips.map((address) => ({ type: "InternalIP", address })), { type: "Hostname", address: hostName }];
  }

  async #images(): Promise<V1ContainerImage[]> {
    const images = await this.#options.runtime.listImages().catch(() => []);
    return images
      .toSorted((a, b) => b.size - a.size)
      .slice(0, imagesMax)
      .map(({ repoDigests, repoTags, size }) => ({ names: [...repoDigests, ...repoTags], sizeBytes: size }));
  }

  async #conditions(old: V1NodeStatus | undefined, pressure: Pressure): Promise<V1NodeCondition[]> {
    const now = formatTime(this.#options.clock.now());
    const [ready, why] = await this.#isReady();
    const verdicts = [
      verdict(
        "MemoryPressure",
        pressure.memory,
        ["KubeletHasInsufficientMemory", "kubelet has insufficient memory available"],
        ["KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
      ),
      verdict(
        "DiskPressure",
        pressure.disk,
        ["KubeletHasDiskPressure", "kubelet has disk pressure"],
        ["KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
      ),
      verdict(
        "PIDPressure",
        pressure.pids,
        ["KubeletHasInsufficientPID", "kubelet has insufficient PID available"],
        ["KubeletHasSufficientPID", "kubelet has sufficient PID available"],
      ),
      verdict("Ready", ready, ["KubeletReady", "kubelet is posting ready status"], ["KubeletNotReady", why]),
    ];
    const ours = new Set(verdicts.map(({ type }) => type));
    return [
      ...(old?.conditions ?? []).filter(({ type }) => !ours.has(type)),
      ...verdicts.map(({ type, status, reason, message }) => {
        const before = old?.conditions?.find((condition) => condition.type === type);
        const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? now) : now;
        return { type, status, lastHeartbeatTime: now, lastTransitionTime, reason, message };
      }),
    ];
  }

  async #isReady(): Promise<[boolean, string]> {
    try {
      const { conditions } = await this.#options.runtime.status();
      const bad = conditions.filter(({ status }) => !status);
      if (bad.length === 0) return [true, ""];
      const words = bad.map(({ type, reason, message }) => {
        const prefix = type === "NetworkReady" ? "container runtime network not ready" : "container runtime not ready";
        return `${prefix}: ${type}=false reason:${reason} message:${message}`;
      });
      return [false, words.length === 1 ? (words[0] ?? "") : `[${words.join(", ")}]`];
    } catch (error) {
      return [false, `container runtime is down: ${error instanceof Error ? error.message : String(error)}`];
    }
  }

  async #keepLease(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#renewLease().catch((error: unknown) => this.#options.log.warn("cannot renew the lease", { error }));
      await sleep(leaseEveryMs, signal);
    }
  }

  async #renewLease(): Promise<void> {
    const { client, clock, name } = this.#options;
    const key = { namespace: "kube-node-lease", name };
    const renewTime = formatMicroTime(clock.now());
    const spec = { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime };
    try {
      await client.patch(Lease, key, "merge", { spec });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const uid = this.#node?.metadata.uid;
      const owner = uid === undefined ? [] : [{ apiVersion: "v1", kind: "Node", name, uid }];
      await client.create(Lease, { metadata: { ...key, ownerReferences: owner }, spec });
    }
  }
}

const attachAnnotation = "volumes.kubernetes.io/controller-managed-attach-detach";
const annotations = { [attachAnnotation]: "true" };

function verdict(type: string, value: boolean, yes: readonly [string, string], no: readonly [string, string]) {
  const [reason, message] = value ? yes : no;
  return { type, status: value ? "True" : "False", reason, message };
}

function withoutHeartbeats(status: V1NodeStatus | undefined): unknown {
  if (status === undefined) return undefined;
  const conditions = status.conditions?.map((condition) => ({ ...condition, lastHeartbeatTime: undefined }));
  return JSON.parse(JSON.stringify({ ...status, conditions }));
}
