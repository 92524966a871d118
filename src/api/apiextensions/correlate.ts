/** Which old item of a list is the same one as a new item: lists with keys only. Upstream: common.CorrelatedObject. */
import { deepEqual } from "#api/apply/typed.ts";
import { goJson } from "#api/go-text.ts";
import type { JsonSchema } from "./json-schema.ts";
import { markedSomewhere } from "./schema-mark.ts";

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
  return itemsByKeys(old, schema).get(goJson(keysOf(item, schema)));
}

interface Index {
  schema: JsonSchema;
  items: ReadonlyMap<string, unknown>;
}

const indexes = new WeakMap<readonly unknown[], Index>();

/** The items of a list by their keys; of several with the same keys the first. */
function itemsByKeys(list: readonly unknown[], schema: JsonSchema): ReadonlyMap<string, unknown> {
  const known = indexes.get(list);
  if (known?.schema === schema) return known.items;
  const items = new Map(list.toReversed().map((item) => [goJson(keysOf(item, schema)), item]));
  indexes.set(list, { schema, items });
  return items;
}

/** Whether an update leaves a value as it was: items of lists with keys may be in another order. */
export function isUnchanged(value: unknown, old: unknown, schema: JsonSchema): boolean {
  if (deepEqual(old, value)) return true;
  if (!holdsKeyedList(schema)) return false;
  if (Array.isArray(value) && Array.isArray(old)) {
    const { items } = schema;
    if (schema["x-kubernetes-list-type"] !== "map" || items === undefined || value.length !== old.length) return false;
    return value.every((item) => {
      const before = correlatedItem(item, schema, old);
      return before !== undefined && isUnchanged(item, before, items);
    });
  }
  if (!isObject(value) || !isObject(old) || Object.keys(value).length !== Object.keys(old).length) return false;
  const { properties = {}, additionalProperties } = schema;
  return Object.keys(value).every((name) => {
    if (!Object.hasOwn(old, name)) return false;
    const inner = Object.hasOwn(properties, name) ? properties[name]! : additionalProperties;
    return typeof inner === "object" ? isUnchanged(value[name], old[name], inner) : deepEqual(value[name], old[name]);
  });
}

const holdsKeyedList = markedSomewhere((schema) => schema["x-kubernetes-list-type"] === "map");
