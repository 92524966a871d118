/**
 * The last step before printing: kustomize writes an object as JSON and reads that as YAML, where some characters are refused and
 * next-line characters fold to spaces.
 */
import { RenderError } from "#git/render/render-error.ts";
import { isPlainMap, type Plain, type PlainMap } from "./value.ts";

const oddCharacter = /[\x7f-\x9f\ufffe\uffff]/;
const refusedCharacter = /[\x7f-\x84\x86-\x9f\ufffe\uffff]/;

/** The map as it is printed; it is changed in place where nothing needs a copy. */
export function settle(map: PlainMap): PlainMap {
  for (const [key, value] of map) {
    const settled = settleValue(value);
    if (settled !== value) map.set(key, settled);
  }
  return [...map.keys()].some((key) => oddCharacter.test(key))
    ? new Map(Array.from(map, ([key, value]) => [settleText(key), value]))
    : map;
}

function settleValue(value: Plain): Plain {
  if (typeof value === "string") return oddCharacter.test(value) ? settleText(value) : value;
  if (isPlainMap(value)) return settle(value);
  if (!Array.isArray(value)) return value;
  for (const [index, item] of value.entries()) value[index] = settleValue(item);
  return value;
}

function settleText(text: string): string {
  if (refusedCharacter.test(text)) throw new RenderError("yaml: control characters are not allowed");
  return text.replace(/ *(?:\x85 *)+/g, (found) => "\n".repeat(found.replaceAll(" ", "").length - 1) || " ");
}
