/** Makes YAML trees of data, with the styles go-yaml would print and read back. */
import { RenderError } from "#git/render/render-error.ts";
import { formatFloat } from "./go-number.ts";
import { compareKeys } from "./key-order.ts";
import { resolvePlain } from "./resolve.ts";
import { analyzeScalar } from "./scalar-analysis.ts";
import { isPlainMap, type Plain } from "./value.ts";
import { newScalar, Style, YamlNode } from "./yaml-node.ts";

/**
 * Data that came out of JSON with Go's decoder: every number went through a 64-bit float, so 1000000 is written 1e+06 and whole
 * numbers beyond 2^53 lose digits.
 */
export function nodeOfJson(value: Plain): YamlNode {
  if (Array.isArray(value)) return collection("sequence", "!!seq", value.map(nodeOfJson));
  if (isPlainMap(value)) {
    const keys = [...value.keys()].sort(compareKeys);
    return collection(
      "mapping",
      "!!map",
      keys.flatMap((key) => [nodeOfString(key), nodeOfJson(value.get(key)!)]),
    );
  }
  if (typeof value === "string") return nodeOfString(value);
  if (typeof value === "number" || typeof value === "bigint") {
    const text = formatFloat(Number(value));
    return newScalar(text, resolvePlain(text).tag);
  }
  return value === null ? newScalar("null", "!!null") : newScalar(String(value), "!!bool");
}

/** The same data as it is read from JSON text by a YAML reader: strings in double quotes, numbers in full. */
export function nodeOfJsonText(value: Plain): YamlNode {
  if (Array.isArray(value)) return collection("sequence", "!!seq", value.map(nodeOfJsonText), Style.flow);
  if (isPlainMap(value)) {
    const content = [...value].flatMap(([key, inner]) => [
      newScalar(key, "!!str", Style.double),
      nodeOfJsonText(inner),
    ]);
    return collection("mapping", "!!map", content, Style.flow);
  }
  if (typeof value === "string") return newScalar(value, "!!str", Style.double);
  const text = String(value);
  return newScalar(text, resolvePlain(text).tag);
}

function collection(
  kind: "mapping" | "sequence",
  tag: string,
  content: YamlNode[],
  style: number = Style.plain,
): YamlNode {
  const node = new YamlNode(kind, tag, "", content.length === 0 ? Style.flow : style);
  node.content = content;
  return node;
}

function nodeOfString(text: string): YamlNode {
  const style = styleOfString(text);
  if (style === Style.literal && text.startsWith("\t"))
    throw new RenderError("yaml: found a tab character where an indentation space is expected");
  return newScalar(text, "!!str", style);
}

function styleOfString(text: string): number {
  const analysis = analyzeScalar(text, false);
  if (text.includes("\n")) return analysis.isBlockAllowed ? Style.literal : Style.double;
  if (resolvePlain(text, "v2").tag !== "!!str" || resolvePlain(text).tag !== "!!str") return Style.double;
  if (analysis.isPlainAllowed) return Style.plain;
  return analysis.isSingleQuotedAllowed ? Style.single : Style.double;
}
