/**
 * A YAML tree that keeps what go-yaml's node keeps: tag, text and style of every scalar. Kubernetes tools decide types late, from
 * tag, style and text together, so all three must survive every edit. Mappings hold keys and values alternating in `content`.
 */
export type NodeKind = "scalar" | "mapping" | "sequence" | "alias" | "none";

/** Style bits; a node without any is plain (scalars) or block (collections). */
export const Style = {
  plain: 0,
  tagged: 1,
  double: 2,
  single: 4,
  literal: 8,
  folded: 16,
  flow: 32,
} as const;

export const quotedStyles = Style.double | Style.single | Style.literal | Style.folded;

export class YamlNode {
  kind: NodeKind;
  tag: string;
  value: string;
  style: number;
  content: YamlNode[] = [];
  anchor = "";
  alias: YamlNode | undefined = undefined;
  line = 0;
  /** A null that a patch must keep although nulls are otherwise dropped. */
  isNullKept = false;
  headComment = "";
  lineComment = "";
  footComment = "";

  constructor(kind: NodeKind, tag = "", value = "", style: number = Style.plain) {
    this.kind = kind;
    this.tag = tag;
    this.value = value;
    this.style = style;
  }
}

export const newScalar = (value: string, tag = "", style: number = Style.plain): YamlNode =>
  new YamlNode("scalar", tag, value, style);
export const newMapping = (): YamlNode => new YamlNode("mapping");
export const newSequence = (): YamlNode => new YamlNode("sequence");

/** A string as a node: multi-line text becomes a literal block, like go-yaml's SetString. */
export function newString(value: string): YamlNode {
  return newScalar(value, "!!str", value.includes("\n") ? Style.literal : Style.plain);
}

/** Gives `target` everything `source` has, keeping the identity of `target`; the children stay shared. */
export function overwriteNode(target: YamlNode, source: YamlNode): void {
  if (target === source) return;
  target.kind = source.kind;
  target.tag = source.tag;
  target.value = source.value;
  target.style = source.style;
  target.content = source.content.slice();
  target.anchor = source.anchor;
  target.alias = source.alias;
  target.line = source.line;
  target.isNullKept = source.isNullKept;
  target.headComment = source.headComment;
  target.lineComment = source.lineComment;
  target.footComment = source.footComment;
}

export function copyNode(node: YamlNode): YamlNode {
  const copy = new YamlNode(node.kind, node.tag, node.value, node.style);
  copy.content = node.content.map(copyNode);
  copy.anchor = node.anchor;
  copy.alias = node.alias;
  copy.line = node.line;
  copy.isNullKept = node.isNullKept;
  copy.headComment = node.headComment;
  copy.lineComment = node.lineComment;
  copy.footComment = node.footComment;
  return copy;
}

export const isNull = (node: YamlNode | undefined): boolean => node !== undefined && node.tag === "!!null";
export const isMissingOrNull = (node: YamlNode | undefined): boolean => node === undefined || node.tag === "!!null";

export function isEmptyNode(node: YamlNode | undefined): boolean {
  if (node === undefined || node.tag === "!!null" || node.kind === "none") return true;
  return (node.kind === "mapping" || node.kind === "sequence") && node.content.length === 0;
}

export const isEmptyMapping = (node: YamlNode | undefined): boolean =>
  node === undefined || node.tag === "!!null" || (node.kind === "mapping" && node.content.length === 0);

/** Whether a scalar counts as text: tagged so, or made without a tag. */
export const isStringScalar = (node: YamlNode): boolean =>
  node.kind === "scalar" && (node.tag === "!!str" || node.tag === "");

/** The text of a scalar, empty for nothing and null. */
export const textOf = (node: YamlNode | undefined): string =>
  node === undefined || node.tag === "!!null" ? "" : node.value;
