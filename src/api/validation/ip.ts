/**
 * Addresses and CIDRs in the strict form that new objects must have. Upstream: apimachinery/pkg/util/validation/ip.go.
 */
import { isIP, isIPv4 } from "node:net";
import type { FieldError } from "#api/field-error.ts";
import { goQuote } from "#api/go-text.ts";
import { internalFault, invalid } from "./field-errors.ts";

export type IpFamily = "IPv4" | "IPv6";

/** An address as a number of `bits` bits. */
export interface Address {
  family: IpFamily;
  value: bigint;
}

const familyBits = { IPv4: 32, IPv6: 128 } as const;

/** Reads what Go's old parser reads: leading zeros are fine, zones are not. */
export function parseAddress(text: string): Address | undefined {
  if (text.includes(":")) return isIP(text) === 6 && !text.includes("%") ? parseIpv6(text) : undefined;
  return parseIpv4(text);
}

function parseIpv4(text: string): Address | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    if (!/^[0-9]+$/.test(part) || Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(Number(part));
  }
  return { family: "IPv4", value };
}

/** `text` is known to be a valid IPv6 address. */
function parseIpv6(text: string): Address {
  const [head = "", tail] = text.split("::");
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const all = tail === undefined ? left : [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
  return { family: "IPv6", value: all.reduce((value, group) => (value << 16n) | BigInt(group), 0n) };
}

function groups(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const bytes = group.split(".").map(Number);
    return [bytes[0]! * 256 + bytes[1]!, bytes[2]! * 256 + bytes[3]!];
  });
}

/** Upstream: netip.Addr String. */
export function canonicalAddress({ family, value }: Address): string {
  if (family === "IPv4") return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - index * 16)) & 0xffffn).toString(16));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === "0") length += 1;
    if (length > best.length) best = { start, length };
  }
  if (best.start === -1) return groups.join(":");
  return `${groups.slice(0, best.start).join(":")}::${groups.slice(best.start + best.length).join(":")}`;
}

export const isMapped = ({ family, value }: Address): boolean => family === "IPv6" && value >> 32n === 0xffffn;

/** IPv4-mapped addresses count as IPv4, as everywhere in Go. */
export function familyOf(text: string): IpFamily | undefined {
  const address = parseAddress(text);
  if (address === undefined) return undefined;
  return isMapped(address) ? "IPv4" : address.family;
}

const addressText = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const cidrText = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/** Upstream's IsValidIP. */
export function ipErrors(field: string, text: string): FieldError[] {
  const address = parseAddress(text);
  if (address === undefined) return [invalid(field, text, addressText)];
  if (address.family === "IPv4") return isIPv4(text) ? [] : [invalid(field, text, "must not have leading 0s")];
  return isMapped(address) ? [invalid(field, text, "must not be an IPv4-mapped IPv6 address")] : [];
}

/** One address a family. `shown` is the list that a fault names. */
export function familiesErrors(field: string, addresses: readonly string[], shown: unknown): FieldError[] {
  if (addresses.length < 2) return [];
  const families = addresses.map(familyOf);
  const unreadable = families.indexOf(undefined);
  const text = `failed to check for dual stack with error:invalid IP[${unreadable}]: <nil>`;
  const isPair = addresses.length === 2 && families.includes("IPv4") && families.includes("IPv6");
  return [
    ...(unreadable < 0 ? [] : [internalFault(field, text)]),
    ...(isPair ? [] : [invalid(field, shown, "may specify no more than one IP for each IP family")]),
  ];
}

/** What upstream says of an address that is taken, but that another would write otherwise: GetWarningsForIP. */
export function ipWarnings(field: string, text: string): string[] {
  const address = parseAddress(text);
  if (address === undefined) return [];
  if (ipErrors(field, text).length > 0) {
    const plain: Address = isMapped(address) ? { family: "IPv4", value: address.value & 0xffffffffn } : address;
    const use = goQuote(canonicalAddress(plain));
    const fault = "will be considered invalid in a future Kubernetes release";
    return [`${field}: non-standard IP address ${goQuote(text)} ${fault}: use ${use}`];
  }
  const canonical = canonicalAddress(address);
  if (canonical === text) return [];
  return [`${field}: IPv6 address ${goQuote(text)} should be in RFC 5952 canonical format (${goQuote(canonical)})`];
}

export interface Cidr extends Address {
  prefix: number;
}

export function parseCidr(text: string): Cidr | undefined {
  const cut = text.indexOf("/");
  if (cut < 0) return undefined;
  const address = parseAddress(text.slice(0, cut));
  const length = text.slice(cut + 1);
  if (address === undefined || !/^[0-9]+$/.test(length) || Number(length) > familyBits[address.family])
    return undefined;
  return { ...address, prefix: Number(length) };
}

