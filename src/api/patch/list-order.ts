/** The order of merged lists. Upstream: strategicpatch's normalizeElementOrder and mergeSortedSlice. Linear, save for a sort. */
import { JsonNumber } from "#api/decode/json-value.ts";

/** What tells an item apart: its merge key's value, or the scalar that it is. */
export type IdentityOf = (item: unknown) => unknown;

/** Values that are equal as merge keys or scalars of a list have one identity. */
export function identityOf(value: unknown): unknown {
  return value instanceof JsonNumber ? `number ${value.text}` : value;
}

/** Item's identity → its first place. */
export function placesOf(items: readonly unknown[], identity: IdentityOf): Map<unknown, number> {
  const places = new Map<unknown, number>();
  for (const [index, item] of items.entries()) {
    const key = identity(item);
    if (!places.has(key)) places.set(key, index);
  }
  return places;
}

/** `items` in the order in which `order` has them; those that it does not have stay last. */
export function orderedBy(items: readonly unknown[], order: readonly unknown[], identity: IdentityOf): unknown[] {
  const places = placesOf(order, identity);
  return items
    .map((item) => ({ item, at: places.get(identity(item)) ?? order.length }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Weaves `left` into `right`: an item of the left goes before one of the right that it preceded in `order`. */
export function mergeOrdered(
  left: readonly unknown[],
  right: readonly unknown[],
  order: readonly unknown[],
  identity: IdentityOf,
): unknown[] {
  const places = placesOf(order, identity);
  const merged: unknown[] = [];
  let next = 0;
  for (const item of right) {
    const at = places.get(identity(item));
    while (next < left.length && at !== undefined) {
      const mine = places.get(identity(left[next]));
      if (mine === undefined || mine >= at) break;
      merged.push(left[next++]);
    }
    merged.push(item);
  }
  return [...merged, ...left.slice(next)];
}
