/** Plain data as it stands in JSON: integers are numbers while exact, bigints beyond; mappings are Maps. */
export type Plain = string | boolean | null | number | bigint | Plain[] | PlainMap;
export type PlainMap = Map<string, Plain>;

export const isPlainMap = (value: Plain | undefined): value is PlainMap => value instanceof Map;

/** JSON text as Go writes it, keys sorted, without spaces. */
export function jsonText(value: Plain): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return jsonString(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return jsonNumber(value);
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  const keys = [...value.keys()].sort(byCodePoint);
  return `{${keys.map((key) => `${jsonString(key)}:${jsonText(value.get(key)!)}`).join(",")}}`;
}

const byCodePoint = (left: string, right: string): number => Buffer.compare(Buffer.from(left), Buffer.from(right));

function jsonNumber(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`unsupported value: ${value}`);
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Go also escapes the characters that are unsafe in HTML. */
function jsonString(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    /[<>&\u2028\u2029]/g,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** An ordinary JavaScript object of the data; bigints become numbers. */
export function toObject(value: Plain): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(toObject);
  if (!isPlainMap(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [key, inner] of value)
    Object.defineProperty(result, key, {
      value: toObject(inner),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  return result;
}

/** The reverse of toObject, for values that come from JSON. */
export function fromObject(value: unknown): Plain {
  if (Array.isArray(value)) return value.map(fromObject);
  if (typeof value === "object" && value !== null)
    return new Map(
      Object.entries(value)
        .filter(([, inner]) => inner !== undefined)
        .map(([key, inner]) => [key, fromObject(inner)]),
    );
  return value === undefined ? null : (value as Plain);
}
