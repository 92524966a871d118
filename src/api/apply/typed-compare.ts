/**
 * Which fields differ between two values of a schema, as sets of paths; and all fields of one value. Upstream:
 * structured-merge-diff/typed/{compare,tofieldset}.go.
 */
import type { Schema } from "#api/schema/model.ts";
import { type FieldSet, emptySet, isEmptySet, makeSet, memberLeaf } from "./field-set.ts";
import {
  childSchema,
  deepEqual,
  isAtomic,
  isAtomicList,
  isMap,
  isNamedField,
  itemKey,
  itemSchema,
  shapeOf,
  type JsonObject,
} from "./typed.ts";

export interface Comparison {
  added: FieldSet;
  removed: FieldSet;
  modified: FieldSet;
}

const same: Comparison = { added: emptySet, removed: emptySet, modified: emptySet };
const modifiedLeaf: Comparison = { ...same, modified: memberLeaf };

export function mapComparison(comparison: Comparison, change: (set: FieldSet) => FieldSet): Comparison {
  const { added, removed, modified } = comparison;
  return { added: change(added), removed: change(removed), modified: change(modified) };
}

/** undefined stands for an absent value, on at most one side. */
export function compareTyped(schema: Schema, left: unknown, right: unknown): Comparison {
  if (left === undefined) return { ...same, added: oneSided(schema, right) };
  if (right === undefined) return { ...same, removed: oneSided(schema, left) };
  if (left === right) return same;
  const shape = shapeOf(schema, right ?? left);
  if (shape !== shapeOf(schema, left ?? right)) return compareShapes(schema, left, right);
  if (shape === "scalar") return left === right || deepEqual(left, right) ? same : modifiedLeaf;
  return shape === "list" ? compareLists(schema, left, right) : compareMaps(schema, left, right);
}

/** A value that took another form: what it was is gone, what it is is new. */
function compareShapes(schema: Schema, left: unknown, right: unknown): Comparison {
  return { added: oneSided(schema, right), removed: oneSided(schema, left), modified: memberLeaf };
}

const listOf = (value: unknown): readonly unknown[] | undefined =>
  Array.isArray(value) && value.length > 0 ? value : undefined;

function mapOf(value: unknown): JsonObject | undefined {
  if (!isMap(value)) return undefined;
  for (const _ in value) return value;
  return undefined;
}

function compareLists(schema: Schema, left: unknown, right: unknown): Comparison {
  const leftItems = listOf(left);
  const rightItems = listOf(right);
  if (isAtomicList(schema) || (leftItems === undefined && rightItems === undefined)) {
    return deepEqual(left, right) ? same : modifiedLeaf;
  }
  return compareItems(schema, leftItems ?? [], rightItems ?? []);
}

function compareItems(schema: Schema, left: readonly unknown[], right: readonly unknown[]): Comparison {
  if (left.length === 0) return { ...same, added: makeSet(false, oneSidedItems(schema, right)) };
  if (right.length === 0) return { ...same, removed: makeSet(false, oneSidedItems(schema, left)) };
  const leftByKey = groupByKey(schema, left);
  const rightByKey = groupByKey(schema, right);
  const collected = new Collector();
  for (const key of new Set([...leftByKey.keys(), ...rightByKey.keys()])) {
    collected.add(key, compareGroups(itemSchema(schema), leftByKey.get(key) ?? [], rightByKey.get(key) ?? []));
  }
  return collected.comparison();
}

