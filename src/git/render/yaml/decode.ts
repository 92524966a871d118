/**
 * Gives the data a resource's YAML tree stands for. Kubernetes tools print the tree and read the print again before they turn it into
 * JSON, so a scalar means what its printed form means: an untagged edit may change type, a forced string is quoted.
 */
import { RenderError } from "#git/render/render-error.ts";
import { settledFloat } from "./go-number.ts";
import { reprintedText } from "./reprint.ts";
import { resolvePlain, resolveTagged, type ScalarValue } from "./resolve.ts";
import { Timestamp } from "./timestamp.ts";
import type { Plain, PlainMap } from "./value.ts";
import { quotedStyles, Style, type YamlNode } from "./yaml-node.ts";
import { isPlainAllowed } from "./scalar-analysis.ts";

/** The data of a mapping at the top of a document; its keys may be any scalar. */
export function decodeMapping(node: YamlNode): PlainMap {
  if (node.tag === "!!null" || node.kind === "none") return new Map();
  if (node.kind !== "mapping") throw new RenderError("cannot unmarshal into a map");
  return mappingValue(node, true);
}

export function decodeNode(node: YamlNode): Plain {
  switch (node.kind) {
    case "mapping":
      return mappingValue(node, false);
    case "sequence":
      return node.content.map(decodeNode);
    case "scalar":
      return plainScalar(decodeScalar(node));
    default:
      return null;
  }
}

function mappingValue(node: YamlNode, isTop: boolean): PlainMap {
  const result: PlainMap = new Map();
  for (let index = 0; index + 1 < node.content.length; index += 2) {
    const key = keyText(node.content[index]!, isTop);
    if (key === undefined) continue;
    if (result.has(key))
      throw new RenderError(`yaml: line ${node.content[index]!.line}: mapping key "${key}" already defined`);
    result.set(key, decodeNode(node.content[index + 1]!));
  }
  return result;
}

/** Below the top only strings can be keys. */
function keyText(key: YamlNode, isTop: boolean): string | undefined {
  if (key.kind !== "scalar") throw new RenderError("yaml: invalid map key");
  const value = decodeScalar(key);
  if (typeof value === "string") return value;
  if (!isTop) throw new RenderError("json: unsupported type: map[interface {}]interface {}");
  return value === null ? undefined : key.value;
}

function plainScalar(value: ScalarValue): Plain {
  if (typeof value !== "number") return value instanceof Timestamp ? value.text : value;
  if (!Number.isFinite(value)) throw new RenderError(`json: unsupported value: ${value}`);
  return settledFloat(value);
}

/** What a scalar means once it has been printed and read again. */
export function decodeScalar(node: YamlNode): ScalarValue {
  const { tag, style, value } = node;
  if ((style & Style.tagged) !== 0) return decodeTagged(tag, node);
  const isQuoted = (style & quotedStyles) !== 0 || value.includes("\n");
  if (isQuoted) return isKeptTag(tag, value) ? decodeTagged(tag, node) : reprintedText(node);
  const found = resolvePlain(value);
  if (tag === "" || found.tag === tag) {
    return found.tag === "!!str" || !isPlainAllowed(value) ? value : found.value;
  }
  return tag === "!!str" ? value : decodeTagged(tag, node);
}

/** A tag is printed when leaving it out would change the meaning of the text. */
const isKeptTag = (tag: string, value: string): boolean =>
  tag !== "" && tag !== "!!str" && resolvePlain(value).tag !== tag;

function decodeTagged(tag: string, node: YamlNode): ScalarValue {
  if (tag === "!!binary") return Buffer.from(node.value, "base64").toString("utf8");
  const found = resolveTagged(tag, node.value);
  if (found === undefined) throw new RenderError(`yaml: cannot decode \`${node.value}\` as a ${tag}`);
  return typeof found.value === "string" && found.tag === "!!str" ? reprintedText(node) : found.value;
}
