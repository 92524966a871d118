/**
 * Sets of field paths as trees: which fields a manager owns. The keys of a node are those of FieldsV1: `f:name`,
 * `k:{"name":"c"}`, `v:"x"`, `i:0`. Upstream: structured-merge-diff/fieldpath. Sets are never changed once they are made,
 * so they share nodes.
 */
import type { Schema } from "#api/schema/model.ts";

export interface FieldSet {
  /** The path of this node belongs to the set itself; else only paths below it do. */
  readonly isMember: boolean;
  readonly children: ReadonlyMap<string, FieldSet> | undefined;
}

export const emptySet: FieldSet = { isMember: false, children: undefined };
export const memberLeaf: FieldSet = { isMember: true, children: undefined };

export const isEmptySet = (set: FieldSet): boolean => !set.isMember && set.children === undefined;

/** A node, or emptySet; children that are empty must have been left out. */
export function makeSet(isMember: boolean, children: ReadonlyMap<string, FieldSet> | undefined): FieldSet {
  if (children !== undefined && children.size > 0) return { isMember, children };
  return isMember ? memberLeaf : emptySet;
}

export function setOfPath(path: readonly string[]): FieldSet {
  return path.reduceRight<FieldSet>(
    (inner, key) => ({ isMember: false, children: new Map([[key, inner]]) }),
    memberLeaf,
  );
}

export function hasPath(set: FieldSet, path: readonly string[]): boolean {
  let node: FieldSet | undefined = set;
  for (const key of path) node = node?.children?.get(key);
  return node?.isMember === true;
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a;
  if (isEmptySet(a)) return b;
  const isMember = a.isMember || b.isMember;
  if (a.children === undefined) return makeSet(isMember, b.children);
  if (b.children === undefined) return makeSet(isMember, a.children);
  const children = new Map(a.children);
  for (const [key, right] of b.children) {
    const left = children.get(key);
    children.set(key, left === undefined ? right : union(left, right));
  }
  return makeSet(isMember, children);
}

/** What is in `a` and not in `b`, path by path: a path of `b` takes nothing below it away. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a) || isEmptySet(b)) return a;
  const isMember = a.isMember && !b.isMember;
  if (a.children === undefined || b.children === undefined) {
    return isMember === a.isMember ? a : makeSet(isMember, a.children);
  }
  const children = new Map<string, FieldSet>();
  for (const [key, left] of a.children) {
    const right = b.children.get(key);
    const rest = right === undefined ? left : difference(left, right);
    if (!isEmptySet(rest)) children.set(key, rest);
  }
  return makeSet(isMember, children);
}

/** A path of `b` takes all below it away too. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  if (b.isMember) return emptySet;
  if (a.children === undefined || b.children === undefined) return a;
  const children = new Map<string, FieldSet>();
  for (const [key, left] of a.children) {
    const right = b.children.get(key);
    const rest = right === undefined ? left : recursiveDifference(left, right);
    if (!isEmptySet(rest)) children.set(key, rest);
  }
  return makeSet(a.isMember, children);
}

/** What lies on the way to the paths of `pattern`, or below them. A key `*` stands for any, and then has no siblings. */
export function matching(a: FieldSet, pattern: FieldSet): FieldSet {
  if (pattern.isMember || a.children === undefined) return a;
  const children = new Map<string, FieldSet>();
  for (const [key, left] of a.children) {
    const inner = pattern.children?.get("*") ?? pattern.children?.get(key);
    const rest = inner === undefined ? emptySet : matching(left, inner);
    if (!isEmptySet(rest)) children.set(key, rest);
  }
  return makeSet(a.isMember, children);
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const isMember = a.isMember && b.isMember;
  if (a.children === undefined || b.children === undefined) return isMember ? memberLeaf : emptySet;
  const children = new Map<string, FieldSet>();
  for (const [key, left] of a.children) {
    const right = b.children.get(key);
    if (right === undefined) continue;
    const shared = intersection(left, right);
    if (!isEmptySet(shared)) children.set(key, shared);
  }
  return makeSet(isMember, children);
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  if (a.isMember !== b.isMember || (a.children?.size ?? 0) !== (b.children?.size ?? 0)) return false;
  for (const [key, left] of a.children ?? []) {
    const right = b.children?.get(key);
    if (right === undefined || !equalSets(left, right)) return false;
  }
  return true;
}

/** Fields that a schema names count as members wherever something below them does. */
export function withNamedFields(set: FieldSet, schema: Schema | undefined, isNamed = false): FieldSet {
  if (set.children === undefined) return set;
  const children = new Map<string, FieldSet>();
  for (const [key, child] of set.children) {
    const name = key.startsWith("f:") ? key.slice(2) : undefined;
    const named = name !== undefined && schema?.kind === "struct" && schema.struct.field(name) !== undefined;
    children.set(key, withNamedFields(child, memberSchema(schema, name), named));
  }
  return makeSet(set.isMember || isNamed, children);
}

function memberSchema(schema: Schema | undefined, name: string | undefined): Schema | undefined {
  if (schema === undefined) return undefined;
  if (name === undefined) return schema.of;
  return schema.kind === "struct" ? schema.struct.member(name) : schema.of;
}

/** Every path of the set: at each level the members first, then what is below. */
export function pathsOf(set: FieldSet): string[][] {
  const paths: string[][] = [];
  const visit = (node: FieldSet, path: readonly string[]) => {
    const entries = [...(node.children ?? [])].sort(([a], [b]) => compareKeys(a, b));
    for (const [key, child] of entries) if (child.isMember) paths.push([...path, key]);
    for (const [key, child] of entries) if (child.children !== undefined) visit(child, [...path, key]);
  };
  visit(set, []);
  return paths;
}

const kinds = "fkvi";

/** Names before keys before values before indexes. */
export function compareKeys(a: string, b: string): number {
  if (a.charCodeAt(0) !== b.charCodeAt(0)) return kinds.indexOf(a.charAt(0)) - kinds.indexOf(b.charAt(0));
  if (a.startsWith("i:")) return Number(a.slice(2)) - Number(b.slice(2));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `.spec.ports[port=80,protocol="TCP"].name`. */
export function pathText(path: readonly string[]): string {
  return path.map(keyText).join("");
}

/** One part of a path as texts show it. */
export function keyText(key: string): string {
  const rest = key.slice(2);
  switch (key[0]) {
    case "f":
      return `.${rest}`;
    case "i":
      return `[${rest}]`;
    case "v":
      return `[=${rest}]`;
    default: {
      const fields = Object.entries(JSON.parse(rest) as Record<string, unknown>);
      return `[${fields.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",")}]`;
    }
  }
}
