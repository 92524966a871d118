/**
 * What one Service asks of a node, without a word of nftables: its frontends (address, protocol, port) and where each
 * may lead. Upstream: pkg/proxy/serviceport.go and the rules that pkg/proxy/nftables writes for it.
 */
import type { V1EndpointSlice, V1Service, V1ServicePort } from "#api/generated/types.ts";
import {
  type Address,
  type Cidr,
  cidrContains,
  type Family,
  familyOf,
  isSpecialAddress,
  parseAddress,
  parseCidr,
} from "#agent/network/address.ts";
import {
  endpointsOf,
  localReadyIps,
  type Place,
  type Policies,
  type Reachable,
  reachableEndpoints,
} from "./endpoint.ts";

export interface ProxyNode extends Place {
  /** Addresses on which node ports listen: the node's primary one of each family. */
  readonly nodeIps: readonly string[];
  /** Addresses that this node answers on itself (cluster DNS): never taken over, whatever a Service says. */
  readonly servedIps: readonly string[];
  /** Pod and service ranges of the cluster: no external address may lie in them. */
  readonly clusterCidrs: readonly Cidr[];
  /** Node addresses and API server addresses of the cluster: likewise. */
  readonly guardedIps: ReadonlySet<string>;
}

/** Whose claim on an address wins, lowest first; then the older Service. */
export const frontendRanks = { cluster: 0, node: 1, "load-balancer": 2, external: 3 } as const;
export type FrontendKind = keyof typeof frontendRanks;

export interface Frontend {
  readonly family: Family;
  /** "10.43.0.1 . tcp . 443" */
  readonly key: string;
  readonly kind: FrontendKind;
  readonly targets: readonly string[];
  /** Where traffic from this node and its pods goes although a policy of Local holds for others. */
  readonly insideTargets?: readonly string[];
  readonly stickySeconds?: number;
  /** What happens to traffic that no target takes. */
  readonly otherwise?: "reject" | "drop";
  /** Only these sources may come in. */
  readonly sources?: readonly string[];
}

export interface ServicePlan {
  readonly name: string;
  /** Breaks ties between Services of one rank that claim one frontend. */
  readonly age: string;
  readonly frontends: readonly Frontend[];
  readonly clusterIps: readonly string[];
  /** Endpoint addresses on this node, for pods that reach themselves through a Service. */
  readonly localIps: readonly string[];
  readonly healthCheck?: HealthCheck;
}

export interface HealthCheck {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  readonly localEndpoints: number;
}

/** Set on a Service that some other proxy takes care of. */
const otherProxyLabel = "service.kubernetes.io/service-proxy-name";
const stickySecondsDefault = 10_800;

export function isProxied({ metadata, spec }: V1Service): boolean {
  const hasAddress = (spec?.clusterIP ?? "") !== "" && spec?.clusterIP !== "None";
  return hasAddress && spec?.type !== "ExternalName" && metadata.labels?.[otherProxyLabel] === undefined;
}

/** `slices`: the EndpointSlices labelled with the Service's name in its namespace. */
export function planService(service: V1Service, slices: readonly V1EndpointSlice[], node: ProxyNode): ServicePlan {
  const { metadata, spec } = service;
  const clusterIps = addressesOf(service).filter((ip) => !node.servedIps.includes(ip));
  const outside = outsideAddresses(service, node);
  const frontends: Frontend[] = [];
  const localIps = new Set<string>();
  const readyIps = new Set<string>();
  for (const family of new Set(clusterIps.map((ip) => familyOf(ip)!))) {
    for (const port of spec?.ports ?? []) {
      const policies = policiesOf(service, outside.length > 0 || port.nodePort !== undefined);
      const endpoints = endpointsOf(port, family, slices, node);
      const reachable = reachableEndpoints(endpoints, policies, node);
      frontends.push(...portFrontends(service, port, family, clusterIps, outside, policies, reachable, node));
      for (const ip of localReadyIps(endpoints)) readyIps.add(ip);
      for (const { ip, isLocal } of endpoints) if (isLocal) localIps.add(ip);
    }
  }
  const namespace = metadata.namespace ?? "";
  const name = metadata.name ?? "";
  return {
    name: `${namespace}/${name}`,
    age: `${metadata.creationTimestamp ?? ""} ${namespace}/${name}`,
    frontends,
    clusterIps,
    localIps: [...localIps],
    ...(spec?.healthCheckNodePort !== undefined && spec.healthCheckNodePort > 0 && isExternalLocal(service)
      ? { healthCheck: { namespace, name, port: spec.healthCheckNodePort, localEndpoints: readyIps.size } }
      : {}),
  };
}

