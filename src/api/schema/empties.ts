/**
 * Lists and maps that are there and empty. Go's structs tell them from absent ones as long as an object is in memory:
 * defaults, validation and ownership see them. JSON leaves out those that are "omitempty"; what is stored keeps none. Only
 * bodies and patches bring them in, and conform says when: nothing here runs for other objects.
 */
import type { Field, Schema, StructType } from "./model.ts";

type JsonObject = Record<string, unknown>;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isCollection = ({ schema, pointer }: Field): boolean =>
  !pointer && (schema.kind === "list" || schema.kind === "map");

function isEmptyCollection(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}

/** Takes out what JSON would not show, in place. */
export function omitEmpties(object: object, struct: StructType): void {
  visitStruct(object as JsonObject, struct, (owner, field) => {
    if (!field.always) delete owner[field.name];
  });
}

/** Takes out what the store does not keep, in place: empty is absent, and null where there is always something. */
export function dropEmpties(object: object, struct: StructType): void {
  visitStruct(object as JsonObject, struct, (owner, field) => {
    if (field.always) owner[field.name] = null;
    else delete owner[field.name];
  });
}

type Visit = (owner: JsonObject, field: Field) => void;

function visitStruct(object: JsonObject, struct: StructType, visit: Visit): void {
  for (const name of Object.keys(object)) {
    const field = struct.field(name);
    if (field === undefined) continue;
    if (isCollection(field) && isEmptyCollection(object[name])) visit(object, field);
    else visitValue(object[name], field.schema, visit);
  }
}

function visitValue(value: unknown, schema: Schema, visit: Visit): void {
  switch (schema.kind) {
    case "struct":
    case "schemaOr":
      if (isObject(value)) visitStruct(value, schema.struct, visit);
      else if (Array.isArray(value))
        for (const item of value) if (isObject(item)) visitStruct(item, schema.struct, visit);
      return;
    case "list":
      if (Array.isArray(value)) for (const item of value) visitValue(item, schema.of!, visit);
      return;
    case "map":
      if (isObject(value)) for (const key of Object.keys(value)) visitValue(value[key], schema.of!, visit);
  }
}

/**
 * `old` with an empty list or map where `object` has one and `old` nothing: upstream's comparisons take both for the same.
 * Shares with `old` what it does not change.
 */
export function withEmptiesOf<T extends object>(old: T, object: object, struct: StructType): T {
  return alignedStruct(old as JsonObject, object as JsonObject, struct) as T;
}

function alignedStruct(old: JsonObject, object: JsonObject, struct: StructType): JsonObject {
  let copy = old;
  const set = (name: string, value: unknown) => {
    if (copy === old) copy = { ...old };
    copy[name] = value;
  };
  for (const name of Object.keys(object)) {
    const field = struct.field(name);
    const value = object[name];
    const before = old[name];
    if (field === undefined || value === before) continue;
    if (before === undefined || before === null) {
      if (isCollection(field) && isEmptyCollection(value)) set(name, value);
      continue;
    }
    const aligned = alignedValue(before, value, field.schema);
    if (aligned !== before) set(name, aligned);
  }
  return copy;
}

function alignedValue(old: unknown, value: unknown, schema: Schema): unknown {
  if (Array.isArray(old) && Array.isArray(value)) {
    if (schema.of === undefined) return old;
    const items = old.map((item, index) => alignedValue(item, value[index], schema.of!));
    return items.some((item, index) => item !== old[index]) ? items : old;
  }
  if (!isObject(old) || !isObject(value)) return old;
  if (schema.kind === "struct" || schema.kind === "schemaOr") return alignedStruct(old, value, schema.struct);
  if (schema.kind !== "map") return old;
  const keys = Object.keys(old);
  const entries = keys.map((key) => [key, alignedValue(old[key], value[key], schema.of!)] as const);
  return entries.some(([key, item]) => item !== old[key]) ? Object.fromEntries(entries) : old;
}
