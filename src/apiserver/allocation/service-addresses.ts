/**
 * Cluster IPs of Services: families and policy by what the cluster has, addresses from its ranges, never one twice.
 * Upstream: pkg/registry/core/service/storage/alloc.go, ipallocator.
 */
import type { Random } from "#lib/random.ts";
import type { V1Service, V1ServiceSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { internalError } from "#api/status-catalogue.ts";
import { invalid, invalidObject } from "#api/validation/field-errors.ts";
import { addressText, type Cidr, contains } from "./cidr.ts";
import type { Reservations } from "./reservation.ts";

const none = "None";
const serviceKind = { group: "", kind: "Service" };

export interface AddressAllocator {
  ranges: readonly Cidr[];
  reservations: Reservations;
  random: Random;
  dryRun: boolean;
}

const familyName = (family: 4 | 6): string => (family === 4 ? "IPv4" : "IPv6");
const otherFamily = (family: string): string => (family === "IPv4" ? "IPv6" : "IPv4");
const familyOf = (address: string): string => (address.includes(":") ? "IPv6" : "IPv4");

export function addressesHeld(service: V1Service | undefined): Set<string> {
  const { spec } = service ?? {};
  if (spec === undefined || spec.type === "ExternalName") return new Set();
  return new Set((spec.clusterIPs ?? []).filter((address) => address !== none && address !== ""));
}

const isHeadless = ({ clusterIPs = [] }: V1ServiceSpec): boolean => clusterIPs[0] === none;

/** Keeps clusterIP and clusterIPs the same where a client knows only one of them. Upstream: normalizeClusterIPs. */
export function normalizeClusterIps(spec: V1ServiceSpec, old: V1ServiceSpec | undefined): void {
  const { clusterIP = "" } = spec;
  if (old === undefined) {
    if (clusterIP !== "" && (spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [clusterIP];
    return;
  }
  const oldIp = old.clusterIP ?? "";
  const sameIps = JSON.stringify(old.clusterIPs ?? []) === JSON.stringify(spec.clusterIPs ?? []);
  if (oldIp !== clusterIP && clusterIP === "" && sameIps) delete spec.clusterIPs;
  else if (oldIp !== clusterIP && clusterIP !== "" && sameIps) spec.clusterIPs = [clusterIP];
}

/** Decides families and policy. Throws a 422. Upstream: initIPFamilyFields. */
export function fillFamilies(service: V1Service, old: V1Service | undefined, { ranges }: AddressAllocator): void {
  const spec = service.spec!;
  if (spec.type === "ExternalName") return;
  const configured = ranges.map(({ family }) => familyName(family));
  const usual = configured[0]!;
  const families = [...(spec.ipFamilies ?? [])];
  const errors: FieldError[] = [];
  for (const [index, address] of (spec.clusterIPs ?? []).entries()) {
    if (address === none) break;
    const family = familyOf(address);
    if (families[index] !== undefined) continue;
    if (configured.includes(family)) families[index] = family;
    else
      errors.push(invalid(`spec.clusterIPs[${index}]`, spec.clusterIPs, `${family} is not configured on this cluster`));
  }
  if (errors.length > 0) throw invalidObject(serviceKind, service.metadata.name ?? "", errors);
  if (isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0) {
    spec.ipFamilyPolicy ??= "RequireDualStack";
    if (families.length === 0) families.push(usual);
    if (spec.ipFamilyPolicy !== "SingleStack" && families.length === 1) families.push(otherFamily(families[0]!));
    spec.ipFamilies = families;
    return;
  }
  const isDual = families.length === 2 || (spec.clusterIPs ?? []).length === 2;
  spec.ipFamilyPolicy ??= isDual && old === undefined ? "RequireDualStack" : "SingleStack";
  for (const [index, family] of families.entries())
    if (!configured.includes(family))
      errors.push(invalid(`spec.ipFamilies[${index}]`, family, "not configured on this cluster"));
  if (spec.ipFamilyPolicy === "RequireDualStack" && configured.length < 2)
    errors.push(
      invalid("spec.ipFamilyPolicy", spec.ipFamilyPolicy, "this cluster is not configured for dual-stack services"),
    );
  if (spec.ipFamilyPolicy === "SingleStack" && families.length > 1 && old === undefined)
    errors.push(
      invalid(
        "spec.ipFamilyPolicy",
        spec.ipFamilyPolicy,
        "may only be 'PreferDualStack' or 'RequireDualStack' when multiple 'ipFamilies' are specified",
      ),
    );
  if (errors.length > 0) throw invalidObject(serviceKind, service.metadata.name ?? "", errors);
  if (families.length === 0) families.push(usual);
  if (spec.ipFamilyPolicy !== "SingleStack" && families.length === 1 && configured.length > 1)
    families.push(otherFamily(families[0]!));
  spec.ipFamilies = families;
}

/** Gives an address of each family; what is asked for must be free and in a range. Throws a 422. */
export function fillAddresses(service: V1Service, held: ReadonlySet<string>, allocator: AddressAllocator): void {
  const spec = service.spec!;
  if (spec.type === "ExternalName") return;
  if (isHeadless(spec)) {
    spec.clusterIPs = [none];
    spec.clusterIP = none;
    return;
  }
  const wanted = [...(spec.clusterIPs ?? [])];
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    const address = wanted[index];
    if (address !== undefined && address !== "") {
      const fault = held.has(address) ? undefined : addressFault(address, allocator);
      if (fault !== undefined)
        throw invalidObject(serviceKind, service.metadata.name ?? "", [
          invalid("spec.clusterIPs", spec.clusterIPs, `failed to allocate IP ${address}: ${fault}`),
        ]);
    } else wanted[index] = nextAddress(family, allocator);
  }
  spec.clusterIPs = wanted;
  spec.clusterIP = wanted[0] ?? "";
}

function addressFault(address: string, { ranges, reservations, dryRun }: AddressAllocator): string | undefined {
  const range = ranges.find(({ family }) => familyName(family) === familyOf(address));
  if (range === undefined || !contains(range, address)) {
    const shown = range === undefined ? "" : `${addressText(range.base, range.family)}/${prefixLength(range)}`;
    return `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${shown}`;
  }
  return !dryRun && reservations.isTaken(address) ? "provided IP is already allocated" : undefined;
}

const prefixLength = ({ family, size }: Cidr): number => (family === 4 ? 32 : 128) - (size.toString(2).length - 1);

/** The low end is left to those who ask for an address of their own. Upstream: calculateRangeOffset. */
function nextAddress(family: string, { ranges, reservations, random }: AddressAllocator): string {
  const range = ranges.find((one) => familyName(one.family) === family);
  if (range === undefined) throw internalError(`failed to allocate a serviceIP: no range of ${family}`);
  // The network's own address and, in IPv4, its broadcast address are nobody's.
  const first = 1;
  const last = Number(range.size > 1_048_576n ? 1_048_576n : range.size) - (range.family === 4 ? 2 : 1);
  const count = last - first + 1;
  const reserved = count < 16 ? 0 : Math.min(Math.max(16, count >> 4), 256);
  const at = (offset: number) => addressText(range.base + BigInt(offset), range.family);
  const upper = count - reserved;
  const start = Math.floor(random.next() * upper);
  for (let step = 0; step < upper; step += 1) {
    const address = at(first + reserved + ((start + step) % upper));
    if (!reservations.isTaken(address)) return address;
  }
  for (let offset = first; offset < first + reserved; offset += 1) {
    const address = at(offset);
    if (!reservations.isTaken(address)) return address;
  }
  throw internalError("failed to allocate a serviceIP: range is full");
}
