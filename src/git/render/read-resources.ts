/** Reads the objects of a file: every document must have a kind and a name; lists are taken apart. */
import { RenderError } from "./render-error.ts";
import { Resource, type ResourceSource } from "./resource.ts";
import type { Scopes } from "./schema.ts";
import { decodeMapping } from "./yaml/decode.ts";
import { readDocuments } from "./yaml/documents.ts";
import { nodeOfJsonText } from "./yaml/encode.ts";
import { fieldOf } from "./yaml/fields.ts";
import { isPlainMap, type Plain } from "./yaml/value.ts";
import { isEmptyNode, textOf, type YamlNode } from "./yaml/yaml-node.ts";

export function readResources(text: string, source: ResourceSource, scopes: Scopes): Resource[] {
  return withListsTakenApart(validNodes(readDocuments(text))).map((node) => new Resource(node, source, scopes));
}

function validNodes(nodes: readonly YamlNode[]): YamlNode[] {
  const kept = nodes.filter((node) => !isEmptyNode(node));
  for (const node of kept) requireMetadata(node);
  return kept;
}

export function requireMetadata(node: YamlNode): void {
  const has = (field: string, of: YamlNode | undefined = node): boolean => !isEmptyNode(fieldOf(of, field));
  const metadata = fieldOf(node, "metadata");
  const hasName = has("name", metadata);
  const isAny =
    has("apiVersion") ||
    has("kind") ||
    hasName ||
    ["namespace", "labels", "annotations"].some((field) => has(field, metadata));
  if (!isAny) throw new RenderError("missing Resource metadata");
  const kind = textOf(fieldOf(node, "kind"));
  const described = `{apiVersion: ${textOf(fieldOf(node, "apiVersion"))}, kind: ${kind}, name: ${textOf(fieldOf(metadata, "name"))}}`;
  if (!has("kind") || kind === "") throw new RenderError(`missing kind in object ${described}`);
  if (kind.endsWith("List")) return;
  if (!hasName || fieldOf(metadata, "name")!.value === "")
    throw new RenderError(`missing metadata.name in object ${described}`);
}

/** A FooList is replaced by its items, which come after everything else. */
function withListsTakenApart(nodes: readonly YamlNode[]): YamlNode[] {
  const queue = [...nodes];
  const result: YamlNode[] = [];
  for (const node of queue) {
    const kind = fieldOf(node, "kind")?.value ?? "";
    const list = kind.endsWith("List") ? decodeMapping(node) : undefined;
    if (list === undefined || !list.has("items")) {
      result.push(node);
      continue;
    }
    const items = list.get("items")!;
    if (items === null) continue;
    if (!Array.isArray(items)) throw new RenderError(`expected array in ${kind}/items, but found ${typeName(items)}`);
    for (const item of items) queue.push(...validNodes(itemNodes(item)));
  }
  return result;
}

function itemNodes(item: Plain): YamlNode[] {
  if (item === null) return [];
  if (isPlainMap(item) && item.get("kind") === "List" && Array.isArray(item.get("items")))
    return (item.get("items") as Plain[]).map(nodeOfJsonText);
  return [nodeOfJsonText(item)];
}

const typeName = (value: Plain): string => (isPlainMap(value) ? "map[string]interface {}" : typeof value);
