/** The CEL type of the objects of a kind, built in or brought by users. Upstream: apiserver/pkg/cel/openapi. */
import type { CustomResourceDefinition } from "#api/apiextensions/custom-resource-definition.ts";
import type { JsonSchema } from "#api/apiextensions/json-schema.ts";
import { celTypeOf } from "#api/apiextensions/rule-types.ts";
import { type CelType, listOf, mapOf, types } from "#api/cel/types.ts";
import { builtInType, builtInTypeOf } from "#api/schema/built-in.ts";
import type { Schema, StructType } from "#api/schema/model.ts";

const known = new Map<StructType, CelType>();

/** Undefined for a kind that is not built in. */
export function objectTypeOf(group: string, version: string, kind: string): CelType | undefined {
  const struct = builtInTypeOf(group, version, kind);
  return struct === undefined ? undefined : typeOfStruct(struct);
}

/** Undefined for a kind that no definition serves in this version. What every object has, custom ones have too. */
export function customTypeOf(
  group: string,
  version: string,
  kind: string,
  definitions: readonly CustomResourceDefinition[],
): CelType | undefined {
  const definition = definitions.find(({ spec }) => spec.group === group && spec.names.kind === kind);
  const served = definition?.spec.versions.find((one) => one.served && one.name === version);
  const schema = served?.schema?.openAPIV3Schema as JsonSchema | undefined;
  const type = schema === undefined ? undefined : celTypeOf(schema, true, kind);
  if (type?.fields === undefined) return undefined;
  const metadata = typeOfStruct(builtInType("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"));
  return { ...type, fields: new Map(type.fields).set("metadata", metadata) };
}

/** Types may hold themselves. */
function typeOfStruct(struct: StructType): CelType {
  const found = known.get(struct);
  if (found !== undefined) return found;
  const fields = new Map<string, CelType>();
  const type: CelType = { kind: "object", name: struct.name, fields };
  known.set(struct, type);
  for (const { name, schema } of struct.fields) fields.set(name, typeOfSchema(schema));
  return type;
}

function typeOfSchema(schema: Schema): CelType {
  switch (schema.kind) {
    case "struct":
      return typeOfStruct(schema.struct);
    case "map":
      return mapOf(types.string, schema.of === undefined ? types.dyn : typeOfSchema(schema.of));
    case "list":
      return listOf(schema.of === undefined ? types.dyn : typeOfSchema(schema.of));
    case "integer":
      return types.int;
    case "number":
      return types.double;
    case "boolean":
      return types.bool;
    case "bytes":
      return types.bytes;
    case "time":
    case "microTime":
      return types.timestamp;
    case "string":
      return types.string;
    // Quantities are text or numbers, as the clients please.
    case "quantity":
    case "intOrString":
    case "raw":
    case "any":
    case "schemaOr":
      return types.dyn;
  }
}
