/**
 * Merging of lists whose elements have keys (containers by name, ports by port and protocol) and of sets of words (finalizers).
 * The result has the patch's elements first, in its order; elements of several keys match when the keys both have are equal.
 */
import { fieldOf, findElement, requireKind, setField } from "./yaml/fields.ts";
import {
  isEmptyMapping,
  isEmptyNode,
  isMissingOrNull,
  newScalar,
  newSequence,
  type YamlNode,
} from "./yaml/yaml-node.ts";

type Node = YamlNode | undefined;
type MergeElements = (mine: Node, theirs: Node) => Node;

export function mergeKeyedList(target: YamlNode, patch: Node, keys: readonly string[], merge: MergeElements): YamlNode {
  return mergeByKeys(target, patch, keys, elementKeys(target, patch, keys), merge);
}

export function mergeWordList(target: YamlNode, patch: Node, merge: MergeElements): YamlNode {
  const words = new Set([...(patch?.content ?? []), ...target.content].map((element) => element.value));
  return mergeByKeys(
    target,
    patch,
    [""],
    Array.from(words, (word) => [word]),
    merge,
  );
}

/** The key values of every element, the patch's first, each combination once. */
function elementKeys(target: YamlNode, patch: Node, keys: readonly string[]): string[][] {
  const seen = new Set<string>();
  const result: string[][] = [];
  for (const element of [...(patch?.content ?? []), ...target.content]) {
    const values = keys.map((key) => {
      const field = fieldOf(element, key);
      return isEmptyNode(field) ? "" : field!.value;
    });
    const text = JSON.stringify(values);
    if (!seen.has(text)) result.push(values);
    seen.add(text);
  }
  return result;
}

function mergeByKeys(
  target: YamlNode,
  patch: Node,
  keys: readonly string[],
  found: readonly string[][],
  merge: MergeElements,
): YamlNode {
  const valuesList = keys.length > 1 ? unified(found) : found;
  const added = newSequence();
  let validKeys: readonly string[] = [];
  for (const values of valuesList) {
    const valid = validOf(valuesList, values, keys);
    validKeys = valid.keys;
    const own = validOf([valid.values], valid.values, valid.keys);
    const [mine, theirs] = [target, patch].map((list) => list && findIn(list, own.keys, own.values));
    const element = merge(mine, theirs);
    if (isMissingOrNull(element) || isEmptyMapping(element))
      replaceElements(target, valid.keys, valid.values, undefined);
    else {
      completeKeys(element!, valid.keys, valid.values);
      replaceElements(added, valid.keys, valid.values, element);
    }
  }
  return valuesList.length === 0 ? target : appended(added, target, validKeys);
}

const findIn = (list: YamlNode, keys: readonly string[], values: readonly string[]): Node =>
  list.kind === "sequence" ? findElement(list, keys, values) : undefined;

function completeKeys(element: YamlNode, keys: readonly string[], values: readonly string[]): void {
  for (const [index, key] of keys.entries()) {
    const value = values[index] ?? "";
    if (value !== "" && fieldOf(element, key) === undefined) setField(element, key, newScalar(value));
  }
}

/** Keys that no element has do not count; when none counts all do. */
function validOf(
  valuesList: readonly (readonly string[])[],
  values: readonly string[],
  keys: readonly string[],
): { keys: readonly string[]; values: readonly string[] } {
  const used = new Set<string>();
  for (const list of valuesList) for (const [index, value] of list.entries()) if (value !== "") used.add(keys[index]!);
  if (used.size === 0) return { keys, values };
  return {
    keys: keys.filter((key) => used.has(key)),
    values: values.filter((value, index) => value !== "" || used.has(keys[index]!)),
  };
}

/** Elements whose known keys agree take the keys that only the other one has. */
function unified(found: readonly string[][]): string[][] {
  const list = found.map((values) => [...values]);
  for (let left = 0; left < list.length; left += 1) {
    // What was there at first is compared with all others, though it may be overwritten meanwhile.
    const own = list[left]!;
    for (let right = 0; right < list.length; right += 1) {
      const both = unifiedPair(own, list[right]!);
      if (both !== undefined) list[left] = list[right] = both;
    }
  }
  return list;
}

function unifiedPair(left: readonly string[], right: readonly string[]): string[] | undefined {
  let hasCommon = false;
  const both: string[] = [];
  for (const [index, value] of left.entries()) {
    const other = right[index]!;
    if (value !== other && value !== "" && other !== "") return undefined;
    hasCommon ||= value === other;
    both.push(value === "" ? other : value);
  }
  return hasCommon ? both : undefined;
}

function appended(list: YamlNode, more: YamlNode, keys: readonly string[]): YamlNode {
  for (const element of more.content) {
    if (keys[0] === "") {
      replaceElements(list, [""], [element.value], element);
      continue;
    }
    const values: string[] = [];
    for (const key of keys) {
      requireKind(element, "mapping");
      const field = fieldOf(element, key);
      if (field === undefined) list.content.push(element);
      else values.push(field.value);
    }
    if (keys.length > 1) replaceElements(list, keys, values, undefined);
    replaceElements(list, keys, values, element);
  }
  return list;
}

/**
 * Puts the element in place of those whose keys have the values, or at the end; no element removes them. Empty elements go in any
 * case.
 */
export function replaceElements(
  list: YamlNode,
  keys: readonly string[],
  values: readonly string[],
  element: Node,
): void {
  const isForMappings = (keys[0] ?? "") !== "" && (values[0] ?? "") !== "";
  const kept: YamlNode[] = [];
  let isPlaced = false;
  for (const candidate of list.content) {
    if (isMissingOrNull(candidate) || isEmptyMapping(candidate)) continue;
    if (candidate.kind !== "mapping" && isForMappings) kept.push(candidate);
    else if (!hasKeys(candidate, keys, values)) {
      if (values.length > 0) kept.push(candidate);
    } else {
      isPlaced = true;
      if (element !== undefined) kept.push(element);
    }
  }
  list.content = kept;
  if (element !== undefined && !isPlaced) list.content.push(element);
}

function hasKeys(candidate: YamlNode, keys: readonly string[], values: readonly string[]): boolean {
  let matched = false;
  for (const [index, key] of keys.entries()) {
    if (index < values.length) matched = hasKey(candidate, key, values[index]!);
    if (!matched) return false;
  }
  return matched;
}

/** An empty value stands for any. */
function hasKey(candidate: YamlNode, key: string, value: string): boolean {
  if (key === "") {
    requireKind(candidate, "scalar");
    return candidate.value === value;
  }
  requireKind(candidate, "mapping");
  const field = fieldOf(candidate, key);
  return field !== undefined && (value === "" || field.value === value);
}
