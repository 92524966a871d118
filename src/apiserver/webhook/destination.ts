/**
 * Where a webhook or an aggregated API server is: its URL, or the Service that a configuration names. A Service is reached at
 * one of its ready endpoints, else at its own address. Upstream: kube-aggregator/pkg/apiserver/resolvers.go, util/proxy.
 */
import { isIP } from "node:net";
import type { V1Endpoints, V1Service } from "#api/generated/types.ts";
import { goQuote } from "#api/go-text.ts";
import type { ClusterCache } from "#apiserver/cache/cluster-cache.ts";

export interface ServiceReference {
  namespace?: string;
  name?: string;
  path?: string;
  port?: number;
}

export interface ClientConfig {
  url?: string;
  service?: ServiceReference;
  /** PEM in base64. */
  caBundle?: string;
}

export interface Destination {
  host: string;
  port: number;
  /** Whom the certificate must name; absent where that is the host. */
  servername?: string;
}

export class NoDestinationError extends Error {}

const defaultPort = 443;

/** The URL of a call, as errors show it. */
export function urlOf({ url, service }: ClientConfig, timeoutSeconds: number): string {
  const query = `timeout=${timeoutSeconds}s`;
  if (url !== undefined) return `${url}${url.includes("?") ? "&" : "?"}${query}`;
  const { port = defaultPort, path = "/" } = service ?? {};
  return `https://${serverName(service ?? {})}:${port}${path.startsWith("/") ? path : `/${path}`}?${query}`;
}

export const serverName = ({ name = "", namespace = "" }: ServiceReference): string => `${name}.${namespace}.svc`;

/** Throws NoDestinationError where a Service leads nowhere. */
export function destinationOf(config: ClientConfig, cache: ClusterCache, random: () => number): Destination {
  const { service } = config;
  if (service !== undefined && config.url === undefined) return serviceDestination(service, cache, random);
  const { hostname, port } = new URL(config.url ?? "");
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return {
    host,
    port: port === "" ? defaultPort : Number(port),
    ...(isIP(host) === 0 ? { servername: host } : {}),
  };
}

export function serviceDestination(
  reference: ServiceReference,
  cache: ClusterCache,
  random: () => number,
): Destination & { servername: string } {
  const { namespace = "", name = "", port = defaultPort } = reference;
  const key = `${namespace}/${name}`;
  const servername = serverName(reference);
  const service = cache.resource("/registry/core/services/").get(key)?.object as V1Service | undefined;
  if (service === undefined) throw new NoDestinationError(`service ${goQuote(name)} not found`);
  const { ports = [], clusterIP = "", type = "ClusterIP", externalName = "" } = service.spec ?? {};
  if (type === "ExternalName") return { host: externalName, port, servername };
  if (type === "ClusterIP" && clusterIP === "None")
    throw new NoDestinationError('cannot route to service with ClusterIP "None"');
  const wanted = ports.find((one) => one.port === port);
  if (wanted === undefined) throw new NoDestinationError(`no service port ${port} found for service ${goQuote(name)}`);
  const endpoints = cache.resource("/registry/core/endpoints/").get(key)?.object as V1Endpoints | undefined;
  const ready = addressesOf(endpoints, wanted.name ?? "");
  const chosen = ready[Math.floor(random() * ready.length)];
  return { ...(chosen ?? { host: clusterIP, port }), servername };
}

/** Every ready address of an endpoint port. */
export function addressesOf(endpoints: V1Endpoints | undefined, portName: string): { host: string; port: number }[] {
  return (endpoints?.subsets ?? []).flatMap(({ ports = [], addresses = [] }) =>
    ports
      .filter(({ name = "" }) => name === portName)
      .flatMap(({ port }) => addresses.map(({ ip }) => ({ host: ip, port }))),
  );
}
