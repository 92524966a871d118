/** Ranges within ranges. */
import type { Cidr } from "#api/validation/ip.ts";

const familyBits = { IPv4: 32, IPv6: 128 } as const;

/** Whether the first address of `inner` is in `outer`. */
export function containsCidr(outer: Cidr, inner: Cidr): boolean {
  if (outer.family !== inner.family) return false;
  const shift = BigInt(familyBits[outer.family] - outer.prefix);
  return outer.value >> shift === inner.value >> shift;
}
