/** Looks up and edits fields of YAML mappings and elements of sequences with the rules of kustomize's kyaml library. */
import { RenderError } from "#git/render/render-error.ts";
import { isNonStringWord } from "./resolve.ts";
import {
  isNull,
  isStringScalar,
  newScalar,
  newString,
  type NodeKind,
  overwriteNode,
  Style,
  YamlNode,
} from "./yaml-node.ts";

const kindNames: Readonly<Record<NodeKind, string>> = {
  scalar: "ScalarNode",
  mapping: "MappingNode",
  sequence: "SequenceNode",
  alias: "AliasNode",
  none: "",
};

/** Refuses a node that is there but of another kind; missing and null nodes pass. */
export function requireKind(node: YamlNode | undefined, kind: NodeKind): void {
  if (node === undefined || isNull(node) || node.kind === kind) return;
  throw new RenderError(`wrong node kind: expected ${kindNames[kind]} but got ${kindNames[node.kind]}`);
}

/** The position of a key in a mapping's content, -1 when it is not there. */
function indexOfKey(node: YamlNode, name: string): number {
  const { content } = node;
  for (let index = 0; index + 1 < content.length; index += 2) if (content[index]!.value === name) return index;
  return -1;
}

/** The value of a field, undefined where the node is no mapping. */
export function fieldOf(node: YamlNode | undefined, name: string): YamlNode | undefined {
  if (node === undefined || node.kind !== "mapping") return undefined;
  const index = indexOfKey(node, name);
  return index < 0 ? undefined : node.content[index + 1];
}

export function keyNodeOf(node: YamlNode | undefined, name: string): YamlNode | undefined {
  if (node === undefined || node.kind !== "mapping") return undefined;
  const index = indexOfKey(node, name);
  return index < 0 ? undefined : node.content[index];
}

/** Like fieldOf, but refuses a node of another kind; nothing is found in null. */
export function requireField(node: YamlNode | undefined, name: string): YamlNode | undefined {
  if (node === undefined || isNull(node)) return undefined;
  requireKind(node, "mapping");
  return fieldOf(node, name);
}

export function* pairsOf(node: YamlNode): Generator<readonly [YamlNode, YamlNode]> {
  for (let index = 0; index + 1 < node.content.length; index += 2)
    yield [node.content[index]!, node.content[index + 1]!];
}

export function fieldNames(node: YamlNode | undefined): string[] {
  if (node === undefined || isNull(node)) return [];
  requireKind(node, "mapping");
  return Array.from(pairsOf(node), ([key]) => key.value);
}

export function removeField(node: YamlNode, name: string): YamlNode | undefined {
  requireKind(node, "mapping");
  const index = indexOfKey(node, name);
  if (index < 0) return undefined;
  const removed = node.content[index + 1];
  node.content = node.content.toSpliced(index, 2);
  return removed;
}

/** Text that another YAML reader would take for a number or a word like yes is quoted, unless it already has a style. */
function quoteIfAmbiguous(value: YamlNode): void {
  if (isStringScalar(value) && value.style === Style.plain && isNonStringWord(value.value)) value.style = Style.double;
}

/** Writes a scalar over a scalar; the style already there stays. */
export function setScalar(node: YamlNode, value: YamlNode): void {
  quoteIfAmbiguous(value);
  requireKind(node, "scalar");
  if (isNull(value)) return;
  value.style = node.style;
  overwriteNode(node, value);
}

/** Sets a field; nothing and null remove it. An existing value keeps its style and its place. */
export function setField(
  node: YamlNode,
  name: string,
  value: YamlNode | undefined,
  keyStyle: number = Style.plain,
): void {
  if (value !== undefined) quoteIfAmbiguous(value);
  if (name === "") {
    if (value !== undefined) setScalar(node, value);
    return;
  }
  if (value === undefined || (isNull(value) && !value.isNullKept)) {
    removeField(node, name);
    return;
  }
  const existing = requireField(node, name);
  if (existing === undefined) {
    node.content.push(newScalar(name, "", keyStyle), value);
    return;
  }
  value.style = existing.style;
  overwriteNode(existing, value);
}

export const isListIndex = (part: string): boolean => part.startsWith("[") && part.endsWith("]");
const integerPattern = /^[-+]?[0-9]+$/;
export const isIndexNumber = (part: string): boolean => integerPattern.test(part) && Number(part) >= 0;

