/** Which old item of a list is the same one as a new item: lists with keys only. Upstream: common.CorrelatedObject. */
import { deepEqual } from "#api/apply/typed.ts";
import type { JsonSchema } from "./json-schema.ts";

type JsonObject = Record<string, unknown>;
const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Number);

/** The values of an item's keys, defaults counted in. */
export function keysOf(item: unknown, schema: JsonSchema): JsonObject {
  const names = schema["x-kubernetes-list-map-keys"] ?? [];
  const keys: JsonObject = {};
  for (const name of names) {
    const value = isObject(item) ? (item[name] ?? schema.items?.properties?.[name]?.default) : undefined;
    if (value !== undefined) keys[name] = value;
  }
  return keys;
}

export function correlatedItem(item: unknown, schema: JsonSchema, old: unknown): unknown {
  if (!Array.isArray(old) || schema["x-kubernetes-list-type"] !== "map") return undefined;
  const keys = keysOf(item, schema);
  return old.find((one) => deepEqual(keysOf(one, schema), keys));
}
