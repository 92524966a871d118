/** What the typed operations share: how a schema takes a value apart, and which path element an item of a list is. */
import { goValue } from "#api/go-text.ts";
import { type Schema, anySchema } from "#api/schema/model.ts";
import { JsonNumber } from "#api/decode/json-value.ts";

export type JsonObject = Record<string, unknown>;
export type Shape = "scalar" | "list" | "map";

export const isMap = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);

/** How a value of this schema is walked. Schemas that allow anything take the value's own form; null is a map. */
export function shapeOf(schema: Schema, value: unknown): Shape {
  switch (schema.kind) {
    case "struct":
    case "map":
      return "map";
    case "list":
      return "list";
    case "any":
    case "raw":
    case "schemaOr":
      if (Array.isArray(value)) return "list";
      return value === null || value === undefined || isMap(value) ? "map" : "scalar";
    default:
      return "scalar";
  }
}

export const isAtomic = (schema: Schema): boolean =>
  schema.kind === "list" ? schema.listType === "atomic" : schema.atomic;

/** A list of anything belongs together: only declared lists have items of their own. */
export const isAtomicList = (schema: Schema): boolean => schema.kind !== "list" || schema.listType === "atomic";

export function childSchema(schema: Schema, name: string): Schema {
  if (schema.kind === "struct") return schema.struct.member(name) ?? anySchema;
  return schema.of ?? anySchema;
}

export const itemSchema = (schema: Schema): Schema => schema.of ?? anySchema;

export const isNamedField = (schema: Schema, name: string): boolean =>
  schema.kind === "struct" && schema.struct.field(name) !== undefined;

/** An item that no path can name. */
export class ItemKeyError extends Error {}

/** The path element of an item of a set or map list. Throws ItemKeyError. */
export function itemKey(schema: Schema, item: unknown): string {
  return schema.listType === "map" ? keyedItemKey(schema, item) : setItemKey(item);
}

function keyedItemKey(schema: Schema, item: unknown): string {
  if (item === null || item === undefined) {
    throw new ItemKeyError("associative list with keys may not have a null element");
  }
  if (!isMap(item)) throw new ItemKeyError("associative list with keys may not have non-map elements");
  let key = "";
  for (const [name, quoted] of sortedKeys(schema)) {
    const value = item[name] === undefined ? keyDefault(schema, name) : item[name];
    if (value === undefined) continue;
    key += `${key === "" ? "" : ","}${quoted}:${JSON.stringify(value)}`;
  }
  if (key !== "") return `k:{${key}}`;
  const names = schema.keys.map((name) => JSON.stringify(name)).join(" ");
  throw new ItemKeyError(
    `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
  );
}

type KeyName = readonly [name: string, quoted: string];

const sortedKeysOf = new WeakMap<Schema, readonly KeyName[]>();
function sortedKeys(schema: Schema): readonly KeyName[] {
  let keys = sortedKeysOf.get(schema);
  if (keys === undefined) {
    keys = schema.keys.toSorted().map((name): KeyName => [name, JSON.stringify(name)]);
    sortedKeysOf.set(schema, keys);
  }
  return keys;
}

function keyDefault(schema: Schema, name: string): unknown {
  const item = itemSchema(schema);
  return item.kind === "struct" ? item.struct.field(name)?.keyDefault : undefined;
}

function setItemKey(item: unknown): string {
  if (isMap(item)) throw new ItemKeyError("associative list without keys has an element that's a map type");
  if (Array.isArray(item)) throw new ItemKeyError("not supported: associative list with lists as elements");
  if (item === null) throw new ItemKeyError("associative list without keys has an element that's an explicit null");
  return `v:${JSON.stringify(item)}`;
}

export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => deepEqual(item, b[index]));
  }
  if (Array.isArray(b)) return false;
  let count = 0;
  for (const key in a) {
    if (!Object.hasOwn(b, key) || !deepEqual((a as JsonObject)[key], (b as JsonObject)[key])) return false;
    count++;
  }
  for (const _ in b) count--;
  return count === 0;
}

/** `%v` and `%#v` of upstream's wrapper around a value. */
export const wrappedValue = (value: unknown): string => `&{${goValue(value)}}`;
export const wrappedLiteral = (value: unknown): string =>
  `&value.valueUnstructured{Value:${typeof value === "string" ? JSON.stringify(value) : goLiteral(value)}}`;

function goLiteral(value: unknown): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(nestedLiteral).join(", ")}}`;
  if (isMap(value)) {
    const entries = Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${nestedLiteral(value[key])}`);
    return `map[string]interface {}{${entries.join(", ")}}`;
  }
  return value instanceof JsonNumber ? value.text : String(value);
}

const nestedLiteral = (value: unknown): string =>
  typeof value === "string" ? JSON.stringify(value) : goLiteral(value);
