/**
 * The node agent: a container runtime of its own, the Node object, the pods, the node's own API, and the pod network. Knows
 * nothing that it could not find again: stopped or killed, it leaves all containers running and takes them up at its start.
 */
import { mkdir } from "node:fs/promises";
import { systemClock, type Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import { EndpointSlice } from "#api/discovery/endpoint-slice.ts";
import { Namespace } from "#api/core/namespace.ts";
import { Node } from "#api/core/node.ts";
import { Pod } from "#api/core/pod.ts";
import { Service } from "#api/core/service.ts";
import { NetworkPolicy } from "#api/networking/network-policy.ts";
import type { V1Taint } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { Cache } from "#client/cache.ts";
import { Client, type ResourceRef } from "#client/client.ts";
import { createEventRecorder } from "#client/event-recorder.ts";
import type { Transport } from "#client/transport.ts";
import { agentPaths, type AgentPaths } from "./agent-paths.ts";
import { startDns } from "./dns/dns.ts";
import { followImageDirectory, importPauseImage } from "./images/image-import.ts";
import { ImagePuller } from "./images/image-puller.ts";
import { startNetwork } from "./network/network.ts";
import { startPolicies } from "./network/policy.ts";
import { Cgroups } from "./node/cgroups.ts";
import { machineFacts } from "./node/node-facts.ts";
import { NodeRegistration } from "./node/node-registration.ts";
import { NodePods } from "./pod/node-pods.ts";
import type { PodContext } from "./pod/pod-context.ts";
import { HostResolver } from "./pod/host-resolver.ts";
import { watchStorage } from "./pod/storage-watch.ts";
import { startProxy } from "./proxy/proxy.ts";
import { startContainerd, type ContainerdProcess } from "./runtime/containerd-process.ts";
import { RuntimeClient } from "./runtime/runtime-client.ts";
import { followRuntimeEvents } from "./runtime/runtime-events.ts";
import { rotateLogs } from "./server/log-rotation.ts";
import { startNodeServer } from "./server/node-server.ts";
import { lockDirectory } from "./system/directory-lock.ts";
import { isMountPoint, makeSharedMount, mountTmpfs } from "./system/mounts.ts";
import { ObjectCaches } from "./volumes/object-caches.ts";
import { ClaimVolumes } from "./volumes/claim-volumes.ts";
import { ImageVolumes } from "./volumes/image-volumes.ts";
import { PodVolumes } from "./volumes/pod-volumes.ts";
import { ServiceAccountTokens } from "./volumes/service-account-tokens.ts";

/** What a node shows and trusts. PEM. */
interface NodeIdentity {
  readonly servingCert: string;
  readonly servingKey: string;
  /** Signs the certificates of those who may use the node's API. */
  readonly clientCa: string;
}

export interface AgentOptions {
  readonly dataDirectory: string;
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  readonly nodeLabels?: Readonly<Record<string, string>>;
  readonly nodeTaints?: readonly V1Taint[];
  /** To the API server, as system:node:NAME. */
  readonly transport: Transport;
  /** To the API server, as the node's network duties. */
  readonly networkTransport: Transport;
  readonly identity: NodeIdentity;
  /** The node's own API. Default 10250; 0 takes a free one. */
  readonly port?: number;
  readonly clusterCidrs: readonly string[];
  readonly serviceCidrs: readonly string[];
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  /** A runtime that runs already ("unix:///run/containerd/containerd.sock"); default: one of the agent's own. */
  readonly runtimeEndpoint?: string | undefined;
  /** Which low-level runtime pods get that name none: "crun" or "runc". Default: crun where it works. */
  readonly runtime?: string | undefined;
  /** Parts that another program does: "network", "proxy", "dns". */
  readonly disable?: readonly string[];
  /** Where the node's own resolver settings are. Default /etc/resolv.conf. */
  readonly resolvConf?: string | undefined;
  /** Gives the start up when it fires; a running agent is stopped by its own `stop`. */
  readonly signal?: AbortSignal;
  readonly log: Logger;
  readonly clock?: Clock;
}

export interface RunningAgent {
  readonly port: number;
  /** Ends the agent and its runtime; containers go on. */
  stop(): Promise<void>;
}

export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const starting = new Starting(options);
  const giveUp = (): void => void starting.stop();
  options.signal?.addEventListener("abort", giveUp, { once: true });
  try {
    return await starting.start();
  } catch (error) {
    await starting.stop();
    throw error;
  } finally {
    options.signal?.removeEventListener("abort", giveUp);
  }
}

const kubeletPort = 10_250;

