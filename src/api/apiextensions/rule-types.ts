/** The CEL type of a schema. Upstream: apiserver/pkg/cel/common/schemas.go. */
import { type CelType, listOf, mapOf, types } from "#api/cel/types.ts";
import { escapedName } from "#api/cel/value.ts";
import { isIntOrString, type JsonSchema } from "./json-schema.ts";

const metadata: CelType = {
  kind: "object",
  name: "metadata",
  fields: new Map([
    ["name", types.string],
    ["generateName", types.string],
  ]),
};

/** undefined: CEL sees nothing of it. `name` is what errors call an object by. What may be null has the type of what is not. */
export function celTypeOf(schema: JsonSchema, isResource: boolean, name = "object"): CelType | undefined {
  if (isIntOrString(schema)) return types.dyn;
  switch (schema.type) {
    case "object":
      return objectType(schema, isResource, name);
    case "array":
      return listType(schema, name);
    case "string":
      return stringTypes[schema.format ?? ""] ?? types.string;
    case "integer":
      return types.int;
    case "number":
      return types.double;
    case "boolean":
      return types.bool;
    default:
      return undefined;
  }
}

const stringTypes: Readonly<Record<string, CelType>> = {
  byte: types.bytes,
  duration: types.duration,
  date: types.timestamp,
  "date-time": types.timestamp,
};

function objectType(schema: JsonSchema, isResource: boolean, name: string): CelType | undefined {
  const { properties = {}, additionalProperties } = schema;
  if (typeof additionalProperties === "object" && Object.keys(properties).length === 0) {
    const value = celTypeOf(additionalProperties, isEmbedded(additionalProperties), `${name}.@values`);
    return value === undefined ? undefined : mapOf(types.string, value);
  }
  const fields = new Map<string, CelType>();
  for (const [property, inner] of Object.entries(properties)) {
    const escaped = escapedName(property);
    const type = celTypeOf(inner, isEmbedded(inner), `${name}.${property}`);
    if (escaped !== undefined && type !== undefined) fields.set(escaped, type);
  }
  if (isResource || isEmbedded(schema)) {
    fields.set("apiVersion", types.string);
    fields.set("kind", types.string);
    fields.set("metadata", metadata);
  }
  return { kind: "object", name, fields };
}

function listType(schema: JsonSchema, name: string): CelType | undefined {
  const { items } = schema;
  const item = items === undefined ? undefined : celTypeOf(items, isEmbedded(items), `${name}.@items`);
  if (item === undefined) return undefined;
  const type = schema["x-kubernetes-list-type"];
  if (type !== "set" && type !== "map") return listOf(item);
  return { ...listOf(item), list: { type, keys: schema["x-kubernetes-list-map-keys"] ?? [] } };
}

const isEmbedded = (schema: JsonSchema): boolean => schema["x-kubernetes-embedded-resource"] === true;
