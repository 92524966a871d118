/** Writes a value inside text that is itself JSON or YAML; the text is printed anew in the form it had. */
import { parseYamlWithComments } from "#git/render/yaml/composer.ts";
import { decodeNode } from "#git/render/yaml/decode.ts";
import { compareText, lookup } from "#git/render/yaml/fields.ts";
import { printTree } from "#git/render/yaml/print-tree.ts";
import { isPlainMap, jsonText, type Plain } from "#git/render/yaml/value.ts";
import { type NodeKind, overwriteNode, type YamlNode } from "#git/render/yaml/yaml-node.ts";
import { matchFields, smartPath } from "./field-path.ts";

/** Whether the path leads into structured text and the value could be set there. */
export function setInsideText(root: YamlNode, value: YamlNode, path: string, create: NodeKind | undefined): boolean {
  try {
    return trySetInsideText(root, value, smartPath(path), create);
  } catch {
    return false;
  }
}

function trySetInsideText(root: YamlNode, value: YamlNode, parts: readonly string[], create?: NodeKind): boolean {
  const found = findText(root, parts);
  if (found === undefined) return false;
  const { field, tree, rest } = found;
  const targets = matchFields(tree, rest, create);
  if (targets.length === 0) return false;
  for (const target of targets) {
    if (target.kind === "scalar") target.value = value.value;
    else overwriteNode(target, value);
  }
  field.value = printLike(tree, field.value);
  return true;
}

function findText(
  root: YamlNode,
  parts: readonly string[],
): { field: YamlNode; tree: YamlNode; rest: readonly string[] } | undefined {
  for (let length = 1; length < parts.length; length += 1) {
    const field = attempt(() => lookup(root, parts.slice(0, length)));
    if (field?.kind !== "scalar") continue;
    const tree = attempt(() => parseYamlWithComments(field.value));
    if (tree !== undefined) return { field, tree, rest: parts.slice(length) };
  }
  return undefined;
}

function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function printLike(tree: YamlNode, original: string): string {
  const first = original.trim()[0];
  if (first !== "{" && first !== "[") return printTree(tree).trim();
  const data = decodeNode(tree);
  return original.includes("\n") && original.includes("  ") ? indentedJson(data, "") : jsonText(data);
}

function indentedJson(value: Plain, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(value) && value.length > 0)
    return `[\n${value.map((item) => inner + indentedJson(item, inner)).join(",\n")}\n${indent}]`;
  if (!isPlainMap(value) || value.size === 0) return jsonText(value);
  const keys = [...value.keys()].sort(compareText);
  const fields = keys.map((key) => `${inner}${jsonText(key)}: ${indentedJson(value.get(key)!, inner)}`);
  return `{\n${fields.join(",\n")}\n${indent}}`;
}
