/** The CEL type of the objects of a built-in kind. Upstream: apiserver/pkg/cel/openapi. */
import { type CelType, listOf, mapOf, types } from "#api/cel/types.ts";
import { builtInTypeOf } from "#api/schema/built-in.ts";
import type { Schema, StructType } from "#api/schema/model.ts";

const known = new Map<StructType, CelType>();

/** Undefined for a kind that is not built in. */
export function objectTypeOf(group: string, version: string, kind: string): CelType | undefined {
  const struct = builtInTypeOf(group, version, kind);
  return struct === undefined ? undefined : typeOfStruct(struct);
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
