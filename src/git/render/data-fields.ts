/** Writes the data of ConfigMaps and Secrets: sorted keys, text as it is, other bytes in base64. */
import { compareText, lookup, setField } from "./yaml/fields.ts";
import { newScalar, Style, type YamlNode } from "./yaml/yaml-node.ts";

const base64LineLength = 70;

/** Base64 in lines of 70 characters; a single line gets no break. */
export function base64Lines(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("base64");
  const lineCount = Math.floor(text.length / base64LineLength) + 1;
  if (lineCount === 1) return text;
  return text.replace(new RegExp(`.{1,${base64LineLength}}`, "g"), "$&\n");
}

export function dataScalar(text: string): YamlNode {
  return newScalar(text, "!!str", text.includes("\n") ? Style.literal : Style.plain);
}

/** Sets the values as strings, keys sorted; nothing is written for no values. */
export function setDataField(root: YamlNode, field: string, values: ReadonlyMap<string, string>): void {
  for (const key of [...values.keys()].sort(compareText))
    setField(lookup(root, [field], "mapping")!, key, dataScalar(values.get(key)!));
}
