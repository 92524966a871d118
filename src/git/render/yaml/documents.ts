/** Splits a file into its YAML documents and reads each as a tree without aliases, the way kustomize reads resources. */
import { RenderError } from "#git/render/render-error.ts";
import { expandAliases } from "./anchors.ts";
import { parseYaml } from "./composer.ts";
import { fieldOf } from "./fields.ts";
import { YamlError } from "./yaml-error.ts";
import { isMissingOrNull, textOf, type YamlNode } from "./yaml-node.ts";

const separatorPattern = /\n---[^\n]*\n/g;

export function splitDocuments(text: string): string[] {
  const documents: string[] = [];
  let start = 0;
  for (const match of text.matchAll(separatorPattern)) {
    const after = match[0].slice(4).trim();
    if (after !== "" && !after.startsWith("#")) throw new RenderError(`invalid document separator: ${match[0].trim()}`);
    documents.push(`${text.slice(start, match.index)}\n`);
    start = match.index + match[0].length;
  }
  if (text !== "") documents.push(text.slice(start));
  return documents;
}

/** The trees of a file. A file that is one `List` gives the list's items. */
export function readDocuments(text: string): YamlNode[] {
  const documents = splitDocuments(text.replaceAll("\r\n", "\n"));
  const nodes: YamlNode[] = [];
  for (const document of documents) {
    const node = parseDocument(document);
    if (node === undefined || isMissingOrNull(node)) continue;
    const items = documents.length === 1 ? listItems(node) : undefined;
    if (items === undefined) nodes.push(node);
    else nodes.push(...items);
  }
  return nodes.map(expandAliases);
}

function parseDocument(text: string): YamlNode | undefined {
  try {
    return parseYaml(text);
  } catch (error) {
    if (error instanceof YamlError) throw new RenderError(`MalformedYAMLError: ${error.message}`, { cause: error });
    throw error;
  }
}

function listItems(node: YamlNode): YamlNode[] | undefined {
  const kind = textOf(fieldOf(node, "kind"));
  if (kind !== "List" && kind !== "ResourceList") return undefined;
  const items = fieldOf(node, "items");
  if (items === undefined && fieldOf(node, "functionConfig") === undefined) return undefined;
  return items?.content.slice() ?? [];
}
