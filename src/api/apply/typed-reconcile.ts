/**
 * Sets of fields in the terms of the schema as it is: a manager of parts of what belongs together now has the whole. A kind
 * may have become so since, and clients may send any set. Upstream: structured-merge-diff/typed/reconcile_schema.go.
 */
import type { Schema } from "#api/schema/model.ts";
import { type FieldSet, makeSet, memberLeaf } from "./field-set.ts";
import { childSchema, isAtomic, itemSchema } from "./typed.ts";

/** The set itself, if nothing is to change. */
export function reconcileSet(schema: Schema, set: FieldSet): FieldSet {
  const { children } = set;
  if (schema.kind === "list") return isAtomic(schema) && !isWhole(set) ? memberLeaf : withChildren(set, schema);
  return children !== undefined && isAtomic(schema) ? memberLeaf : withChildren(set, schema);
}

const isWhole = ({ isMember, children }: FieldSet): boolean => isMember && children === undefined;

function withChildren(set: FieldSet, schema: Schema): FieldSet {
  let changed: Map<string, FieldSet> | undefined;
  for (const [key, child] of set.children ?? []) {
    const name = key.startsWith("f:") ? key.slice(2) : undefined;
    const reconciled = reconcileSet(name === undefined ? itemSchema(schema) : childSchema(schema, name), child);
    if (reconciled !== child) (changed ??= new Map(set.children)).set(key, reconciled);
  }
  return changed === undefined ? set : makeSet(set.isMember, changed);
}
