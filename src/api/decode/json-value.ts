/** JSON values as both parsers give them, and what Go calls them. */

/** A number that is not a plain integer of at most 15 digits: "1.5", "2.0", "99999999999999999999". */
export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  /** For JSON.stringify. */
  toJSON(): number {
    return Number(this.text);
  }
}

export interface JsonDocument {
  value: unknown;
  /** Keys that an object had more than once; undefined: none had. */
  duplicates: ReadonlyMap<object, readonly DuplicateKey[]> | undefined;
}

export interface DuplicateKey {
  key: string;
  /** How many different keys the object had before it came again. */
  at: number;
}

export class JsonSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "JsonSyntaxError";
  }
}

/** Upstream's is 10,000, which Go's growing stacks can carry; what walks values here is recursive. */
export const nestingDepthMax = 500;

/** "object", "array", "string", "number", "bool": how Go's errors call a JSON value. */
export function jsonTypeName(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number" || value instanceof JsonNumber) return "number";
  return typeof value === "string" ? "string" : "object";
}

/** A deep copy in which numbers are plain. */
export function plainJson(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof JsonNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map(plainJson);
  const copy: Record<string, unknown> = {};
  for (const key in value) setMember(copy, key, plainJson((value as Record<string, unknown>)[key]));
  return copy;
}

/** `object[key] = value`, also for the one key that would set the prototype instead. */
export function setMember(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__")
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}
