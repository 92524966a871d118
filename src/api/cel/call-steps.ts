/**
 * What a call takes besides itself, in steps, told before it is made: calls go over all of a list, and some over one list
 * for every item of another. Without it few operations could take all time and all memory that there is.
 */

/** What a text or bytes cost, a character or byte. */
const perCharacter = 0.1;
/** What an item costs that is only looked at. */
const perItem = 0.1;

/** They make a list as long as what they are given. */
const copying = new Set(["_+_", "flatten", "reverse", "slice", "sort"]);
const looking = new Set(["@in", "_==_", "_!=_", "indexOf", "lastIndexOf", "isSorted", "sum", "min", "max", "join"]);
/** They compare every item with every other. */
const crossing = new Set(["distinct", "sets.contains", "sets.equivalent", "sets.intersects"]);

export function stepsOfCall(name: string, values: readonly unknown[]): number {
  let steps = 0;
  for (const value of values) steps += stepsOfText(value);
  const lengths = values.filter((value) => Array.isArray(value)).map(({ length }) => length);
  if (lengths.length === 0) return steps;
  const items = lengths.reduce((sum, length) => sum + length, 0);
  if (copying.has(name)) return steps + items;
  if (looking.has(name)) return steps + items * perItem;
  if (crossing.has(name)) return steps + lengths[0]! * (lengths[1] ?? lengths[0]!) * perItem;
  return steps;
}

/** Of a text or of bytes that a call is given or makes. */
export function stepsOfText(value: unknown): number {
  return typeof value === "string" || value instanceof Uint8Array ? Math.ceil(value.length * perCharacter) : 0;
}
