/** Whether a value has the form its schema wants, before it is merged. Upstream: structured-merge-diff/typed/validate.go. */
import { JsonNumber } from "#api/decode/json-value.ts";
import type { Schema } from "#api/schema/model.ts";
import { keyText } from "./field-set.ts";
import {
  ItemKeyError,
  childSchema,
  isAtomicList,
  isMap,
  itemKey,
  itemSchema,
  shapeOf,
  wrappedLiteral,
  wrappedValue,
  type JsonObject,
} from "./typed.ts";

export class TypedError extends Error {
  constructor(faults: readonly string[]) {
    super(faults.length === 1 ? faults[0]! : ["errors:", ...faults.map((fault) => `  ${fault}`)].join("\n"));
    this.name = "TypedError";
  }
}

/** Throws TypedError with every fault. Live objects may repeat items, applied ones may not. */
export function validateTyped(schema: Schema, value: unknown, { allowDuplicates = false } = {}): void {
  const faults: string[] = [];
  check(schema, value, "", allowDuplicates, faults);
  if (faults.length > 0) throw new TypedError(faults);
}

function check(schema: Schema, value: unknown, path: string, duplicates: boolean, faults: string[]): void {
  const fault = (text: string) => faults.push(path === "" ? text : `${path}: ${text}`);
  if (value === null || value === undefined) return;
  switch (shapeOf(schema, value)) {
    case "scalar": {
      const text = scalarFault(schema, value);
      if (text !== undefined) fault(text);
      return;
    }
    case "list":
      if (!Array.isArray(value)) fault(`expected list, got ${wrappedValue(value)}`);
      else if (schema.kind === "list") checkItems(schema, value, path, duplicates, faults);
      return;
    case "map":
      if (!isMap(value)) fault(`expected map, got ${wrappedValue(value)}`);
      else checkMembers(schema, value, path, duplicates, faults);
  }
}

function checkMembers(schema: Schema, value: JsonObject, path: string, duplicates: boolean, faults: string[]): void {
  for (const name in value) {
    if (schema.kind === "struct" && schema.struct.member(name) === undefined) {
      faults.push(`${path}.${name}: field not declared in schema`);
      return;
    }
    check(childSchema(schema, name), value[name], `${path}.${name}`, duplicates, faults);
  }
}

function checkItems(
  schema: Schema,
  items: readonly unknown[],
  path: string,
  duplicates: boolean,
  faults: string[],
): void {
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    let key = `i:${index}`;
    try {
      if (!isAtomicList(schema)) key = itemKey(schema, item);
    } catch (error) {
      if (!(error instanceof ItemKeyError)) throw error;
      faults.push(`${path}: element ${index}: ${error.message}`);
      return;
    }
    if (seen.has(key) && !duplicates) faults.push(`${path}: duplicate entries for key ${keyText(key)}`);
    seen.add(key);
    check(itemSchema(schema), item, `${path}${keyText(key)}`, duplicates, faults);
  }
}

function scalarFault(schema: Schema, value: unknown): string | undefined {
  const isNumber = typeof value === "number" || value instanceof JsonNumber;
  switch (schema.kind) {
    case "string":
    case "bytes":
    case "time":
    case "microTime":
      return typeof value === "string" ? undefined : `expected string, got ${wrappedLiteral(value)}`;
    case "integer":
    case "number":
      return isNumber ? undefined : `expected numeric (int or float), got ${goType(value)}`;
    case "boolean":
      return typeof value === "boolean" ? undefined : `expected boolean, got ${goType(value)}`;
    default:
      return undefined;
  }
}

function goType(value: unknown): string {
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  if (Array.isArray(value)) return "[]interface {}";
  if (isMap(value)) return "map[string]interface {}";
  return typeof value === "number" ? "int64" : "float64";
}
