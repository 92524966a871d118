/** Appends to the names of generated objects a hash of their content, so that a change of content is a change of name. */
import { createHash } from "node:crypto";
import type { Resource } from "#git/render/resource.ts";
import { decodeNode } from "#git/render/yaml/decode.ts";
import { fieldOf } from "#git/render/yaml/fields.ts";
import { isPlainMap, jsonText, type Plain, type PlainMap } from "#git/render/yaml/value.ts";
import type { Transform } from "./transformer.ts";

export const hashTransform: Transform = (list) => {
  for (const item of list.items) {
    if (!item.needsHash) continue;
    const hash = contentHash(item);
    item.storePreviousId();
    item.setName(`${item.name}-${hash}`);
  }
};

/** Letters and digits that make no words: vowels and 0, 1, 3 are replaced. */
const replacements: Readonly<Record<string, string>> = { "0": "g", "1": "h", "3": "k", a: "m", e: "t" };
const hashLength = 10;

function contentHash(item: Resource): string {
  const digest = createHash("sha256")
    .update(jsonText(hashedContent(item)))
    .digest("hex");
  return digest.slice(0, hashLength).replace(/[013ae]/g, (found) => replacements[found]!);
}

/** The name is left out: kustomize looks for it where it is not. */
function hashedContent(item: Resource): PlainMap {
  const content: PlainMap = new Map<string, Plain>([
    ["kind", item.kind],
    ["name", ""],
  ]);
  if (item.kind === "Secret") {
    content.set("type", fieldValue(item, "type"));
    content.set("data", fieldValue(item, "data"));
    addMap(content, item, "stringData");
  } else if (item.kind === "ConfigMap") {
    content.set("data", fieldValue(item, "data"));
    addMap(content, item, "binaryData");
  } else return new Map([["content", decodeNode(item.root!)]]);
  return content;
}

function fieldValue(item: Resource, field: string): Plain {
  const node = fieldOf(item.root, field);
  if (node === undefined) return "";
  return node.kind === "scalar" ? node.value : decodeNode(node);
}

function addMap(content: PlainMap, item: Resource, field: string): void {
  const value = fieldValue(item, field);
  if (isPlainMap(value)) content.set(field, value);
}
