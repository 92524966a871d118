/** Random objects of a type, as the store would keep them: for properties that must hold for every kind. */
import fc from "fast-check";
import { conform } from "#api/decode/conform.ts";
import { dropEmpties } from "#api/schema/empties.ts";
import type { Field, Schema, StructType } from "#api/schema/model.ts";

const depthMax = 4;
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,5}$/);
const quantity = fc
  .tuple(fc.integer({ min: 0, max: 5000 }), fc.constantFrom("", "m", "k", "Ki", "Mi", "Gi"))
  .map(([amount, suffix]) => `${amount}${suffix}`);
const seconds = fc.integer({ min: 1, max: 4_000_000_000 });
const time = seconds.map((value) => new Date(value * 1000).toISOString().replace(".000Z", "Z"));
const microTime = seconds.map((value) => new Date(value * 1000).toISOString().replace("Z", "000Z"));

/** Objects of `struct`; members beyond a depth are left out. */
export function arbitraryObject(struct: StructType): fc.Arbitrary<Record<string, unknown>> {
  return membersOf(struct, 0).map((members) => {
    const { object } = conform(members, struct);
    dropEmpties(object, struct);
    return object;
  });
}

function membersOf(struct: StructType, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const fields = struct.fields.filter((field) => field.name !== "managedFields" && (depth < depthMax || isLeaf(field)));
  return fc
    .subarray(fields, { maxLength: Math.min(6, fields.length) })
    .chain((chosen) =>
      fc.record(Object.fromEntries(chosen.map((field) => [field.name, valueOf(field.schema, depth + 1)]))),
    );
}

const isLeaf = ({ schema }: Field) => !["struct", "list", "map", "schemaOr"].includes(schema.kind);

function valueOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  switch (schema.kind) {
    case "struct":
      return membersOf(schema.struct, depth);
    case "list":
      return listOf(schema, depth);
    case "map":
      return fc.dictionary(name, valueOf(schema.of!, depth), { maxKeys: 3, noNullPrototype: true });
    case "integer":
      return fc.integer({ min: -1000, max: 100_000 });
    case "number":
      return fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0));
    case "boolean":
      return fc.boolean();
    case "bytes":
      return fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString("base64"));
    case "quantity":
      return quantity;
    case "time":
      return time;
    case "microTime":
      return microTime;
    case "intOrString":
      return fc.oneof(fc.integer({ min: 0, max: 65_535 }), name);
    case "raw":
      return fc.dictionary(name, fc.oneof(name, fc.integer(), fc.boolean()), { maxKeys: 3, noNullPrototype: true });
    case "any":
      return fc.oneof(name, fc.integer(), fc.boolean());
    case "schemaOr":
      return depth < depthMax ? membersOf(schema.struct, depth) : fc.constant({});
    case "string":
      return name;
  }
}

/** Items of keyed lists differ in their keys, those of sets in themselves. */
function listOf(schema: Schema, depth: number): fc.Arbitrary<unknown[]> {
  const item = valueOf(schema.of!, depth);
  if (schema.listType !== "map") {
    return schema.listType === "set" ? fc.uniqueArray(item, { maxLength: 3 }) : fc.array(item, { maxLength: 2 });
  }
  const fields = schema.keys.map((key) => schema.of!.struct.field(key)!);
  const keys = fc.record(Object.fromEntries(fields.map((field) => [field.name, keyValue(field)])));
  const keyed = fc.tuple(item, keys).map(([object, key]) => ({ ...(object as object), ...key }));
  return fc.uniqueArray(keyed, {
    maxLength: 2,
    selector: (object) => JSON.stringify(schema.keys.map((key) => (object as Record<string, unknown>)[key])),
  });
}

function keyValue({ schema }: Field): fc.Arbitrary<unknown> {
  return schema.kind === "integer" ? fc.integer({ min: 1, max: 65_535 }) : name;
}
