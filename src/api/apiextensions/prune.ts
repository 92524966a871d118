/** Drops what a structural schema does not name, and puts in what it gives by default. Upstream: apiserver/schema/pruning, defaulting. */
import { setMember } from "#api/decode/json-value.ts";
import { type JsonSchema, preservesUnknown } from "./json-schema.ts";

type JsonObject = Record<string, unknown>;
const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Number);

const ownFields = new Set(["apiVersion", "kind", "metadata"]);

/** Changes `object`; the paths of what went, as they are told to clients. */
export function prune(object: JsonObject, schema: JsonSchema): string[] {
  const gone: string[] = [];
  pruneObject(object, schema, "", true, gone);
  return gone;
}

function pruneValue(value: unknown, schema: JsonSchema | undefined, path: string, gone: string[]): void {
  if (schema === undefined) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) pruneValue(item, schema.items, `${path}[${index}]`, gone);
  } else if (isObject(value)) pruneObject(value, schema, path, schema["x-kubernetes-embedded-resource"] === true, gone);
}

function pruneObject(object: JsonObject, schema: JsonSchema, path: string, isResource: boolean, gone: string[]): void {
  const { properties = {}, additionalProperties } = schema;
  for (const [name, value] of Object.entries(object)) {
    const at = path === "" ? name : `${path}.${name}`;
    if (isResource && ownFields.has(name)) continue;
    const inner = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (inner !== undefined) pruneValue(value, inner, at, gone);
    else if (typeof additionalProperties === "object") pruneValue(value, additionalProperties, at, gone);
    else if (additionalProperties === true) emptyObjects(value, at, gone);
    else if (!preservesUnknown(schema)) {
      delete object[name];
      gone.push(at);
    }
  }
}

/** `additionalProperties: true` lets any value in, but names no fields that objects in it could have. */
function emptyObjects(value: unknown, path: string, gone: string[]): void {
  if (Array.isArray(value)) for (const [index, item] of value.entries()) emptyObjects(item, `${path}[${index}]`, gone);
  else if (isObject(value))
    for (const name of Object.keys(value)) {
      delete value[name];
      gone.push(`${path}.${name}`);
    }
}

/** Changes `object`. A null that a field may not be, whatever its type, gives way to its default, or goes. */
export function applyDefaults(value: unknown, schema: JsonSchema | undefined): void {
  if (schema === undefined) return;
  if (Array.isArray(value)) {
    const { items } = schema;
    for (const [index, item] of value.entries()) {
      if (item === null && items?.nullable !== true && items?.default !== undefined)
        value[index] = structuredClone(items.default);
      applyDefaults(value[index], items);
    }
    return;
  }
  if (!isObject(value)) return;
  const { properties = {}, additionalProperties } = schema;
  for (const [name, inner] of Object.entries(properties)) {
    const current = Object.hasOwn(value, name) ? value[name] : undefined;
    const isBarredNull = current === null && inner.nullable !== true;
    if (inner.default !== undefined && (current === undefined || isBarredNull))
      setMember(value, name, structuredClone(inner.default));
    else if (isBarredNull) delete value[name];
    if (Object.hasOwn(value, name)) applyDefaults(value[name], inner);
  }
  if (typeof additionalProperties !== "object") return;
  for (const [name, item] of Object.entries(value)) {
    if (Object.hasOwn(properties, name)) continue;
    if (item === null && additionalProperties.nullable !== true) {
      if (additionalProperties.default === undefined) delete value[name];
      else setMember(value, name, structuredClone(additionalProperties.default));
    }
    if (Object.hasOwn(value, name)) applyDefaults(value[name], additionalProperties);
  }
}