class Starting {
  readonly #options: AgentOptions;
  readonly #paths: AgentPaths;
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #stops: (() => Promise<void> | void)[] = [];

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#paths = agentPaths(options.dataDirectory);
    this.#client = new Client(options.transport, { fieldManager: "kubelet" });
    this.#clock = options.clock ?? systemClock;
  }

  /** Invariant: what was started is stopped in the opposite order. */
  async stop(): Promise<void> {
    this.#stop.abort();
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) await stop();
  }

  async start(): Promise<RunningAgent> {
    const { nodeName, log } = this.#options;
    const { signal } = this.#stop;
    await mkdir(this.#paths.root, { recursive: true, mode: 0o711 });
    this.#stops.push(await lockDirectory(this.#paths.root));
    await prepareDirectories(this.#paths);
    const network = new Client(this.#options.networkTransport);
    const cache = <T extends KubernetesObject>(ref: ResourceRef<T>, fieldSelector?: string): Cache<T> => {
      // What concerns this node alone is read as the node, all else as its network duties.
      const made = new Cache(fieldSelector === undefined ? network : this.#client, ref, {
        log,
        ...(fieldSelector === undefined ? {} : { fieldSelector }),
      });
      void made.run(signal);
      return made;
    };
    const pods = cache(Pod, `spec.nodeName=${nodeName}`);
    const services = cache(Service);
    const nodes = cache(Node);
    const containerd = await this.#runtime();
    signal.throwIfAborted();
    const runtime = new RuntimeClient(containerd.socket);
    this.#stops.push(() => runtime.close());
    await this.#images(containerd.socket);
    const registration = await this.#register(runtime);
    const context = await this.#context(runtime, containerd.socket, services, registration);
    const nodePods = new NodePods(context.pod, pods, () => registration.node, signal);
    context.changed = (uid) => nodePods.refreshVolumes(uid);
    nodes.onChange(({ object }) => {
      if (object.metadata.name === nodeName) registration.update(object);
    });
    void followRuntimeEvents(
      containerd.socket,
      { changed: (id) => nodePods.changed(id), resync: () => nodePods.resync() },
      { log, signal },
    );
    const server = await startNodeServer({
      ...this.#options,
      port: this.#options.port ?? kubeletPort,
      client: this.#client,
      pods: nodePods,
      runtime,
      paths: this.#paths,
    });
    this.#stops.push(() => server.close());
    registration.listensAt(server.port);
    await registration.start(signal);
    signal.throwIfAborted();
    await this.#startNetwork({ pods, services, nodes, cache, registration });
    signal.throwIfAborted();
    await nodePods.start();
    signal.throwIfAborted();
    this.#stops.push(() => nodePods.stop());
    void watchStorage(nodePods, runtime, { log, signal });
    void rotateLogs(nodePods, runtime, log, signal);
    return { port: server.port, stop: () => this.stop() };
  }

  async #runtime(): Promise<ContainerdProcess> {
    const { runtimeEndpoint, log, runtime } = this.#options;
    if (runtimeEndpoint !== undefined && runtimeEndpoint !== "")
      return { socket: runtimeEndpoint.replace(/^unix:\/\//, ""), runtime: "", stop: async () => {} };
    const containerd = await startContainerd(this.#paths, {
      log: log.child("containerd"),
      preferred: runtime,
      signal: this.#stop.signal,
    });
    log.info("containerd runs", { runtime: containerd.runtime, socket: containerd.socket });
    this.#stops.push(() => containerd.stop());
    return containerd;
  }

  async #images(socket: string): Promise<void> {
    const { root, images } = this.#paths;
    const { log } = this.#options;
    const { signal } = this.#stop;
    await importPauseImage(socket, root);
    const record = `${root}/imported-images.json`;
    const following = followImageDirectory({ socket, directory: images, record, log, signal, imported: () => {} });
    await following;
  }

  async #register(runtime: RuntimeClient): Promise<NodeRegistration> {
    const { dataDirectory, nodeName, nodeIps, nodeLabels = {}, nodeTaints = [], log } = this.#options;
    const { runtimeVersion } = await runtime.version();
    return new NodeRegistration({
      client: this.#client,
      runtime,
      clock: this.#clock,
      log,
      name: nodeName,
      ips: nodeIps,
      hostName: nodeName,
      labels: nodeLabels,
      taints: nodeTaints,
      facts: await machineFacts(dataDirectory, runtimeVersion),
      dataDirectory,
    });
  }

  async #context(
    runtime: RuntimeClient,
    socket: string,
    services: Cache<Service>,
    registration: NodeRegistration,
  ): Promise<{ pod: PodContext; changed: (podUid: string) => void }> {
    const { log, nodeName, nodeIps, clusterDns, clusterDomain, resolvConf } = this.#options;
    const cgroups = new Cgroups(`/capstan/${nodeName}`);
    await cgroups.prepare();
    const holder = { changed: (_uid: string): void => {} };
    const objects = new ObjectCaches(this.#client, log, (uid) => holder.changed(uid));
    this.#stops.push(() => objects.stop());
    const events = createEventRecorder(this.#client, { log, component: "kubelet", host: nodeName, clock: this.#clock });
    const resolver = new HostResolver(resolvConf ?? "/etc/resolv.conf");
    const allocatable = (): Record<string, string> => registration.node?.status?.allocatable ?? registration.capacity;
    const volumes = new PodVolumes({
      paths: this.#paths,
      objects,
      tokens: new ServiceAccountTokens(this.#client, this.#clock),
      images: new ImageVolumes(socket),
      claims: new ClaimVolumes(this.#client, nodeName),
      clock: this.#clock,
      allocatable,
    });
    const pod: PodContext = {
      log: log.child("pods"),
      clock: this.#clock,
      client: this.#client,
      events,
      runtime,
      paths: this.#paths,
      volumes,
      objects,
      images: new ImagePuller(runtime, this.#clock),
      cgroups,
      dns: { servers: clusterDns, domain: clusterDomain },
      nodeMemoryBytes: registration.memoryBytes,
      hostIps: nodeIps,
      hostDns: () => resolver.read(),
      allocatable,
      services: async (namespace) => {
        await services.synced(this.#stop.signal);
        const own = services.get({ namespace: "default", name: "kubernetes" });
        return [...(own === undefined ? [] : [own]), ...services.list(namespace)];
      },
    };
    return Object.assign(holder, { pod });
  }

  async #startNetwork({
    pods,
    services,
    nodes,
    cache,
    registration,
  }: {
    pods: Cache<Pod>;
    services: Cache<Service>;
    nodes: Cache<Node>;
    cache: <T extends KubernetesObject>(ref: ResourceRef<T>) => Cache<T>;
    registration: NodeRegistration;
  }): Promise<void> {
    const { disable = [], nodeName, nodeIps, clusterCidrs, serviceCidrs, clusterDns, clusterDomain } = this.#options;
    const { signal } = this.#stop;
    const log = this.#options.log.child("network");
    let ofNamespaces: Cache<Namespace> | undefined;
    const namespaces = (): Cache<Namespace> => (ofNamespaces ??= cache(Namespace));
    const uses = (part: string): boolean => !disable.includes(part);
    if (uses("network")) {
      const network = await startNetwork(
        {
          nodeName,
          nodeIps,
          clusterCidrs,
          servedIps: uses("dns") ? clusterDns : [],
          cniConfigDirectory: this.#paths.cniConfig,
          cniStateDirectory: this.#paths.cniState,
          nodes,
          pods,
          log,
        },
        signal,
      );
      this.#stops.push(() => network.stop());
      const policies = await startPolicies(
        {
          nodeName,
          families: ["ip"],
          networkPolicies: cache(NetworkPolicy),
          namespaces: namespaces(),
          allPods: () => cache(Pod),
          log,
        },
        signal,
      );
      this.#stops.push(() => policies.stop());
      nodes.onChange(() => registration.refreshUntilReady());
    }
    if (!uses("proxy") && !uses("dns")) return;
    const endpointSlices = cache(EndpointSlice);
    const servedIps = uses("dns") ? clusterDns : [];
    if (uses("proxy")) {
      const proxy = { nodeName, nodeIps, clusterCidrs, serviceCidrs, servedIps, services, endpointSlices, nodes, log };
      const running = await startProxy(proxy, signal);
      this.#stops.push(() => running.stop());
    }
    if (uses("dns")) {
      const settings = {
        addresses: clusterDns,
        clusterDomain,
        clusterCidrs: [...clusterCidrs, ...serviceCidrs],
        services,
        endpointSlices,
        namespaces: namespaces(),
        log: this.#options.log.child("dns"),
        ...(this.#options.resolvConf === undefined ? {} : { resolvConf: this.#options.resolvConf }),
      };
      const running = await startDns(settings, signal);
      this.#stops.push(() => running.stop());
    }
  }
}

async function prepareDirectories(paths: AgentPaths): Promise<void> {
  for (const directory of [paths.images, paths.logs, paths.seccomp, paths.pods])
    await mkdir(directory, { recursive: true, mode: 0o711 });
  await makeSharedMount(paths.pods);
  await mkdir(paths.memory, { recursive: true, mode: 0o711 });
  if (!(await isMountPoint(paths.memory))) await mountTmpfs(paths.memory, "mode=0711");
}
