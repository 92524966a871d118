/**
 * What the cluster's zone says to a question: the Kubernetes DNS specification 1.1 as a pure function of the index.
 * Names outside (and reverse names that are none of the cluster's) are for other servers.
 */
import {
  type Cidr,
  cidrContains,
  formatAddress,
  parseAddress,
  parseReverseName,
  reverseName,
} from "#agent/network/address.ts";
import type { DnsEndpoint, DnsIndex, DnsService, NamedPort } from "./service-index.ts";

export type RecordType = "A" | "AAAA" | "CNAME" | "SRV" | "PTR" | "TXT" | "SOA" | "NS";

export interface DnsRecord {
  readonly name: string;
  readonly type: RecordType;
  readonly ttlSeconds: number;
  readonly data: RecordData;
}

export type RecordData =
  | { readonly address: string }
  | { readonly target: string }
  | { readonly target: string; readonly port: number; readonly priority: number; readonly weight: number }
  | { readonly text: string }
  | { readonly server: string; readonly mailbox: string; readonly serial: number; readonly minimumSeconds: number };

export interface Zone {
  /** "cluster.local", lower case, without final dot. */
  readonly domain: string;
  /** Where this server answers, for the zone's own name server record. */
  readonly serverIps: readonly string[];
  /** Reverse names of these ranges are ours, known or not. */
  readonly reverseCidrs: readonly Cidr[];
  /** Grows with every change, so that secondaries would notice; seconds since the epoch do. */
  readonly serial: number;
}

export type Answer =
  | { readonly kind: "forward" }
  | {
      readonly kind: "found";
      readonly records: readonly DnsRecord[];
      readonly additional: readonly DnsRecord[];
      /** A name outside the zone that the last record, a CNAME, leads to. */
      readonly follow?: string;
    }
  /** The name exists, but has no records of this type. */
  | { readonly kind: "empty"; readonly soa: DnsRecord }
  | { readonly kind: "missing"; readonly soa: DnsRecord };

export const recordTtlSeconds = 5;
/** Aliases that are followed within the zone; a ring of them ends here. */
const aliasesMax = 8;
export const dnsSchemaVersion = "1.1.0";

/** `name` as it was asked, in any case, without final dot; `type` like "A" or "ANY". */
export function lookup(index: DnsIndex, zone: Zone, name: string, type: string, depth = 0): Answer {
  const lower = name.toLowerCase();
  const address = parseReverseName(lower);
  if (address !== undefined) return reverse(index, zone, name, lower, type);
  if (lower !== zone.domain && !lower.endsWith(`.${zone.domain}`)) return { kind: "forward" };
  const labels = lower === zone.domain ? [] : lower.slice(0, -zone.domain.length - 1).split(".");
  const node = find(index, zone, labels.toReversed());
  if (node === undefined) return { kind: "missing", soa: soaOf(zone) };
  return answer(index, zone, name, type, node, depth);
}

/** What there is at a name. Nothing at all (an inner name of the tree) is a node too. */
interface DnsNode {
  readonly addresses?: readonly string[];
  readonly services?: readonly { readonly label: string; readonly ip?: readonly string[]; readonly port: number }[];
  readonly alias?: string;
  readonly text?: string;
  readonly isApex?: boolean;
}

function answer(index: DnsIndex, zone: Zone, name: string, type: string, node: DnsNode, depth: number): Answer {
  if (node.alias !== undefined) return alias(index, zone, name, type, node.alias, depth);
  const records: DnsRecord[] = [];
  const additional: DnsRecord[] = [];
  const wants = (wanted: RecordType): boolean => type === wanted || type === "ANY";
  records.push(...addressRecords(name, node.addresses ?? []).filter((record) => wants(record.type)));
  if (wants("SRV")) {
    const services = node.services ?? [];
    // As CoreDNS: all of them together weigh 100.
    const weight = Math.floor(100 / services.length);
    for (const { label, ip = [], port } of services) {
      const target = `${label}.svc.${zone.domain}`;
      records.push(record(name, "SRV", { target, port, priority: 0, weight }));
      additional.push(...addressRecords(target, ip));
    }
  }
  if (wants("TXT") && node.text !== undefined) records.push(record(name, "TXT", { text: node.text }));
  if (node.isApex === true) {
    if (wants("SOA")) records.push({ ...soaOf(zone), name });
    if (wants("NS")) records.push(record(name, "NS", { target: `ns.dns.${zone.domain}` }));
  }
  return records.length > 0 ? { kind: "found", records, additional } : { kind: "empty", soa: soaOf(zone) };
}

/** A CNAME, and what it leads to as far as that is here. */
function alias(index: DnsIndex, zone: Zone, name: string, type: string, target: string, depth: number): Answer {
  const first = record(name, "CNAME", { target });
  if (type === "CNAME") return { kind: "found", records: [first], additional: [] };
  if (depth >= aliasesMax) return { kind: "found", records: [first], additional: [] };
  const next = lookup(index, zone, target, type, depth + 1);
  if (next.kind === "forward") return { kind: "found", records: [first], additional: [], follow: target };
  if (next.kind !== "found") return { kind: "found", records: [first], additional: [] };
  return { ...next, records: [first, ...next.records] };
}

function find(index: DnsIndex, zone: Zone, labels: readonly string[]): DnsNode | undefined {
  const [kind, ...rest] = labels;
  if (kind === undefined) return { isApex: true };
  if (kind === "dns-version" && rest.length === 0) return { text: dnsSchemaVersion };
  if (kind === "dns") return findServer(zone, rest);
  if (kind === "svc") return findService(index, rest);
  return kind === "pod" ? findPod(index, rest) : undefined;
}

