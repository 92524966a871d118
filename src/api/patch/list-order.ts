/** The order of merged lists. Upstream: strategicpatch's normalizeElementOrder and mergeSortedSlice. */
import { JsonNumber } from "#api/decode/json-value.ts";

type Same = (a: unknown, b: unknown) => boolean;

/** Equality of merge keys and of scalars in lists. */
export function isSameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  return a instanceof JsonNumber && b instanceof JsonNumber && a.text === b.text;
}

/** `items` in the order in which `order` has them; those that it does not have stay last. */
export function orderedBy(items: readonly unknown[], order: readonly unknown[], same: Same): unknown[] {
  const place = (item: unknown) => {
    const at = order.findIndex((other) => same(item, other));
    return at < 0 ? order.length : at;
  };
  return items
    .map((item) => ({ item, at: place(item) }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Weaves `left` into `right`: an item of the left goes before one of the right that it preceded in `order`. */
export function mergeOrdered(
  left: readonly unknown[],
  right: readonly unknown[],
  order: readonly unknown[],
  same: Same,
): unknown[] {
  const place = (item: unknown) => order.findIndex((other) => same(item, other));
  const merged: unknown[] = [];
  let next = 0;
  for (const item of right) {
    const at = place(item);
    while (next < left.length && at >= 0) {
      const mine = place(left[next]);
      if (mine < 0 || mine >= at) break;
      merged.push(left[next++]);
    }
    merged.push(item);
  }
  return [...merged, ...left.slice(next)];
}
