/** Annotations that hold JSON, as fields did before they were fields. Faults have Go's words. */
import { parseExactly } from "#api/decode/json-exact.ts";
import { jsonTypeName } from "#api/decode/json-value.ts";

type Members = Record<string, unknown>;

/** The items, or what is wrong with the text. `type`: Go's name of the list. Names of fields are taken in any case. */
export function readList(text: string, type: string): Members[] | string {
  const value = read(text);
  if (typeof value === "string") return value;
  if (value.json === null) return [];
  return Array.isArray(value.json) ? value.json.map(inLowerCase) : wrongType(value.json, type);
}

/** The same of an object. */
export function readObject(text: string, type: string): Members | string {
  const value = read(text);
  if (typeof value === "string") return value;
  const { json } = value;
  if (json === null) return {};
  return typeof json === "object" && !Array.isArray(json) ? (json as Members) : wrongType(json, type);
}

function read(text: string): { json: unknown } | string {
  try {
    return { json: parseExactly(text).value };
  } catch (error) {
    return (error as Error).message;
  }
}

const wrongType = (value: unknown, type: string) =>
  `json: cannot unmarshal ${jsonTypeName(value)} into Go value of type ${type}`;

const inLowerCase = (value: unknown): Members =>
  Object.fromEntries(
    Object.entries((value ?? {}) as Members).map(([name, field]) => [
      name.charAt(0).toLowerCase() + name.slice(1),
      field,
    ]),
  );