function findServer(zone: Zone, [label, ...rest]: readonly string[]): DnsNode | undefined {
  if (label === undefined) return {};
  return label === "ns" && rest.length === 0 ? { addresses: zone.serverIps } : undefined;
}

/** `labels` from the namespace on: [namespace, service, endpoint] or [namespace, service, _protocol, _port]. */
function findService(index: DnsIndex, labels: readonly string[]): DnsNode | undefined {
  const [namespace, name, third, fourth, ...rest] = labels;
  if (namespace === undefined) return {};
  if (name === undefined) return index.hasNamespace(namespace) ? {} : undefined;
  const service = index.service(namespace, name);
  if (service === undefined || rest.length > 0) return undefined;
  if (service.externalName !== undefined) {
    if (third !== undefined) return undefined;
    const isAddress = parseAddress(service.externalName) !== undefined;
    return isAddress ? { addresses: [service.externalName] } : { alias: withoutFinalDot(service.externalName) };
  }
  if (third === undefined) return serviceNode(service);
  if (third.startsWith("_")) return portNode(service, third.slice(1), fourth);
  return fourth === undefined ? endpointNode(service, third) : undefined;
}

/** A headless Service without endpoints has no records; its name exists all the same. */
function serviceNode(service: DnsService): DnsNode {
  const ips = service.isHeadless ? unique(service.endpoints.map(({ ip }) => ip)) : service.clusterIps;
  return { addresses: ips, services: srvTargets(service, () => true) };
}

function portNode(service: DnsService, protocol: string, portLabel: string | undefined): DnsNode | undefined {
  const known = service.isHeadless ? service.endpoints.flatMap(({ ports }) => ports) : service.ports;
  if (!known.some((port) => port.protocol === protocol)) return undefined;
  if (portLabel === undefined) return {};
  if (!portLabel.startsWith("_")) return undefined;
  const matches = (port: NamedPort): boolean => port.protocol === protocol && port.name === portLabel.slice(1);
  const services = srvTargets(service, matches);
  return services.length === 0 ? undefined : { services, addresses: unique(services.flatMap(({ ip }) => ip)) };
}

function endpointNode({ name, namespace, endpoints }: DnsService, label: string): DnsNode | undefined {
  const found = endpoints.filter((endpoint) => endpoint.label.toLowerCase() === label);
  if (found.length === 0) return undefined;
  return {
    addresses: unique(found.map(({ ip }) => ip)),
    services: found.flatMap(({ ip, ports }) =>
      ports.map(({ port }) => ({ label: `${label}.${name}.${namespace}`, ip: [ip], port })),
    ),
  };
}

interface SrvTarget {
  readonly label: string;
  readonly ip: readonly string[];
  readonly port: number;
}

function srvTargets(service: DnsService, matches: (port: NamedPort) => boolean): SrvTarget[] {
  const suffix = `${service.name}.${service.namespace}`;
  if (!service.isHeadless)
    return service.ports.filter(matches).map(({ port }) => ({ label: suffix, ip: service.clusterIps, port }));
  const seen = new Map<string, SrvTarget>();
  const add = ({ ip, label }: DnsEndpoint, port: number): void => {
    const known = seen.get(`${label} ${port}`);
    const ips = known === undefined ? [ip] : unique([...known.ip, ip]);
    seen.set(`${label} ${port}`, { label: `${label}.${suffix}`, ip: ips, port });
  };
  for (const endpoint of service.endpoints) for (const { port } of endpoint.ports.filter(matches)) add(endpoint, port);
  return [...seen.values()];
}

/** "10-42-0-7" in a namespace: the address that the name spells, whether or not a pod has it (as CoreDNS does). */
function findPod(index: DnsIndex, [namespace, label, ...rest]: readonly string[]): DnsNode | undefined {
  if (namespace === undefined) return {};
  if (!index.hasNamespace(namespace) || rest.length > 0) return undefined;
  if (label === undefined) return {};
  const address = parseAddress(label.replaceAll("-", ".")) ?? parseAddress(label.replaceAll("-", ":"));
  return address === undefined ? undefined : { addresses: [formatAddress(address)] };
}

function reverse(index: DnsIndex, zone: Zone, name: string, lower: string, type: string): Answer {
  const address = parseReverseName(lower)!;
  const names = index.namesOf(formatAddress(address));
  const isOurs = names.length > 0 || zone.reverseCidrs.some((cidr) => cidrContains(cidr, address));
  if (!isOurs) return { kind: "forward" };
  if (names.length === 0) return { kind: "missing", soa: soaOf(zone, reverseName(address)) };
  if (type !== "PTR" && type !== "ANY") return { kind: "empty", soa: soaOf(zone, reverseName(address)) };
  const records = names.map((known) => record(name, "PTR", { target: `${known}.svc.${zone.domain}` }));
  return { kind: "found", records, additional: [] };
}

function addressRecords(name: string, ips: readonly string[]): DnsRecord[] {
  return ips.map((address) => record(name, address.includes(":") ? "AAAA" : "A", { address }));
}

function soaOf({ domain, serial }: Zone, name = domain): DnsRecord {
  const data = {
    server: `ns.dns.${domain}`,
    mailbox: `hostmaster.${domain}`,
    serial,
    minimumSeconds: recordTtlSeconds,
  };
  return { name, type: "SOA", ttlSeconds: recordTtlSeconds, data };
}

function record(name: string, type: RecordType, data: RecordData): DnsRecord {
  return { name, type, ttlSeconds: recordTtlSeconds, data };
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

function withoutFinalDot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}
