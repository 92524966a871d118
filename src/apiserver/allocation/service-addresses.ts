/**
 * Cluster IPs of Services: addresses from the cluster's ranges, never one twice.
 * Upstream: pkg/registry/core/service/storage/alloc.go, ipallocator.
 */
import type { Random } from "#lib/random.ts";
import { isHeadless } from "#api/core/service-types.ts";
import type { FieldError } from "#api/field-error.ts";
import type { V1Service, V1ServiceSpec } from "#api/generated/types.ts";
import { internalError } from "#api/status-catalogue.ts";
import { invalid } from "#api/validation/field-errors.ts";
import { familyOf } from "#api/validation/ip.ts";
import { addressText, type Cidr, cidrText, familyName, hasHost } from "./cidr.ts";
import type { Reservations } from "./reservation.ts";
import { isUnchangedPreference } from "./service-families.ts";

const none = "None";

export interface AddressAllocator {
  /** Ranges that addresses are given from now, those of the cluster's own configuration first. */
  ranges: readonly Cidr[];
  reservations: Reservations;
  random: Random;
  /** A dry run takes nothing, and gives an address that is nobody's. */
  dryRun: boolean;
}

export function addressesHeld(service: V1Service | undefined): Set<string> {
  const { spec } = service ?? {};
  if (spec === undefined || spec.type === "ExternalName") return new Set();
  return new Set((spec.clusterIPs ?? []).filter((address) => address !== none && address !== ""));
}

/**
 * Gives an address of each family to a new service, to one that had none for its type, and to one that gets a second
 * family; others keep what they say, which validation compares with what they had. What is asked for must be free.
 */
export function fillAddresses(
  spec: V1ServiceSpec,
  old: V1ServiceSpec | undefined,
  allocator: AddressAllocator,
): FieldError[] {
  if (spec.type === "ExternalName" || spec.clusterIPs?.[0] === none) return [];
  if (old === undefined || old.type === "ExternalName") return takeAddresses(spec, 0, allocator);
  if (isHeadless(old) || isUnchangedPreference(spec, old)) return [];
  const isUpgraded = old.ipFamilies?.length === 1 && spec.ipFamilies?.length === 2;
  return isUpgraded ? takeAddresses(spec, 1, allocator) : [];
}

function takeAddresses(spec: V1ServiceSpec, from: number, allocator: AddressAllocator): FieldError[] {
  const asked = [...(spec.clusterIPs ?? [])];
  const given = [...asked];
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    if (index < from) continue;
    const address = asked[index] ?? "";
    const fault = address === "" ? undefined : addressFault(address, allocator);
    if (fault !== undefined) return [invalid("spec.clusterIPs", asked, `failed to allocate IP ${address}: ${fault}`)];
    given[index] = address === "" ? nextAddress(family, allocator) : address;
  }
  spec.clusterIPs = given;
  if (given[0] !== undefined) spec.clusterIP = given[0];
  return [];
}

function addressFault(address: string, { ranges, reservations, dryRun }: AddressAllocator): string | undefined {
  const isInRange = ranges.some((range) => hasHost(range, address));
  if (dryRun) {
    if (isInRange) return undefined;
    const own = ranges.find(({ family }) => familyName(family) === familyOf(address));
    const shown = own === undefined ? "" : cidrText(own);
    return `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${shown}`;
  }
  if (!isInRange) return "the provided network does not match the current range";
  return reservations.isTaken(address) ? "provided IP is already allocated" : undefined;
}

function nextAddress(family: string, { ranges, reservations, random, dryRun }: AddressAllocator): string {
  const own = ranges.filter((range) => familyName(range.family) === family);
  if (dryRun && own[0] !== undefined) return addressText(own[0].base, own[0].family);
  for (const range of own) {
    const address = nextOf(range, reservations, random);
    if (address !== undefined) return address;
  }
  throw internalError("failed to allocate a serviceIP: range is full");
}

/** The low end is left to those who ask for an address of their own. Upstream: calculateRangeOffset. */
function nextOf(range: Cidr, reservations: Reservations, random: Random): string | undefined {
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
  return undefined;
}
