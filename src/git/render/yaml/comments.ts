/**
 * Puts comments on nodes: one on a line of its own heads what comes next, one behind a value stays with it, what comes after
 * everything is the foot of the last field.
 */
import type { Comment } from "./scanner.ts";
import { pairsOf } from "./fields.ts";
import type { YamlNode } from "./yaml-node.ts";

export function attachComments(root: YamlNode, comments: readonly Comment[]): void {
  const heads = [...entriesOf(root)];
  const leaves = [...leavesOf(root)];
  const last = (root.kind === "mapping" ? root.content.at(-2) : undefined) ?? root;
  for (const { line, text, isAlone } of comments) {
    const place = line + 1;
    const leaf = isAlone ? undefined : leaves.findLast((node) => node.line === place);
    const head = heads.find((node) => node.line > place);
    if (leaf !== undefined) leaf.lineComment = text;
    else if (head === undefined) last.footComment = joined(last.footComment, text);
    else head.headComment = joined(head.headComment, text);
  }
}

const joined = (before: string, text: string): string => (before === "" ? text : `${before}\n${text}`);

/** Keys of mappings and elements of sequences in reading order: what a comment can stand before. */
function* entriesOf(node: YamlNode): Generator<YamlNode> {
  if (node.kind === "sequence")
    for (const element of node.content) {
      yield element;
      yield* entriesOf(element);
    }
  if (node.kind !== "mapping") return;
  for (const [key, value] of pairsOf(node)) {
    yield key;
    yield* entriesOf(value);
  }
}

/** Keys, scalars and empty collections in reading order: what a comment can stand behind. */
function* leavesOf(node: YamlNode): Generator<YamlNode> {
  if (node.content.length === 0) yield node;
  for (const child of node.content) yield* leavesOf(child);
}
