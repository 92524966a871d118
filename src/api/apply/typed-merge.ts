/**
 * A value with another laid over it, field by field as the schema tells them apart; and a value without some of its fields.
 * Upstream: structured-merge-diff/typed/{merge,remove}.go.
 */
import { setMember } from "#api/decode/json-value.ts";
import type { Schema } from "#api/schema/model.ts";
import { type FieldSet, isEmptySet } from "./field-set.ts";
import { childSchema, isAtomic, isAtomicList, isMap, itemKey, itemSchema, shapeOf, type JsonObject } from "./typed.ts";

/** undefined: absent. Shares what it does not change with `left` and `right`. */
export function mergeTyped(schema: Schema, left: unknown, right: unknown): unknown {
  if (right === undefined) return left;
  if (left === undefined) return right;
  const shape = shapeOf(schema, right ?? left);
  if (shape === "scalar" || shape !== shapeOf(schema, left ?? right)) return right;
  return shape === "list" ? mergeLists(schema, left, right) : mergeMaps(schema, left, right);
}

const isEmptyMap = (value: unknown): boolean => {
  if (isMap(value)) for (const _ in value) return false;
  return true;
};

function mergeMaps(schema: Schema, left: unknown, right: unknown): unknown {
  if (isAtomic(schema) || (isEmptyMap(left) && isEmptyMap(right))) return right;
  const merged: JsonObject = {};
  if (isMap(left)) {
    for (const name in left) {
      const over = isMap(right) && Object.hasOwn(right, name) ? right[name] : undefined;
      setMember(merged, name, mergeTyped(childSchema(schema, name), left[name], over));
    }
  }
  if (isMap(right)) {
    for (const name in right) {
      if (isMap(left) && Object.hasOwn(left, name)) continue;
      setMember(merged, name, right[name]);
    }
  }
  return merged;
}

function mergeLists(schema: Schema, left: unknown, right: unknown): unknown {
  const leftItems = Array.isArray(left) ? left : [];
  const rightItems = Array.isArray(right) ? right : [];
  if (isAtomicList(schema) || (leftItems.length === 0 && rightItems.length === 0)) return right;
  return new ListMerge(schema, leftItems, rightItems).merged();
}

/** The order of the right where it says one, items of the left at their old places between. */
class ListMerge {
  readonly #schema: Schema;
  readonly #left: readonly unknown[];
  readonly #right: readonly unknown[];
  readonly #leftKeys: readonly string[];
  readonly #rightKeys: readonly string[];
  /** undefined marks an item whose key is not its own. */
  readonly #leftByKey = new Map<string, unknown>();
  readonly #rightByKey = new Map<string, unknown>();

  constructor(schema: Schema, left: readonly unknown[], right: readonly unknown[]) {
    this.#schema = schema;
    this.#left = left;
    this.#right = right;
    this.#leftKeys = left.map((item) => itemKey(schema, item));
    this.#rightKeys = right.map((item) => itemKey(schema, item));
    for (const [index, key] of this.#leftKeys.entries()) {
      this.#leftByKey.set(key, this.#leftByKey.has(key) ? undefined : left[index]);
    }
    for (const [index, key] of this.#rightKeys.entries()) this.#rightByKey.set(key, right[index]);
  }

  merged(): unknown[] {
    const out: unknown[] = [];
    const shared = this.#rightKeys.filter((key) => this.#leftByKey.has(key));
    const done = new Set<string>();
    let next = 0;
    const takeRight = (index: number) => {
      const key = this.#rightKeys[index]!;
      done.add(key);
      out.push(mergeTyped(itemSchema(this.#schema), this.#leftByKey.get(key), this.#right[index]));
      if (shared[next] === key) next++;
    };
    for (let left = 0, right = 0; left < this.#left.length || right < this.#right.length;) {
      const leftKey = this.#leftKeys[left];
      if (left < this.#left.length) {
        if (right < this.#right.length && leftKey === this.#rightKeys[right]) {
          takeRight(right++);
          left++;
          continue;
        }
        const isShared = this.#rightByKey.has(leftKey!);
        if (right < this.#right.length && isShared && shared[next] !== undefined && shared[next] !== leftKey) {
          left++; // its place is where the right has it
          continue;
        }
        if (!isShared) {
          out.push(this.#left[left++]);
          continue;
        }
        if (done.has(leftKey!)) left++;
      }
      if (right < this.#right.length) takeRight(right++);
    }
    return out;
  }
}

/** `value` without the fields of `gone`; null if it lost all it had, but {} and [] of what lost something further down. */
export function removeFields(schema: Schema, value: unknown, gone: FieldSet): unknown {
  switch (shapeOf(schema, value)) {
    case "scalar":
      return value;
    case "list":
      if (!Array.isArray(value) || value.length === 0 || isAtomicList(schema)) return null;
      return removeItems(schema, value, gone);
    case "map":
      if (!isMap(value) || isEmptyMap(value) || isAtomic(schema)) return null;
      return removeMembers(schema, value, gone);
  }
}

/** A member or item that is not gone itself. It stays, however empty. */
function removeBelow(schema: Schema, value: unknown, gone: FieldSet): unknown {
  const left = removeFields(schema, value, gone);
  if (left !== null) return left;
  return Array.isArray(value) ? [] : isMap(value) ? {} : null;
}

function removeItems(schema: Schema, items: readonly unknown[], gone: FieldSet): unknown {
  const kept: unknown[] = [];
  for (const item of items) {
    const below = gone.children?.get(itemKey(schema, item));
    if (below?.isMember === true) continue;
    kept.push(below === undefined || isEmptySet(below) ? item : removeBelow(itemSchema(schema), item, below));
  }
  return kept.length === 0 ? null : kept;
}

function removeMembers(schema: Schema, map: JsonObject, gone: FieldSet): unknown {
  const kept: JsonObject = {};
  let isKept = false;
  for (const name in map) {
    const below = gone.children?.get(`f:${name}`);
    if (below?.isMember === true) continue;
    const value = below === undefined ? map[name] : removeBelow(childSchema(schema, name), map[name], below);
    setMember(kept, name, value);
    isKept = true;
  }
  return isKept ? kept : null;
}
