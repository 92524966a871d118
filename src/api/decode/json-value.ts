/** JSON values as both parsers give them, and what Go calls them. */

/**
 * A number as it was written, for as long as that matters: until its type is known, and for good where an integer of 64 bits
 * is more than a double can hold. It counts as the nearest double; as JSON it is what it was.
 */
export class JsonNumber extends Number {
  readonly text: string;
  constructor(text: string) {
    super(text);
    this.text = text;
  }

  /** An integer that a double cannot hold and 64 bits can. */
  get isBeyondDouble(): boolean {
    if (!/^-?\d{16,19}$/.test(this.text) || Number.isSafeInteger(this.valueOf())) return false;
    const exact = BigInt(this.text);
    return BigInt.asIntN(64, exact) === exact;
  }

  /** For JSON.stringify. */
  toJSON(): unknown {
    if (!this.isBeyondDouble) return this.valueOf();
    JsonNumber.#written += 1;
    return rawJson(this.text);
  }

  override toString(): string {
    return this.text;
  }

  /** How many numbers that no double can hold became JSON so far: the difference says whether a text has any. */
  static get writtenExactly(): number {
    return JsonNumber.#written;
  }
  static #written = 0;
}

const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): unknown };

export interface JsonDocument {
  value: unknown;
  /** Keys that an object had more than once; undefined: none had. */
  duplicates: ReadonlyMap<object, readonly DuplicateKey[]> | undefined;
}

export interface DuplicateKey {
  key: string;
  /** How many different keys the object had before it came again. */
  at: number;
  /** The value that it had until then. */
  earlier: unknown;
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

/** A deep copy in which numbers are plain, but for integers that would not be the same. */
export function plainJson(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof JsonNumber) return value.isBeyondDouble ? value : value.valueOf();
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
