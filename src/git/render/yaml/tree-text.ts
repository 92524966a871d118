/** A tree as text that is equal for equal trees only, styles and tags included. */
import type { YamlNode } from "./yaml-node.ts";

export function treeText(node: YamlNode): string {
  const own = `${node.kind} ${node.tag} ${node.style} ${JSON.stringify(node.value)}`;
  return node.content.length === 0 ? own : `${own}[${node.content.map(treeText).join(",")}]`;
}
