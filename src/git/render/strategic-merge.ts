/**
 * kustomize's strategic merge of a patch into an object: mappings merge field by field, lists of types that say so merge by key
 * (new elements first), everything else is replaced; null and `$patch` directives delete or replace. Both trees are consumed.
 */
import { RenderError } from "./render-error.ts";
import type { MergeType } from "./schema.ts";
import { mergeKeyedList, mergeWordList, replaceElements } from "./merge-lists.ts";
import {
  compareText,
  elementsOf,
  fieldNames,
  fieldOf,
  keyNodeOf,
  removeField,
  requireKind,
  setField,
} from "./yaml/fields.ts";
import { isMissingOrNull, isNull, newScalar, type NodeKind, textOf, type YamlNode } from "./yaml/yaml-node.ts";

export interface MergeTypes {
  typeOf(apiVersion: string, kind: string): MergeType | undefined;
}

type Node = YamlNode | undefined;

/** The merged object, undefined when the patch deletes it. */
export function mergePatch(target: YamlNode, patch: YamlNode, types: MergeTypes): Node {
  return new Merge(types).nodes(target, patch, undefined);
}

type Directive = "merge" | "replace" | "delete";

export class Merge {
  readonly #types: MergeTypes;

  constructor(types: MergeTypes) {
    this.#types = types;
  }

  nodes(target: Node, patch: Node, known: MergeType | undefined): Node {
    const type = known ?? this.#typeOf(target) ?? this.#typeOf(patch);
    const kind = kindOf(target, patch);
    if (kind !== "none") {
      requireKind(target, kind);
      requireKind(patch, kind);
    }
    switch (kind) {
      case "mapping":
      case "none":
        return this.#mappings(target, patch, type);
      case "sequence":
        return type?.isMerged === true ? this.#mergedLists(target, patch, type) : replacedBy(target, patch);
      case "scalar":
        return replacedBy(target, patch);
      default:
        return undefined;
    }
  }

  #typeOf(node: Node): MergeType | undefined {
    if (isMissingOrNull(node)) return undefined;
    const [apiVersion, kind] = [textOf(fieldOf(node, "apiVersion")), textOf(fieldOf(node, "kind"))];
    return apiVersion === "" || kind === "" ? undefined : this.#types.typeOf(apiVersion, kind);
  }

  #mappings(target: Node, patch: Node, type: MergeType | undefined): Node {
    const merged = chooseMapping(target, patch);
    if (merged === undefined) return undefined;
    const names = new Set([...fieldNames(merged), ...fieldNames(patch)]);
    for (const name of [...names].sort(compareText)) {
      const [mine, theirs] = [fieldOf(merged, name), fieldOf(patch, name)];
      const keyStyles = [keyNodeOf(patch, name)?.style ?? 0, keyNodeOf(merged, name)?.style ?? 0];
      const value = this.nodes(mine, theirs, type?.field(name));
      const keyStyle = value === theirs ? keyStyles[0] : value === mine ? keyStyles[1] : 0;
      setField(merged, name, value, keyStyle);
    }
    return merged;
  }

  #mergedLists(target: Node, patch: Node, type: MergeType): Node {
    const merged = chooseList(target, patch);
    if (merged === undefined) return undefined;
    const mergeElements = (mine: Node, theirs: Node): Node => this.nodes(mine, theirs, type.element());
    const list =
      type.keys.length > 0
        ? mergeKeyedList(merged, patch, type.keys, mergeElements)
        : mergeWordList(merged, patch, mergeElements);
    return isMissingOrNull(list) ? undefined : list;
  }
}

/** The kind of the first of the two that is there. */
function kindOf(target: Node, patch: Node): NodeKind {
  if (!isMissingOrNull(target)) return target!.kind;
  return isMissingOrNull(patch) ? "none" : patch!.kind;
}

function takeStyle(target: Node, patch: Node): void {
  if (target === undefined || patch === undefined) return;
  if (target.kind !== "scalar" && target.content.length === 0) target.style = patch.style;
}

function replacedBy(target: Node, patch: Node): Node {
  takeStyle(target, patch);
  return patch ?? target;
}

function chooseMapping(target: Node, patch: Node): Node {
  takeStyle(target, patch);
  if (isMissingOrNull(target)) {
    if (patch?.kind === "mapping" && lenientDirective(patch) === "delete") return undefined;
    return patch === undefined && target !== undefined && target.value !== "" ? keptNull(target) : patch;
  }
  if (isNull(patch)) return undefined;
  const directive = patch === undefined ? "merge" : mappingDirective(patch);
  if (directive === "delete") return undefined;
  return directive === "replace" ? patch : target;
}

function lenientDirective(patch: YamlNode): Directive {
  try {
    return mappingDirective(patch);
  } catch {
    return "merge";
  }
}

/** A null somebody wrote in the object stays although the patch says nothing of it. */
function keptNull(target: YamlNode): YamlNode {
  const node = newScalar(target.value, "!!null");
  node.isNullKept = true;
  return node;
}

function chooseList(target: Node, patch: Node): Node {
  takeStyle(target, patch);
  if (isMissingOrNull(target)) return patch;
  if (isNull(patch)) return undefined;
  const directive = patch === undefined ? "merge" : listDirective(patch);
  if (directive === "delete") return undefined;
  return directive === "replace" ? patch : target;
}

function directiveOf(text: string): Directive {
  if (text === "delete" || text === "replace" || text === "merge") return text;
  throw new RenderError(`unknown patch strategy '${text}'`);
}

function mappingDirective(patch: YamlNode): Directive {
  if (patch.kind !== "mapping") throw new RenderError("no implemented strategic merge patch strategy");
  const word = fieldOf(patch, "$patch");
  if (word === undefined) return "merge";
  const directive = directiveOf(word.value);
  removeField(patch, "$patch");
  return directive;
}

/** A list's directive is an element that holds nothing else. */
function listDirective(patch: YamlNode): Directive {
  const element = elementsOf(patch).find((candidate) => fieldOf(candidate, "$patch") !== undefined);
  if (element === undefined || element.content.length > 2) return "merge";
  const directive = directiveOf(fieldOf(element, "$patch")!.value);
  replaceElements(patch, ["$patch"], [directive], undefined);
  return directive;
}