function portFrontends(
  service: V1Service,
  port: V1ServicePort,
  family: Family,
  clusterIps: readonly string[],
  outside: readonly OutsideAddress[],
  policies: Policies,
  reachable: Reachable,
  node: ProxyNode,
): Frontend[] {
  const protocol = (port.protocol ?? "TCP").toLowerCase();
  const stickySeconds = stickySecondsOf(service);
  const make = (
    kind: FrontendKind,
    ip: string,
    number: number,
    isLocal: boolean,
    sources?: readonly string[],
  ): Frontend => {
    const targets = isLocal ? reachable.local : reachable.cluster;
    const otherwise = reachable.hasAny ? "drop" : "reject";
    const hasInside = isLocal && kind !== "cluster" && reachable.cluster.length > 0;
    return {
      family,
      kind,
      key: `${ip} . ${protocol} . ${number}`,
      targets,
      ...(hasInside ? { insideTargets: reachable.cluster } : {}),
      ...(stickySeconds === undefined ? {} : { stickySeconds }),
      ...(targets.length === 0 ? { otherwise } : {}),
      ...(sources === undefined ? {} : { sources }),
    };
  };
  const inFamily = (ip: string): boolean => familyOf(ip) === family;
  const nodeIps = port.nodePort === undefined || port.nodePort === 0 ? [] : node.nodeIps.filter(inFamily);
  return [
    ...clusterIps.filter(inFamily).map((ip) => make("cluster", ip, port.port, policies.isInternalLocal)),
    ...nodeIps.map((ip) => make("node", ip, port.nodePort!, policies.isExternalLocal)),
    ...outside
      .filter(({ ip }) => inFamily(ip))
      .map(({ ip, kind, sources }) => make(kind, ip, port.port, policies.isExternalLocal, sources)),
  ];
}

interface OutsideAddress {
  readonly ip: string;
  readonly kind: "load-balancer" | "external";
  readonly sources?: readonly string[];
}

/** Load balancer and external addresses that may be taken over (CVE-2020-8554: not those that the cluster lives on). */
function outsideAddresses({ spec, status }: V1Service, node: ProxyNode): OutsideAddress[] {
  const isFree = (ip: string): boolean => isFreeAddress(ip, node);
  const ranges = (spec?.loadBalancerSourceRanges ?? []).map((range) => range.trim());
  const ingress = spec?.type === "LoadBalancer" ? (status?.loadBalancer?.ingress ?? []) : [];
  const balanced = ingress.filter(({ ip, ipMode }) => ip !== undefined && ipMode !== "Proxy" && isFree(ip));
  return [
    ...balanced.map(({ ip }) => ({ ip: ip!, kind: "load-balancer" as const, ...sourcesFor(ip!, ranges) })),
    ...(spec?.externalIPs ?? []).filter(isFree).map((ip) => ({ ip, kind: "external" as const })),
  ];
}

function isFreeAddress(ip: string, node: ProxyNode): boolean {
  const address: Address | undefined = parseAddress(ip);
  if (address === undefined || isSpecialAddress(address)) return false;
  if (node.guardedIps.has(ip) || node.servedIps.includes(ip)) return false;
  return !node.clusterCidrs.some((cidr) => cidrContains(cidr, address));
}

/** A node sends to a load balancer's address from that very address if it is bound here, so it is let in too. */
function sourcesFor(ip: string, ranges: readonly string[]): { sources?: readonly string[] } {
  if (ranges.length === 0) return {};
  const family = familyOf(ip);
  return { sources: [...ranges.filter((range) => parseCidr(range)?.family === family), ip] };
}

function policiesOf(service: V1Service, isExternal: boolean): Policies {
  return {
    isInternalLocal: service.spec?.internalTrafficPolicy === "Local",
    isExternalLocal: isExternalLocal(service),
    isExternal,
  };
}

function isExternalLocal({ spec }: V1Service): boolean {
  return spec?.externalTrafficPolicy === "Local";
}

function addressesOf({ spec }: V1Service): string[] {
  const all = spec?.clusterIPs ?? (spec?.clusterIP === undefined ? [] : [spec.clusterIP]);
  return all.filter((ip) => familyOf(ip) !== undefined);
}

function stickySecondsOf({ spec }: V1Service): number | undefined {
  if (spec?.sessionAffinity !== "ClientIP") return undefined;
  return spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? stickySecondsDefault;
}
