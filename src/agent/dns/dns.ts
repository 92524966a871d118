/**
 * The cluster's DNS on this node. Every agent answers on the cluster DNS address itself: the address is put on the
 * node's loopback link, so pods reach the server of their own node and nothing has to be balanced.
 */
import { readFile } from "node:fs/promises";
import type { V1EndpointSlice, V1Namespace, V1Service } from "#api/generated/types.ts";
import { type Clock, systemClock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import { type Random, systemRandom } from "#lib/random.ts";
import { parseCidr } from "#agent/network/address.ts";
import { runCommand, type RunCommand } from "#agent/network/command.ts";
import type { ObjectSource } from "#agent/network/object-source.ts";
import type { Zone } from "./lookup.ts";
import { parseResolvConf } from "./resolv-conf.ts";
import { respond } from "./responder.ts";
import { type DnsServer, type Respond, startDnsServer } from "./server.ts";
import { ServiceIndex } from "./service-index.ts";
import { type Resolver, Upstream } from "./upstream.ts";

export interface DnsOptions {
  /** The cluster DNS addresses, one of each family. */
  readonly addresses: readonly string[];
  readonly port?: number;
  /** "cluster.local" */
  readonly clusterDomain: string;
  /** Pod and service ranges: reverse names in them are not asked of others. */
  readonly clusterCidrs: readonly string[];
  readonly services: ObjectSource<V1Service>;
  readonly endpointSlices: ObjectSource<V1EndpointSlice>;
  readonly namespaces: ObjectSource<V1Namespace>;
  /** Default /etc/resolv.conf. */
  readonly resolvConf?: string;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly run?: RunCommand;
}

export interface RunningDns {
  stop(): Promise<void>;
}

const dnsPort = 53;
const resolvConfDefault = "/etc/resolv.conf";
const refreshMs = 10_000;

/**
 * Starts to answer once Services, EndpointSlices and Namespaces are listed. An address that cannot be had (another server
 * holds its port) is tried again and again.
 */
export async function startDns(options: DnsOptions, signal?: AbortSignal): Promise<RunningDns> {
  const { services, endpointSlices, namespaces } = options;
  const { clock = systemClock, random = systemRandom } = options;
  await Promise.all([services, endpointSlices, namespaces].map((source) => source.synced(signal)));
  const index = new ServiceIndex();
  const stops = followCluster(options, index);
  let resolvers = await readResolvers(options);
  const upstream = new Upstream({ resolvers: () => resolvers, clock });
  const answer = respond.bind(undefined, { index, zone: zoneOf(options, clock), upstream, random });
  const servers = new Map<string, DnsServer>();
  let working = ensureServers(options, servers, answer);
  await working;
  const refresh = setInterval(() => {
    void readResolvers(options).then((read) => (resolvers = read));
    working = working.then(async () => await ensureServers(options, servers, answer));
  }, refreshMs);
  refresh.unref();
  return {
    async stop() {
      clearInterval(refresh);
      for (const end of stops) end();
      upstream.stop();
      await working;
      await Promise.all([...servers.values()].map(async (server) => await server.stop()));
    },
  };
}

/** Puts the addresses on the node and listens on those that nobody listens on yet. Says what fails. */
async function ensureServers(
  { addresses, port = dnsPort, log, run = runCommand }: DnsOptions,
  servers: Map<string, DnsServer>,
  answer: Respond,
): Promise<void> {
  try {
    await ensureAddresses(addresses, run);
    for (const address of addresses)
      if (!servers.has(address)) servers.set(address, await startDnsServer(address, port, answer, log));
  } catch (error) {
    log.warn("cluster DNS cannot listen, trying again", { addresses: addresses.join(","), port, error });
  }
}

function followCluster({ services, endpointSlices, namespaces }: DnsOptions, index: ServiceIndex): (() => void)[] {
  return [
    namespaces.onChange(({ type, object }) =>
      index.setNamespace(object.metadata.name ?? "", type === "deleted" ? undefined : object),
    ),
    services.onChange(({ type, object }) => {
      const key = `${object.metadata.namespace ?? ""}/${object.metadata.name ?? ""}`;
      index.setService(key, type === "deleted" ? undefined : object);
    }),
    endpointSlices.onChange(({ type, object, old }) =>
      index.setSlice(type === "deleted" ? undefined : object, old ?? object),
    ),
  ];
}

function zoneOf({ addresses, clusterDomain, clusterCidrs }: DnsOptions, clock: Clock): () => Zone {
  const domain = clusterDomain.toLowerCase().replace(/\.$/, "");
  const reverseCidrs = clusterCidrs.flatMap((text) => parseCidr(text) ?? []);
  return () => ({ domain, serverIps: addresses, reverseCidrs, serial: Math.floor(clock.now() / 1_000) });
}

/** The node's resolvers, without ourselves: what is asked of us must not come back to us. */
async function readResolvers({ resolvConf = resolvConfDefault, addresses }: DnsOptions): Promise<Resolver[]> {
  const text = await readFile(resolvConf, "utf8").catch(() => "");
  const servers = parseResolvConf(text).servers.filter((server) => !addresses.includes(server));
  return servers.map((address) => ({ address, port: dnsPort }));
}

/** An address of host scope is never taken as the source of other traffic. */
async function ensureAddresses(addresses: readonly string[], run: RunCommand): Promise<void> {
  const listed = await run("ip", ["-json", "addr", "show", "dev", "lo"]);
  const present = (JSON.parse(listed) as { addr_info?: { local?: string }[] }[]).flatMap(({ addr_info = [] }) =>
    addr_info.map(({ local }) => local),
  );
  const lines = ["link set lo up"];
  for (const address of addresses)
    if (!present.includes(address))
      lines.push(
        address.includes(":")
          ? `addr add ${address}/128 dev lo nodad scope host`
          : `addr add ${address}/32 dev lo scope host`,
      );
  if (lines.length > 1) await run("ip", ["-batch", "-"], `${lines.join("\n")}\n`);
}