/** Bits of the host part of a CIDR. */
export const hostBits = ({ family, prefix, value }: Cidr): bigint =>
  value & ((1n << BigInt(familyBits[family] - prefix)) - 1n);

/** Upstream's IsValidCIDR. */
export function cidrErrors(field: string, text: string): FieldError[] {
  const cidr = parseCidr(text);
  if (cidr === undefined) return [invalid(field, text, cidrText)];
  const [address = "", length = ""] = text.split("/");
  if (isIP(address) === 0 || String(cidr.prefix) !== length)
    return [invalid(field, text, "must not have leading 0s in IP or prefix length")];
  if (isMapped(cidr)) return [invalid(field, text, "must not have an IPv4-mapped IPv6 address")];
  return hostBits(cidr) === 0n ? [] : [invalid(field, text, "must not have bits set beyond the prefix length")];
}

/** The address of a network and its prefix, in the form of RFC 5952. */
function canonicalCidr({ family, value, prefix }: Cidr): string {
  const address: Address = { family, value: value - hostBits({ family, value, prefix }) };
  if (!isMapped(address) || prefix < 96) return `${canonicalAddress(address)}/${prefix}`;
  return `${canonicalAddress({ family: "IPv4", value: address.value & 0xffffffffn })}/${prefix - 96}`;
}

/** What upstream says of a range that is taken, but that another would read or write otherwise: GetWarningsForCIDR. */
export function cidrWarnings(field: string, text: string): string[] {
  const cidr = parseCidr(text);
  if (cidr === undefined) return [];
  const canonical = goQuote(canonicalCidr(cidr));
  if (hostBits(cidr) !== 0n) {
    const single = goQuote(`${canonicalAddress(cidr)}/${familyBits[cidr.family]}`);
    return [
      `${field}: CIDR value ${goQuote(text)} is ambiguous in this context (should be ${canonical} or ${single}?)`,
    ];
  }
  if (cidrErrors(field, text).length > 0) {
    const fault = "will be considered invalid in a future Kubernetes release";
    return [`${field}: non-standard CIDR value ${goQuote(text)} ${fault}: use ${canonical}`];
  }
  if (goQuote(text) === canonical) return [];
  return [`${field}: IPv6 CIDR value ${goQuote(text)} should be in RFC 5952 canonical format (${canonical})`];
}

/** Upstream's IsValidInterfaceAddress: an address with its prefix, in canonical form. */
export function interfaceAddressErrors(field: string, text: string): FieldError[] {
  const cidr = parseCidr(text);
  if (cidr === undefined)
    return [invalid(field, text, "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)")];
  const isIpv4 = cidr.family === "IPv4" || isMapped(cidr);
  const plain: Address = isIpv4 ? { family: "IPv4", value: cidr.value & 0xffff_ffffn } : cidr;
  const prefix = cidr.prefix > 32 && isIpv4 ? cidr.prefix - 96 : cidr.prefix;
  const canonical = `${canonicalAddress(plain)}/${prefix}`;
  return text === canonical ? [] : [invalid(field, text, `must be in canonical form ("${canonical}")`)];
}

const within = (address: Address, cidr: string): boolean => {
  const range = parseCidr(cidr)!;
  if (address.family !== range.family) return false;
  const shift = BigInt(familyBits[range.family] - range.prefix);
  return address.value >> shift === range.value >> shift;
};

/** Of any flags, and of the scope of a link. */
const isLinkMulticast = ({ family, value }: Address): boolean =>
  family === "IPv6" && value >> 120n === 0xffn && ((value >> 112n) & 0xfn) === 2n;

/** Upstream's ValidateNonSpecialIP: what cannot be the address of an endpoint. */
export function nonSpecialIpErrors(field: string, text: string): FieldError[] {
  const address = parseAddress(text);
  if (address === undefined) return [invalid(field, text, "must be a valid IP address")];
  const plain: Address = isMapped(address) ? { family: "IPv4", value: address.value & 0xffff_ffffn } : address;
  const errors: FieldError[] = [];
  if (plain.value === 0n) errors.push(invalid(field, text, `may not be unspecified (${text})`));
  if (within(plain, "127.0.0.0/8") || (plain.family === "IPv6" && plain.value === 1n))
    errors.push(invalid(field, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)"));
  if (within(plain, "169.254.0.0/16") || within(plain, "fe80::/10"))
    errors.push(invalid(field, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"));
  if (within(plain, "224.0.0.0/24") || isLinkMulticast(plain))
    errors.push(invalid(field, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"));
  return errors;
}
