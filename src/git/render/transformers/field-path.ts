/**
 * Paths of replacements: fields joined by dots, `[name=value]` and `*` for list elements, numbers for positions. A path into text
 * that is YAML or JSON itself goes on inside of it.
 */
import { goPattern } from "#git/render/go-regexp.ts";
import { splitPath } from "#git/render/field-spec.ts";
import { RenderError } from "#git/render/render-error.ts";
import { parseYaml } from "#git/render/yaml/composer.ts";
import {
  elementsOf,
  fieldOf,
  isIndexNumber,
  isListIndex,
  kindForNextPart,
  requireField,
  setField,
  splitListIndex,
} from "#git/render/yaml/fields.ts";
import { printScalar } from "#git/render/yaml/print-scalar.ts";
import { newScalar, type NodeKind, YamlNode } from "#git/render/yaml/yaml-node.ts";

/** Splits at dots; `\.` and dots inside brackets do not split, brackets without `=` are taken off. */
export function smartPath(path: string): string[] {
  const parts = splitPath(path, ".");
  const result: string[] = [];
  for (let index = 0; index < parts.length; index += 1) {
    let part = parts[index]!;
    if (part.startsWith("[") && !part.endsWith("]")) {
      while (index + 1 < parts.length) {
        index += 1;
        part += `.${parts[index]}`;
        if (parts[index]!.endsWith("]")) break;
      }
      if (!part.includes("=")) part = part.replace(/^[[\]]+|[[\]]+$/g, "");
    }
    result.push(part);
  }
  return result;
}

/** Every node the path reaches; with `create` missing fields are made, the last of that kind. */
export function matchFields(node: YamlNode, path: readonly string[], create?: NodeKind): YamlNode[] {
  const [part, ...rest] = path;
  if (part === undefined) return [node];
  if (isIndexNumber(part)) return matchPosition(node, Number(part), rest, create);
  if (isListIndex(part)) return matchElements(node, part, rest, create);
  if (part === "*") return elementsOf(node).flatMap((element) => matchFields(element, rest, create));
  return matchField(node, part, rest, create);
}

function matchField(node: YamlNode, part: string, rest: readonly string[], create?: NodeKind): YamlNode[] {
  let field = requireField(node, part);
  if (field === undefined && create === undefined) return [];
  if (field === undefined) {
    field = new YamlNode(kindForNextPart(rest[0], create!));
    setField(node, part, field);
  }
  if (field.kind !== "scalar" || rest.length === 0) return matchFields(field, rest, create);
  const inner = parseYaml(field.value);
  return matchFields(inner ?? new YamlNode("none"), rest, create);
}

function matchPosition(node: YamlNode, index: number, rest: readonly string[], create?: NodeKind): YamlNode[] {
  const elements = elementsOf(node);
  if (elements.length === index && create !== undefined) elements.push(new YamlNode(kindForNextPart(rest[0], create)));
  const element = elements[index];
  if (element === undefined)
    throw new RenderError(`index ${index} specified but only ${elements.length} elements found`);
  return matchFields(element, rest, create);
}

function matchElements(node: YamlNode, part: string, rest: readonly string[], create?: NodeKind): YamlNode[] {
  const { name, value } = splitListIndex(part);
  const pattern = goPattern(value);
  const isMatch = (candidate: YamlNode | undefined): boolean =>
    candidate !== undefined && pattern.isFoundIn(printScalar(candidate).trim());
  const find = (): YamlNode[] =>
    elementsOf(node)
      .filter((element) => isMatch(name === "" ? element : fieldOf(element, name)))
      .flatMap((element) => (name === "" ? [element] : matchFields(element, rest, create)));
  const found = find();
  if (found.length > 0 || create === undefined) return found;
  const element = name === "" ? newScalar(value) : new YamlNode("mapping");
  if (name !== "") element.content = [newScalar(name), newScalar(value)];
  elementsOf(node).push(element);
  return find();
}