function groupByKey(schema: Schema, items: readonly unknown[]): Map<string, unknown[]> {
  const groups = new Map<string, unknown[]>();
  for (const item of items) {
    const key = itemKey(schema, item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Items that share a key are compared as a whole. */
function compareGroups(schema: Schema, left: readonly unknown[], right: readonly unknown[]): Comparison {
  if (left.length <= 1 && right.length <= 1) return compareTyped(schema, left[0], right[0]);
  if (left.length > 1 && right.length > 1) return deepEqual(left, right) ? same : modifiedLeaf;
  if (left.length > 1) {
    return { ...same, added: right.length === 0 ? emptySet : oneSided(schema, right[0]), removed: memberLeaf };
  }
  return { ...same, removed: left.length === 0 ? emptySet : oneSided(schema, left[0]), added: memberLeaf };
}

function compareMaps(schema: Schema, left: unknown, right: unknown): Comparison {
  const leftMap = mapOf(left);
  const rightMap = mapOf(right);
  if (isAtomic(schema) || (leftMap === undefined && rightMap === undefined)) {
    return deepEqual(left, right) ? same : modifiedLeaf;
  }
  const collected = new Collector();
  for (const name in leftMap) {
    const before = leftMap[name];
    const after = rightMap !== undefined && Object.hasOwn(rightMap, name) ? rightMap[name] : undefined;
    if (before !== after) collected.add(`f:${name}`, compareTyped(childSchema(schema, name), before, after));
  }
  for (const name in rightMap) {
    if (leftMap !== undefined && Object.hasOwn(leftMap, name)) continue;
    collected.add(`f:${name}`, compareTyped(childSchema(schema, name), undefined, rightMap[name]));
  }
  return collected.comparison();
}

class Collector {
  #added: Map<string, FieldSet> | undefined;
  #removed: Map<string, FieldSet> | undefined;
  #modified: Map<string, FieldSet> | undefined;

  add(key: string, { added, removed, modified }: Comparison): void {
    if (!isEmptySet(added)) (this.#added ??= new Map()).set(key, added);
    if (!isEmptySet(removed)) (this.#removed ??= new Map()).set(key, removed);
    if (!isEmptySet(modified)) (this.#modified ??= new Map()).set(key, modified);
  }

  comparison(): Comparison {
    return {
      added: makeSet(false, this.#added),
      removed: makeSet(false, this.#removed),
      modified: makeSet(false, this.#modified),
    };
  }
}

/** All paths of a value whose other side is absent: leaves, and every node on the way. */
function oneSided(schema: Schema, value: unknown): FieldSet {
  const shape = shapeOf(schema, value);
  if (shape === "list") {
    const items = listOf(value);
    return items === undefined || isAtomicList(schema) ? memberLeaf : makeSet(true, oneSidedItems(schema, items));
  }
  const map = shape === "map" ? mapOf(value) : undefined;
  if (map === undefined || isAtomic(schema)) return memberLeaf;
  const children = new Map<string, FieldSet>();
  for (const name in map) children.set(`f:${name}`, oneSided(childSchema(schema, name), map[name]));
  return makeSet(true, children);
}

function oneSidedItems(schema: Schema, items: readonly unknown[]): Map<string, FieldSet> {
  const children = new Map<string, FieldSet>();
  for (const item of items) {
    const key = itemKey(schema, item);
    children.set(key, children.has(key) ? memberLeaf : oneSided(itemSchema(schema), item));
  }
  return children;
}

/** The paths that applying a value owns: leaves, map entries, list items; named fields only if they are empty. */
export function fieldSetOf(schema: Schema, value: unknown): FieldSet {
  const shape = shapeOf(schema, value);
  if (shape === "scalar") return memberLeaf;
  if (shape === "list") {
    if (isAtomicList(schema)) return memberLeaf;
    return Array.isArray(value) ? makeSet(false, itemSets(schema, value)) : emptySet;
  }
  if (isAtomic(schema)) return memberLeaf;
  if (!isMap(value)) return emptySet;
  const children = new Map<string, FieldSet>();
  for (const name in value) {
    const item = value[name];
    const inner = fieldSetOf(childSchema(schema, name), item);
    const isOwn = item === null || (isMap(item) && mapOf(item) === undefined) || !isNamedField(schema, name);
    const set = isOwn ? makeSet(true, inner.children) : inner;
    if (!isEmptySet(set)) children.set(`f:${name}`, set);
  }
  return makeSet(false, children);
}

function itemSets(schema: Schema, items: readonly unknown[]): Map<string, FieldSet> {
  const children = new Map<string, FieldSet>();
  for (const item of items) {
    const key = itemKey(schema, item);
    const isTwice = children.has(key);
    children.set(key, isTwice ? memberLeaf : makeSet(true, fieldSetOf(itemSchema(schema), item).children));
  }
  return children;
}
