/** What DNS answers are made of, kept up to date object by object: Services with their endpoints, namespaces, addresses. */
import type { V1EndpointSlice, V1Namespace, V1Service } from "#api/generated/types.ts";
import { formatAddress, parseAddress } from "#agent/network/address.ts";

export interface NamedPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}

export interface DnsEndpoint {
  readonly ip: string;
  /** The endpoint's host name, or its address with dashes. */
  readonly label: string;
  readonly ports: readonly NamedPort[];
}

export interface DnsService {
  readonly namespace: string;
  readonly name: string;
  readonly clusterIps: readonly string[];
  readonly isHeadless: boolean;
  readonly externalName?: string;
  readonly ports: readonly NamedPort[];
  readonly endpoints: readonly DnsEndpoint[];
}

export interface DnsIndex {
  service(namespace: string, name: string): DnsService | undefined;
  hasNamespace(namespace: string): boolean;
  /** The names that an address has, relative to "svc.<zone>": "web.default", "a.web.default". */
  namesOf(ip: string): readonly string[];
}

const serviceNameLabel = "kubernetes.io/service-name";

export class ServiceIndex implements DnsIndex {
  readonly #namespaces = new Set<string>();
  readonly #objects = new Map<string, V1Service>();
  readonly #slices = new Map<string, Map<string, V1EndpointSlice>>();
  readonly #services = new Map<string, DnsService>();
  readonly #names = new Map<string, Set<string>>();

  service(namespace: string, name: string): DnsService | undefined {
    return this.#services.get(`${namespace}/${name}`);
  }

  hasNamespace(namespace: string): boolean {
    return this.#namespaces.has(namespace);
  }

  /** A Service's own name before those of endpoints. */
  namesOf(ip: string): readonly string[] {
    const names = [...(this.#names.get(ip) ?? [])];
    const short = names.filter((name) => name.split(".").length === 2);
    return short.length > 0 ? short : names;
  }

  setNamespace(name: string, namespace: V1Namespace | undefined): void {
    if (namespace === undefined) this.#namespaces.delete(name);
    else this.#namespaces.add(name);
  }

  setService(key: string, service: V1Service | undefined): void {
    if (service === undefined) this.#objects.delete(key);
    else this.#objects.set(key, service);
    this.#build(key);
  }

  setSlice(slice: V1EndpointSlice | undefined, old: V1EndpointSlice | undefined): void {
    const owner = slice === undefined ? undefined : sliceOwner(slice);
    const former = old === undefined ? undefined : sliceOwner(old);
    if (former !== undefined && former !== owner) this.#putSlice(former, old?.metadata.name ?? "", undefined);
    if (owner !== undefined) this.#putSlice(owner, slice?.metadata.name ?? "", slice);
  }

  #putSlice(owner: string, name: string, slice: V1EndpointSlice | undefined): void {
    const slices = this.#slices.get(owner) ?? new Map<string, V1EndpointSlice>();
    if (slice === undefined) slices.delete(name);
    else slices.set(name, slice);
    if (slices.size === 0) this.#slices.delete(owner);
    else this.#slices.set(owner, slices);
    this.#build(owner);
  }

  #build(key: string): void {
    const former = this.#services.get(key);
    if (former !== undefined) for (const [ip, name] of addressNames(former)) this.#unname(ip, name);
    const object = this.#objects.get(key);
    if (object === undefined) return void this.#services.delete(key);
    const built = buildService(object, [...(this.#slices.get(key)?.values() ?? [])]);
    this.#services.set(key, built);
    for (const [ip, name] of addressNames(built)) {
      const names = this.#names.get(ip);
      if (names === undefined) this.#names.set(ip, new Set([name]));
      else names.add(name);
    }
  }

  #unname(ip: string, name: string): void {
    const names = this.#names.get(ip);
    if (names?.delete(name) === true && names.size === 0) this.#names.delete(ip);
  }
}

export function buildService({ metadata, spec }: V1Service, slices: readonly V1EndpointSlice[]): DnsService {
  const isExternal = spec?.type === "ExternalName";
  const all = spec?.clusterIPs ?? (spec?.clusterIP === undefined ? [] : [spec.clusterIP]);
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name ?? "",
    clusterIps: isExternal ? [] : all.filter((ip) => parseAddress(ip) !== undefined),
    isHeadless: !isExternal && spec?.clusterIP === "None",
    ...(isExternal && spec?.externalName !== undefined ? { externalName: spec.externalName } : {}),
    ports: (spec?.ports ?? []).map(({ name, protocol, port }) => namedPort(name, protocol, port)),
    endpoints: slices.flatMap(sliceEndpoints),
  };
}

function sliceEndpoints({ addressType, endpoints, ports }: V1EndpointSlice): DnsEndpoint[] {
  if (addressType === "FQDN") return [];
  const named = (ports ?? []).flatMap(({ name, protocol, port }) =>
    port === undefined || port === null ? [] : [namedPort(name, protocol, port)],
  );
  return (endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses, hostname }) => addresses.map((ip) => ({ ip, label: hostname ?? dashed(ip), ports: named })));
}

function addressNames({ namespace, name, clusterIps, endpoints }: DnsService): [string, string][] {
  return [
    ...clusterIps.map((ip): [string, string] => [shortest(ip), `${name}.${namespace}`]),
    ...endpoints.map(({ ip, label }): [string, string] => [shortest(ip), `${label}.${name}.${namespace}`]),
  ];
}

function namedPort(name: string | undefined, protocol: string | undefined, port: number): NamedPort {
  return { name: (name ?? "").toLowerCase(), protocol: (protocol ?? "TCP").toLowerCase(), port };
}

/** "10-42-0-7", "fd00--7" */
function dashed(ip: string): string {
  return ip.replaceAll(/[.:]/g, "-");
}

function shortest(ip: string): string {
  const address = parseAddress(ip);
  return address === undefined ? ip : formatAddress(address);
}

function sliceOwner({ metadata }: V1EndpointSlice): string | undefined {
  const service = metadata.labels?.[serviceNameLabel];
  return service === undefined || service === "" ? undefined : `${metadata.namespace ?? ""}/${service}`;
}
