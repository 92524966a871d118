/** Endpoints, ports and hints of a slice. Upstream: pkg/apis/discovery/validation/validation.go, v1/defaults.go. */
import type { DiscoveryV1EndpointPort, V1Endpoint, V1EndpointHints, V1EndpointSlice } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { duplicate, invalid, invalidEach, notSupported, required, tooMany } from "#api/validation/field-errors.ts";
import { fullyQualifiedDomainNameErrors } from "#api/validation/formats.ts";
import { familyOf, ipErrors, ipWarnings, nonSpecialIpErrors } from "#api/validation/ip.ts";
import { isDns1123Subdomain, isLabelValue, isQualifiedName } from "#api/validation/names.ts";
import { dnsLabel, dnsSubdomain, immutable } from "#api/validation/values.ts";

export const endpointsMax = 1000;
export const portsMax = 20_000;
export const addressesMax = 100;
export const hintsMax = 8;

const addressTypes = ["FQDN", "IPv4", "IPv6"];
const protocols = ["SCTP", "TCP", "UDP"];

export function defaultSlice(slice: V1EndpointSlice): void {
  for (const port of slice.ports ?? []) {
    port.name ??= "";
    port.protocol ??= "TCP";
  }
}

/** Empty lists do not survive upstream's storage; the fields are always written. After managed fields are known. */
export function nullEmptyLists(slice: V1EndpointSlice): void {
  const nullable = slice as { endpoints: unknown; ports: unknown };
  if ((slice.endpoints ?? []).length === 0) nullable.endpoints = null;
  if ((slice.ports ?? []).length === 0) nullable.ports = null;
}

export function sliceErrors(slice: V1EndpointSlice, old: V1EndpointSlice | undefined): FieldError[] {
  const { addressType = "", endpoints, ports } = slice as Partial<V1EndpointSlice>;
  const errors: FieldError[] = [];
  if (addressType === "") errors.push(required("addressType"));
  else if (!addressTypes.includes(addressType)) errors.push(notSupported("addressType", addressType, addressTypes));
  errors.push(...endpointsErrors(endpoints ?? [], addressType), ...portsErrors(ports ?? []));
  return old === undefined ? errors : [...errors, ...immutable("addressType", addressType, old.addressType)];
}

function endpointsErrors(endpoints: readonly V1Endpoint[], addressType: string): FieldError[] {
  if (endpoints.length > endpointsMax) return [tooMany("endpoints", endpoints.length, endpointsMax)];
  return endpoints.flatMap((endpoint, index) => endpointErrors(endpoint, addressType, `endpoints[${index}]`));
}

function endpointErrors(endpoint: V1Endpoint, addressType: string, path: string): FieldError[] {
  const { hostname, nodeName, hints } = endpoint;
  const addresses = endpoint.addresses ?? [];
  const errors: FieldError[] = [];
  if (addresses.length === 0) errors.push(required(`${path}.addresses`, "must contain at least 1 address"));
  else if (addresses.length > addressesMax) errors.push(tooMany(`${path}.addresses`, addresses.length, addressesMax));
  for (const [index, address] of addresses.entries())
    errors.push(...addressErrors(address, addressType, `${path}.addresses[${index}]`));
  if (nodeName !== undefined) errors.push(...dnsSubdomain(`${path}.nodeName`, nodeName));
  if (hostname !== undefined) errors.push(...dnsLabel(`${path}.hostname`, hostname));
  return hints === undefined ? errors : [...errors, ...hintsErrors(hints, `${path}.hints`)];
}

function addressErrors(address: string, addressType: string, path: string): FieldError[] {
  if (addressType === "FQDN") return fullyQualifiedDomainNameErrors(path, address);
  if (addressType !== "IPv4" && addressType !== "IPv6") return [];
  const errors = ipErrors(path, address);
  if (errors.length > 0) return errors;
  if (familyOf(address) !== addressType) errors.push(invalid(path, address, `must be an ${addressType} address`));
  return [...errors, ...nonSpecialIpErrors(path, address)];
}

function hintsErrors({ forZones = [], forNodes = [] }: V1EndpointHints, path: string): FieldError[] {
  if (forZones.length > hintsMax) return [tooMany(`${path}.forZones`, forZones.length, hintsMax)];
  const errors = namesErrors(forZones, `${path}.forZones`, isLabelValue);
  if (forNodes.length > hintsMax) return [...errors, tooMany(`${path}.forNodes`, forNodes.length, hintsMax)];
  return [...errors, ...namesErrors(forNodes, `${path}.forNodes`, isDns1123Subdomain)];
}

const namesErrors = (
  hints: readonly { name?: string }[],
  path: string,
  rule: (name: string) => string[],
): FieldError[] =>
  hints.flatMap(({ name = "" }, index) => {
    const at = `${path}[${index}].name`;
    const isSeen = hints.slice(0, index).some((other) => (other.name ?? "") === name);
    return [...(isSeen ? [duplicate(at, name)] : []), ...invalidEach(at, name, rule(name))];
  });

function portsErrors(ports: readonly DiscoveryV1EndpointPort[]): FieldError[] {
  if (ports.length > portsMax) return [tooMany("ports", ports.length, portsMax)];
  const names = new Set<string>();
  return ports.flatMap(({ name = "", protocol, appProtocol }, index) => {
    const at = `ports[${index}]`;
    const errors = name === "" ? [] : dnsLabel(`${at}.name`, name);
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
    if (protocol === undefined) errors.push(required(`${at}.protocol`));
    else if (!protocols.includes(protocol)) errors.push(notSupported(`${at}.protocol`, protocol, protocols));
    if (appProtocol !== undefined)
      errors.push(...invalidEach(`${at}.appProtocol`, appProtocol, isQualifiedName(appProtocol)));
    return errors;
  });
}

const managedBy = "endpointslice.kubernetes.io/managed-by";
/** Who would only be told what they had from elsewhere. */
const ownManagers = ["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"];

/** Upstream: warnOnDeprecatedAddressType, warnOnBadIPs. */
export function sliceWarnings(slice: V1EndpointSlice, old: V1EndpointSlice | undefined): string[] {
  const { metadata, addressType, endpoints } = slice;
  const warnings =
    old === undefined && addressType === "FQDN" ? ["spec.addressType: FQDN endpoints are deprecated"] : [];
  if (addressType === "FQDN" || ownManagers.includes(metadata.labels?.[managedBy] ?? "")) return warnings;
  const texts = (endpoints ?? []).flatMap(({ addresses }, index) =>
    (addresses ?? []).flatMap((address, position) => ipWarnings(`endpoints[${index}].addresses[${position}]`, address)),
  );
  return [...warnings, ...texts];
}
