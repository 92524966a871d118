/**
 * Values as Go has them: which a field takes when nothing was said, and what an object without content looks like. Objects
 * that come out of decoding have exactly the members that upstream's JSON shows.
 */
import type { Field, Schema, StructType } from "./model.ts";

/** What JSON shows of a field that is always written and has no value. */
export function zeroOf(field: Field): unknown {
  return field.pointer ? null : zeroValue(field.schema);
}

export function zeroValue(schema: Schema): unknown {
  switch (schema.kind) {
    case "struct":
      return zeroStruct(schema.struct);
    case "string":
      return "";
    case "integer":
    case "number":
    case "intOrString":
      return 0;
    case "boolean":
      return false;
    case "quantity":
      return "0";
    default:
      return null;
  }
}

export function zeroStruct(struct: StructType): Record<string, unknown> {
  const zero: Record<string, unknown> = {};
  for (const field of struct.alwaysFields) zero[field.name] = zeroOf(field);
  return zero;
}
