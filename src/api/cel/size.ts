/** How large the values that an expression is about can be. Upstream: google/cel-go checker/cost.go, apiserver/pkg/cel/types.go. */

export interface ValueSize {
  /** The most characters, items or entries. */
  elementsMax: number;
  /** The least bytes that a value takes in JSON. */
  bytesMin: number;
  /** Of lists and maps: what is in them. */
  item?: ValueSize;
  /** Of maps. */
  key?: ValueSize;
  /** Of objects, as expressions call them. */
  fields?: ReadonlyMap<string, ValueSize>;
}

/** How many characters, items or entries there are. */
export interface Size {
  min: number;
  max: number;
}

export const exactly = (count: number): Size => ({ min: count, max: count });
export const unknownSize: Size = { min: 0, max: Infinity };
export const both = (a: Size, b: Size): Size => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) });
export const product = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b);

/** The rounding is upstream's. */
export const scaled = (size: number, factor: number): number => Math.ceil(product(size, factor));
