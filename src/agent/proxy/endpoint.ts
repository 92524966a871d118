/**
 * Which endpoints of a service port may receive traffic: ready ones, else those that serve while they terminate; here
 * only, or anywhere; near by where hints say so. Upstream: pkg/proxy/topology.go.
 */
import type { V1Endpoint, V1EndpointSlice, V1ServicePort } from "#api/generated/types.ts";
import {
  type Cidr,
  cidrContains,
  type Family,
  formatAddress,
  isSpecialAddress,
  parseAddress,
} from "#agent/network/address.ts";

/** The node at whose place traffic is steered. */
export interface Place {
  readonly nodeName: string;
  readonly zone?: string;
  /** The node's own pod ranges: an endpoint without node name is local if its address lies in one. */
  readonly podCidrs: readonly Cidr[];
}

export interface Endpoint {
  /** "10.42.0.7 . 8080", as maps hold it. */
  readonly target: string;
  readonly ip: string;
  readonly isReady: boolean;
  readonly isServing: boolean;
  readonly isTerminating: boolean;
  readonly isLocal: boolean;
  readonly zones: readonly string[];
  readonly nodes: readonly string[];
}

export interface Policies {
  readonly isInternalLocal: boolean;
  readonly isExternalLocal: boolean;
  /** Reachable by a node port, a load balancer or an external address. */
  readonly isExternal: boolean;
}

export interface Reachable {
  /** Targets under a policy of Cluster, sorted. */
  readonly cluster: readonly string[];
  /** Targets under a policy of Local, sorted. */
  readonly local: readonly string[];
  /** Somebody somewhere could answer, here or not: decides between refusing and dropping. */
  readonly hasAny: boolean;
}

/** The endpoints of one service port in one family; an address is taken once, whatever number of slices names it. */
export function endpointsOf(
  port: V1ServicePort,
  family: Family,
  slices: readonly V1EndpointSlice[],
  place: Place,
): Endpoint[] {
  const found = new Map<string, Endpoint>();
  for (const slice of slices) {
    if (slice.addressType !== (family === "ip" ? "IPv4" : "IPv6")) continue;
    for (const { name, port: number, protocol } of slice.ports ?? []) {
      if ((name ?? "") !== (port.name ?? "") || (protocol ?? "TCP") !== (port.protocol ?? "TCP")) continue;
      if (number === undefined || number === null) continue;
      for (const endpoint of slice.endpoints ?? []) {
        const made = makeEndpoint(endpoint, family, number, place);
        if (made !== undefined && prefer(made, found.get(made.target))) found.set(made.target, made);
      }
    }
  }
  return [...found.values()];
}

export function reachableEndpoints(endpoints: readonly Endpoint[], policies: Policies, place: Place): Reachable {
  const usesCluster = !policies.isInternalLocal || policies.isExternal;
  const usesLocal = policies.isInternalLocal || (policies.isExternalLocal && policies.isExternal);
  const ready = endpoints.filter(({ isReady }) => isReady);
  const draining = endpoints.filter((endpoint) => endpoint.isServing && endpoint.isTerminating);
  const nearby = nearbyFilter(ready, place);
  const cluster = usesCluster ? orElse(ready.filter(nearby), draining) : [];
  const isLocal = ({ isLocal }: Endpoint): boolean => isLocal;
  const local = usesLocal ? orElse(ready.filter(isLocal), draining.filter(isLocal)) : [];
  const hasAny = cluster.length > 0 || (usesLocal && (ready.length > 0 || draining.length > 0));
  return { cluster: targets(cluster), local: targets(local), hasAny };
}

/** The addresses of ready endpoints on this node: how many there are is what a load balancer's health check asks. */
export function localReadyIps(endpoints: readonly Endpoint[]): string[] {
  return endpoints.filter(({ isReady, isLocal }) => isReady && isLocal).map(({ ip }) => ip);
}

function makeEndpoint(endpoint: V1Endpoint, family: Family, port: number, place: Place): Endpoint | undefined {
  const address = parseAddress(endpoint.addresses[0] ?? "");
  if (address?.family !== family || isSpecialAddress(address)) return undefined;
  const ip = formatAddress(address);
  const { ready = true, serving = true, terminating = false } = endpoint.conditions ?? {};
  const { nodeName, hints } = endpoint;
  const isHere = place.podCidrs.some((cidr) => cidrContains(cidr, address));
  return {
    target: `${ip} . ${port}`,
    ip,
    isReady: ready,
    isServing: serving,
    isTerminating: terminating,
    isLocal: nodeName === undefined ? isHere : nodeName === place.nodeName,
    zones: (hints?.forZones ?? []).map(({ name }) => name),
    nodes: (hints?.forNodes ?? []).map(({ name }) => name),
  };
}

/** Of two entries with one address (a slice is being rewritten) the readier counts. */
function prefer(made: Endpoint, known: Endpoint | undefined): boolean {
  return known === undefined || (made.isReady && !known.isReady) || (made.isServing && !known.isServing);
}

/** Hints count only if every ready endpoint has one and some endpoint is meant for this place. */
function nearbyFilter(ready: readonly Endpoint[], { nodeName, zone }: Place): (endpoint: Endpoint) => boolean {
  if (ready.every(({ nodes }) => nodes.length > 0) && ready.some(({ nodes }) => nodes.includes(nodeName)))
    return ({ nodes }) => nodes.includes(nodeName);
  if (zone === undefined || !ready.every(({ zones }) => zones.length > 0)) return () => true;
  return ready.some(({ zones }) => zones.includes(zone)) ? ({ zones }) => zones.includes(zone) : () => true;
}

function orElse<T>(first: readonly T[], second: readonly T[]): readonly T[] {
  return first.length > 0 ? first : second;
}

function targets(endpoints: readonly Endpoint[]): string[] {
  return endpoints.map(({ target }) => target).sort();
}
