/** Puts the content of anchors where their aliases stand and carries out merge keys (`<<`), so that no alias remains. */
import { RenderError } from "#git/render/render-error.ts";
import { pairsOf, removeField } from "./fields.ts";
import { copyNode, newScalar, YamlNode } from "./yaml-node.ts";

/** A document that grows beyond this many nodes by its aliases is refused ("billion laughs"). */
export const expandedNodesMax = 1_000_000;

export function expandAliases(root: YamlNode): YamlNode {
  return new Expansion().expand(root);
}

class Expansion {
  #nodes = 0;
  readonly #open = new Set<YamlNode>();

  expand(node: YamlNode): YamlNode {
    node.anchor = "";
    if (node.kind === "scalar") return node;
    if (node.kind === "alias") return this.#copied(node);
    if (node.kind === "mapping") mergeInto(node);
    this.#open.add(node);
    for (let index = 0; index < node.content.length; index += 1)
      node.content[index] = this.expand(node.content[index]!);
    this.#open.delete(node);
    return node;
  }

  #copied(node: YamlNode): YamlNode {
    const target = node.alias!;
    if (this.#open.has(target)) throw new RenderError(`anchor '${node.value}' value contains itself`);
    const expanded = this.expand(target);
    this.#nodes += countNodes(expanded, expandedNodesMax);
    if (this.#nodes > expandedNodesMax) throw new RenderError("document contains excessive aliasing");
    return copyNode(expanded);
  }
}

function countNodes(node: YamlNode, limit: number): number {
  let count = 1;
  for (const child of node.content) {
    count += countNodes(child, limit);
    if (count > limit) return count;
  }
  return count;
}

/** Own fields win over merged ones; of several merged mappings the first wins. */
function mergeInto(node: YamlNode): void {
  const keys = Array.from(pairsOf(node)).filter(([key]) => key.tag === "!!merge");
  if (keys.length === 0) return;
  if (keys.length > 1) throw new RenderError("duplicate merge key");
  const sources = mergeSources(keys[0]![1]);
  removeField(node, "<<");
  const own = new Set(Array.from(pairsOf(node), ([key]) => key.value));
  const merged = new Map<string, readonly [YamlNode, YamlNode]>();
  for (const source of sources) for (const [key, value] of pairsOf(source)) merged.set(key.value, [key, value]);
  for (const [name, [key, value]] of merged) {
    if (own.has(name)) continue;
    node.content.push(key.kind === "scalar" ? copyNode(key) : newScalar(name), copyNode(value));
  }
}

/** The mappings to merge, the weakest first. */
function mergeSources(value: YamlNode): YamlNode[] {
  if (value.kind === "mapping") return [value];
  if (value.kind === "alias") {
    if (value.alias!.kind !== "mapping") throw new RenderError("invalid map merge: received alias for a non-map value");
    return [value.alias!];
  }
  if (value.kind !== "sequence") throw new RenderError("map merge requires map or sequence of maps as the value");
  return value.content.toReversed().flatMap((element) => {
    if (element.kind === "sequence") throw new RenderError("invalid map merge: received a nested sequence");
    return mergeSources(element);
  });
}