export function splitListIndex(part: string): { name: string; value: string } {
  const inside = part.slice(1, -1);
  const at = inside.indexOf("=");
  if (at < 0) throw new RenderError("list path element must contain fieldName=fieldValue for element to match");
  return { name: inside.slice(0, at), value: inside.slice(at + 1) };
}

/** What a missing path part must become so that the next part can be found in it. */
export function kindForNextPart(nextPart: string | undefined, last: NodeKind): NodeKind {
  if (nextPart === undefined || nextPart === "") return last;
  return isListIndex(nextPart) || isIndexNumber(nextPart) ? "sequence" : "mapping";
}

/**
 * Follows a path of field names, list positions (`0`, `-` for the last) and `[name=value]` selectors. With `create` missing fields
 * and selected elements are made, the last of that kind; list positions never are.
 */
export function lookup(root: YamlNode, path: readonly string[], create?: NodeKind): YamlNode | undefined {
  const parts = path.map((part) => part.trim()).filter((part) => part !== "");
  let node: YamlNode | undefined = root;
  for (const [index, part] of parts.entries()) {
    node = step(node, part, parts[index + 1], create);
    if (node === undefined) return undefined;
  }
  return node;
}

function step(
  node: YamlNode,
  part: string,
  next: string | undefined,
  create: NodeKind | undefined,
): YamlNode | undefined {
  if (integerPattern.test(part)) {
    if (Number(part) < 0) throw new RenderError(`array index ${Number(part)} cannot be negative`);
    return elementsOf(node)[Number(part)];
  }
  if (part === "-") {
    const elements = elementsOf(node);
    if (elements.length === 0) throw new RenderError("index out of range [-1]");
    return elements.at(-1);
  }
  if (part === "*") throw new RenderError("wildcard is not supported in PathGetter");
  if (isListIndex(part)) return stepIntoElement(node, part, create);
  const found = requireField(node, part);
  if (found !== undefined || create === undefined || isNull(node)) return found;
  setField(node, part, new YamlNode(kindForNextPart(next, create)));
  return fieldOf(node, part);
}

export function elementsOf(node: YamlNode): YamlNode[] {
  requireKind(node, "sequence");
  return node.content;
}

function stepIntoElement(node: YamlNode, part: string, create: NodeKind | undefined): YamlNode | undefined {
  const { name, value } = splitListIndex(part);
  const found = findElement(node, [name], [value]);
  if (found !== undefined || create === undefined) return found;
  const element = name === "" ? newScalar(value) : new YamlNode("mapping");
  if (name !== "") element.content = [newScalar(name), newScalar(value)];
  node.content.push(element);
  return element;
}

/** The first element whose fields `keys` hold `values`; a key "" compares the element itself. */
export function findElement(node: YamlNode, keys: readonly string[], values: readonly string[]): YamlNode | undefined {
  requireKind(node, "sequence");
  const [firstKey = ""] = keys;
  if (firstKey === "") return node.content.find((element) => element.value === (values[0] ?? ""));
  if (keys.length !== values.length) throw new RenderError("length of keys must equal length of values");
  return node.content.find(
    (element) =>
      element.kind === "mapping" && keys.every((key, index) => fieldOf(element, key)?.value === values[index]),
  );
}

/** A mapping of strings, as labels and annotations are read: whatever stands there counts as text. */
export function stringMapOf(node: YamlNode | undefined): Map<string, string> {
  const result = new Map<string, string>();
  if (node === undefined) return result;
  for (const [key, value] of pairsOf(node)) result.set(key.value, value.value);
  return result;
}

/** Writes labels or annotations anew as strings in sorted order; an empty map removes the field. */
export function setStringMap(root: YamlNode, field: string, map: ReadonlyMap<string, string>): void {
  const metadata = lookup(root, ["metadata"], "mapping")!;
  removeField(metadata, field);
  if (map.size === 0) return;
  const target = lookup(metadata, [field], "mapping")!;
  for (const key of [...map.keys()].sort(compareText)) setField(target, key, newString(map.get(key)!));
}

/** Text order as Go's sort has it: by code point. */
export function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const difference = rank(left.charCodeAt(index)) - rank(right.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Surrogates stand for code points above all others. */
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
