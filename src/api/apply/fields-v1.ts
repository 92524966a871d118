/** FieldsV1, the JSON form of a field set in metadata.managedFields. */
import { withSortedKeys } from "#api/go-text.ts";
import { type FieldSet, compareKeys, emptySet, isEmptySet, makeSet, memberLeaf } from "./field-set.ts";

export type FieldsV1 = Record<string, unknown>;

export function toFieldsV1(set: FieldSet): FieldsV1 {
  return set.children === undefined ? {} : nodeOf(false, set.children);
}

function nodeOf(isMember: boolean, children: ReadonlyMap<string, FieldSet>): FieldsV1 {
  const fields: FieldsV1 = {};
  if (isMember) fields["."] = {};
  for (const key of sortedKeys(children)) {
    const child = children.get(key)!;
    fields[key] = child.children === undefined ? {} : nodeOf(child.isMember, child.children);
  }
  return fields;
}

/** Most nodes have few children, for which this is quicker than the engine's sort. */
const insertionSortMax = 24;

function sortedKeys(children: ReadonlyMap<string, FieldSet>): string[] {
  const keys: string[] = [];
  for (const key of children.keys()) {
    let at = keys.length;
    if (at < insertionSortMax) while (at > 0 && compareKeys(keys[at - 1]!, key) > 0) at -= 1;
    if (at === keys.length) keys.push(key);
    else keys.splice(at, 0, key);
  }
  return keys.length > insertionSortMax ? keys.sort(compareKeys) : keys;
}

/** Throws for what is no field set. */
export function fromFieldsV1(fields: unknown): FieldSet {
  return readNode(fields, true);
}

function readNode(fields: unknown, isRoot: boolean): FieldSet {
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) throw new TypeError("not a field set");
  let isMember = false;
  let children: Map<string, FieldSet> | undefined;
  for (const key in fields) {
    const value = (fields as FieldsV1)[key];
    if (key === ".") {
      isMember = true;
      continue;
    }
    const child = readNode(value, false);
    (children ??= new Map()).set(canonicalKey(key), isEmptySet(child) ? memberLeaf : child);
  }
  if (children === undefined) return isRoot ? emptySet : memberLeaf;
  return makeSet(isMember, children);
}

/** Keys that were seen once are known to be canonical, or what their canonical form is. */
const canonicalKeys = new Map<string, string>();
export const canonicalKeysMax = 4096;

function canonicalKey(key: string): string {
  const type = key.charCodeAt(0);
  if (key.charCodeAt(1) !== 0x3a) throw new TypeError(`no path element: ${key}`);
  if (type === 0x66 || type === 0x69) return key; // f, i
  if (type !== 0x6b && type !== 0x76) throw new TypeError(`no path element: ${key}`);
  let canonical = canonicalKeys.get(key);
  if (canonical === undefined) {
    canonical = `${key.slice(0, 2)}${JSON.stringify(withSortedKeys(JSON.parse(key.slice(2))))}`;
    if (canonicalKeys.size >= canonicalKeysMax) canonicalKeys.clear();
    canonicalKeys.set(key, canonical);
  }
  return canonical;
}
