/** Ranges of addresses as numbers: which addresses a range has, and texts of addresses. IPv4 and IPv6. */
import { isIP } from "node:net";

export interface Cidr {
  family: 4 | 6;
  /** The network's own address. */
  base: bigint;
  /** How many addresses the range has, the first and last included. */
  size: bigint;
}

export function parseCidr(text: string): Cidr | undefined {
  const [address = "", bits = ""] = text.split("/");
  const family = isIP(address);
  if (family === 0 || !/^\d{1,3}$/.test(bits)) return undefined;
  const width = family === 4 ? 32 : 128;
  const prefix = Number(bits);
  if (prefix > width) return undefined;
  const size = 1n << BigInt(width - prefix);
  const value = parseAddress(address)!;
  return { family: family as 4 | 6, base: value - (value % size), size };
}

export function parseAddress(text: string): bigint | undefined {
  const family = isIP(text);
  if (family === 4) return text.split(".").reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  if (family !== 6) return undefined;
  const [head = "", tail] = text.toLowerCase().split("::");
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  const middle = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => 0);
  return [...left, ...middle, ...right].reduce((sum, group) => (sum << 16n) | BigInt(group), 0n);
}

function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((part) => {
    if (!part.includes(".")) return [Number.parseInt(part, 16)];
    const value = Number(parseAddress(part)!);
    return [value >>> 16, value & 0xffff];
  });
}

export function addressText(value: bigint, family: 4 | 6): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join(".");
  const groups = Array.from({ length: 8 }, (_, at) => Number((value >> BigInt(112 - 16 * at)) & 0xffffn));
  return shortened(groups);
}

/** RFC 5952: the longest run of zeros, from two on, becomes "::". */
function shortened(groups: readonly number[]): string {
  let best = { from: 0, length: 0 };
  for (let at = 0; at < 8; at += 1) {
    let length = 0;
    while (at + length < 8 && groups[at + length] === 0) length += 1;
    if (length > best.length) best = { from: at, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.length < 2) return hex.join(":");
  return `${hex.slice(0, best.from).join(":")}::${hex.slice(best.from + best.length).join(":")}`;
}

export const familyName = (family: 4 | 6): "IPv4" | "IPv6" => (family === 4 ? "IPv4" : "IPv6");

/** "10.43.0.0/16": the range with its prefix length. */
export const cidrText = ({ base, family, size }: Cidr): string =>
  `${addressText(base, family)}/${(family === 4 ? 32 : 128) - (size.toString(2).length - 1)}`;

/** Whether `address` may be somebody's: not the network's own and, in IPv4, not the broadcast address. */
export function hasHost(range: Cidr, address: string): boolean {
  if (!contains(range, address)) return false;
  const value = parseAddress(address)!;
  return value !== range.base && (range.family === 6 || value !== range.base + range.size - 1n);
}

export function contains({ base, size, family }: Cidr, address: string): boolean {
  if (isIP(address) !== family) return false;
  const value = parseAddress(address)!;
  return value >= base && value < base + size;
}
