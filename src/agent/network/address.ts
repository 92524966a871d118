/** IP addresses and ranges of both families as numbers, and which of them may never be a service's target. */
import { isIP } from "node:net";

/** nftables' name of an address family. */
export type Family = "ip" | "ip6";

export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

export interface Cidr extends Address {
  /** Length of the prefix; `value` has no bits beyond it. */
  readonly bits: number;
}

export function familyOf(text: string): Family | undefined {
  const version = isIP(text);
  return version === 4 ? "ip" : version === 6 ? "ip6" : undefined;
}

export function widthOf(family: Family): number {
  return family === "ip" ? 32 : 128;
}

export function parseAddress(text: string): Address | undefined {
  const family = familyOf(text);
  if (family === "ip") return { family, value: parseIpv4(text) };
  return family === "ip6" && !text.includes("%") ? { family, value: parseIpv6(text) } : undefined;
}

/** The shortest usual form; IPv6 as RFC 5952 asks. */
export function formatAddress({ family, value }: Address): string {
  if (family === "ip") return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(112 - 16 * index)) & 0xffffn));
  const gap = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (gap === undefined) return hex.join(":");
  return `${hex.slice(0, gap.start).join(":")}::${hex.slice(gap.start + gap.length).join(":")}`;
}

/** "10.42.0.0/24"; host bits are dropped. A bare address is a range of one. */
export function parseCidr(text: string): Cidr | undefined {
  const [host = "", prefix, ...rest] = text.split("/");
  const address = parseAddress(host);
  if (address === undefined || rest.length > 0) return undefined;
  const width = widthOf(address.family);
  if (prefix === undefined) return { ...address, bits: width };
  const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (!(bits <= width)) return undefined;
  const shift = BigInt(width - bits);
  return { family: address.family, value: (address.value >> shift) << shift, bits };
}

export function formatCidr(cidr: Cidr): string {
  return `${formatAddress(cidr)}/${cidr.bits}`;
}

export function cidrContains(cidr: Cidr, address: Address): boolean {
  if (cidr.family !== address.family) return false;
  const shift = BigInt(widthOf(cidr.family) - cidr.bits);
  return cidr.value >> shift === address.value >> shift;
}

/** True if every address of `inner` is one of `outer`. */
export function cidrCovers(outer: Cidr, inner: Cidr): boolean {
  return outer.bits <= inner.bits && cidrContains(outer, inner);
}

const neverTargets = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/4",
  "255.255.255.255/32",
  "::/128",
  "::1/128",
  "::ffff:0.0.0.0/96",
  "fe80::/10",
  "ff00::/8",
].map((text) => parseCidr(text)!);

/** Loopback, link-local, multicast, unspecified: addresses that mean another place on each machine (CVE-2021-25737). */
export function isSpecialAddress(address: Address): boolean {
  return neverTargets.some((cidr) => cidrContains(cidr, address));
}

/** The name under which PTR records of this address are asked for. */
export function reverseName(address: Address): string {
  if (address.family === "ip") return `${formatAddress(address).split(".").toReversed().join(".")}.in-addr.arpa`;
  const nibbles = address.value.toString(16).padStart(32, "0").split("").toReversed();
  return `${nibbles.join(".")}.ip6.arpa`;
}

/** The address that a PTR question asks about, undefined for other names. */
export function parseReverseName(name: string): Address | undefined {
  const v4 = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/.exec(name);
  if (v4 !== null) return parseAddress(v4.slice(1).toReversed().join("."));
  const v6 = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name);
  if (v6?.[1] === undefined) return undefined;
  return { family: "ip6", value: BigInt(`0x${v6[1].replaceAll(".", "").split("").toReversed().join("")}`) };
}

function parseIpv4(text: string): bigint {
  return text.split(".").reduce((value, octet) => (value << 8n) | BigInt(Number(octet)), 0n);
}

function parseIpv6(text: string): bigint {
  const embedded = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const low = embedded?.[2] === undefined ? undefined : parseIpv4(embedded[2]);
  const hex = low === undefined ? text : `${embedded?.[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  const [head = "", tail] = hex.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array<string>(8 - left.length - right.length).fill("0");
  return [...left, ...zeros, ...right].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } | undefined {
  let best: { start: number; length: number } | undefined;
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > 1 && length > (best?.length ?? 0)) best = { start, length };
    start += length;
  }
  return best;
}

/** The ranges without those that others cover, in their shortest form; what is not a range is left out. */
export function minimalRanges(texts: readonly string[]): string[] {
  const cidrs = texts.flatMap((text) => parseCidr(text) ?? []);
  const shortFirst = cidrs.toSorted((one, other) => one.bits - other.bits);
  const kept: Cidr[] = [];
  for (const cidr of shortFirst) if (!kept.some((outer) => cidrCovers(outer, cidr))) kept.push(cidr);
  return kept.map((cidr) => (cidr.bits === widthOf(cidr.family) ? formatAddress(cidr) : formatCidr(cidr)));
}
