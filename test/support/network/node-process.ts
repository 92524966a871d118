/** Stands for an agent: runs the network, proxy and DNS duties of one node on objects that it is told. */
import type { V1EndpointSlice, V1Namespace, V1NetworkPolicy, V1Node, V1Pod, V1Service } from "#api/generated/types.ts";
import { startDns, type RunningDns } from "#agent/dns/dns.ts";
import { cleanupNetwork } from "#agent/network/cleanup.ts";
import { startNetwork, type RunningNetwork } from "#agent/network/network.ts";
import type { ObjectChange, ObjectSource } from "#agent/network/object-source.ts";
import type { PeerMode } from "#agent/network/peer-route.ts";
import { type RunningPolicies, startPolicies } from "#agent/network/policy.ts";
import { startProxy, type RunningProxy } from "#agent/proxy/proxy.ts";
import { createLogger } from "#lib/log.ts";
import { answerLines } from "./line-process.ts";

interface Named {
  metadata: { name?: string; namespace?: string };
}

class Objects<T extends Named> implements ObjectSource<T> {
  readonly #objects = new Map<string, T>();
  readonly #handlers = new Set<(change: ObjectChange<T>) => void>();

  list(): readonly T[] {
    return [...this.#objects.values()];
  }

  onChange(handler: (change: ObjectChange<T>) => void): () => void {
    for (const object of this.list()) handler({ type: "added", object, old: undefined });
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  async synced(): Promise<void> {}

  set(object: T, isDeleted: boolean): void {
    const key = `${object.metadata.namespace}/${object.metadata.name}`;
    const old = this.#objects.get(key);
    if (isDeleted) this.#objects.delete(key);
    else this.#objects.set(key, object);
    const type = isDeleted ? "deleted" : old === undefined ? "added" : "modified";
    for (const handler of this.#handlers) handler({ type, object, old });
  }
}

const sources = {
  nodes: new Objects<V1Node>(),
  namespaces: new Objects<V1Namespace>(),
  services: new Objects<V1Service>(),
  endpointSlices: new Objects<V1EndpointSlice>(),
  pods: new Objects<V1Pod>(),
  networkPolicies: new Objects<V1NetworkPolicy>(),
};

interface Command {
  kind: keyof typeof sources;
  object: never;
  isDeleted?: boolean;
  mode?: PeerMode;
}

const [nodeName = "", nodeIp = "", directory = "", resolvConf = ""] = process.argv.slice(2);
const clusterCidrs = ["10.42.0.0/16"];
const serviceCidrs = ["10.43.0.0/16"];
const dnsIp = "10.43.0.10";
const paths = { cniConfigDirectory: `${directory}/cni`, cniStateDirectory: `${directory}/addresses` };
let running: { network: RunningNetwork; proxy: RunningProxy; policies: RunningPolicies; dns: RunningDns } | undefined;

answerLines(async (command, value: Command) => {
  if (command === "set") return sources[value.kind].set(value.object, value.isDeleted ?? false);
  if (command === "start") return await start(value.mode ?? "auto");
  if (command === "settle") return await settle();
  if (command === "stop") return await stop();
  if (command === "cleanup") return await cleanupNetwork({ ...paths, servedIps: [dnsIp] });
  throw new Error(`unknown command ${command}`);
});

async function start(mode: PeerMode): Promise<void> {
  const log = createLogger({ level: "warn" });
  const nodeIps = [nodeIp];
  const servedIps = [dnsIp];
  const network = await startNetwork({ nodeName, nodeIps, clusterCidrs, servedIps, ...paths, mode, ...sources, log });
  const proxy = await startProxy({
    nodeName,
    nodeIps,
    clusterCidrs,
    serviceCidrs,
    servedIps,
    ...sources,
    log,
  });
  const policies = await startPolicies({
    nodeName,
    families: ["ip"],
    ...sources,
    allPods: () => sources.pods,
    log,
  });
  const dns = await startDns({
    addresses: [dnsIp],
    clusterDomain: "cluster.local",
    clusterCidrs: [...clusterCidrs, ...serviceCidrs],
    resolvConf,
    ...sources,
    log,
  });
  running = { network, proxy, policies, dns };
  await settle();
}

async function settle(): Promise<void> {
  await Promise.all([running?.network.settled(), running?.proxy.settled(), running?.policies.settled()]);
}

async function stop(): Promise<void> {
  await Promise.all([running?.network.stop(), running?.proxy.stop(), running?.policies.stop(), running?.dns.stop()]);
  running = undefined;
}
