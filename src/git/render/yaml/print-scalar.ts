/** The printed form of one scalar, as go-yaml v3 prints a tree: quotes are kept, long text is not wrapped. */
import { doubleQuoted } from "./emit.ts";
import { blockHints, printFolded } from "./reprint.ts";
import { resolvePlain } from "./resolve.ts";
import { analyzeScalar } from "./scalar-analysis.ts";
import { Style, type YamlNode } from "./yaml-node.ts";

export function printScalar(node: YamlNode, indent = "  ", isKey = false): string {
  const tag = shownTag(node);
  return (tag === "" ? "" : `${tag} `) + printText(node, indent, isKey);
}

function printText(node: YamlNode, indent: string, isKey: boolean): string {
  const { value } = node;
  const { isPlainAllowed, isSingleQuotedAllowed, isBlockAllowed } = analyzeScalar(value, false);
  const style = styleFor(node);
  if (style === Style.literal && isBlockAllowed && !isKey) return literal(value, indent);
  if (style === Style.folded && isBlockAllowed && !isKey) return printFolded(value, indent);
  if (style === Style.plain && isPlainAllowed) return value;
  const isSingle = style === Style.single || style === Style.plain;
  return isSingle && isSingleQuotedAllowed && !value.includes("\n")
    ? `'${value.replaceAll("'", "''")}'`
    : doubleQuoted(value);
}

function styleFor({ style, value, tag }: YamlNode): number {
  for (const kind of [Style.double, Style.single, Style.literal, Style.folded]) if ((style & kind) !== 0) return kind;
  if (value.includes("\n")) return Style.literal;
  const isForced = (style & Style.tagged) === 0 && tag === "!!str" && resolvePlain(value).tag !== "!!str";
  return isForced ? Style.double : Style.plain;
}

/** A tag is shown when it was written or when the text would mean something else without it. */
function shownTag({ tag, style, value }: YamlNode): string {
  if ((style & Style.tagged) !== 0) return tag;
  if (tag === "" || tag === "!!str") return "";
  return resolvePlain(value).tag === tag ? "" : tag;
}

function literal(value: string, indent: string): string {
  const lines = value.split("\n");
  const isEnded = lines.at(-1) === "";
  if (isEnded) lines.pop();
  const body = lines.map((line) => (line === "" ? "" : indent + line)).join("\n");
  return `|${blockHints(value)}\n${body}${isEnded ? "\n" : ""}`;
}
