/**
 * Values as Go prints them: `%q`, `encoding/json`, `%v`. Error texts of Kubernetes quote values in these forms, and clients
 * compare them.
 */

import { setMember } from "./decode/json-value.ts";

const printable = /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;
const plainAscii = /^[ !#-[\]-~]*$/;
const named: Record<string, string> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  '"': '\\"',
  "\\": "\\\\",
};

/** unicode.IsPrint. */
export function isPrintable(character: string): boolean {
  return printable.test(character);
}

/** strconv.Quote. */
export function goQuote(text: string): string {
  if (plainAscii.test(text)) return `"${text}"`;
  let quoted = '"';
  for (const character of text) quoted += quotedCharacter(character);
  return `${quoted}"`;
}

function quotedCharacter(character: string): string {
  const short = named[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0)!;
  if (code >= 0xd800 && code <= 0xdfff) return "\\ufffd";
  if (isPrintable(character)) return character;
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

const hex = (code: number, width: number) => code.toString(16).padStart(width, "0");

/** json.Marshal, which escapes what HTML could stumble over. Keys come in the object's own order. */
export function goJson(value: unknown): string {
  return (JSON.stringify(value) ?? "null").replace(/[<>&\u2028\u2029]/g, (one) => `\\u${hex(one.charCodeAt(0), 4)}`);
}

/** JSON with the keys of every object sorted, as Go prints maps. */
export function sortedJson(value: unknown): string {
  return goJson(withSortedKeys(value));
}

export function withSortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSortedKeys);
  if (value === null || typeof value !== "object" || value instanceof Number) return value;
  const sorted: Record<string, unknown> = {};
  for (const key of Object.keys(value).sort(compareText)) {
    setMember(sorted, key, withSortedKeys((value as Record<string, unknown>)[key]));
  }
  return sorted;
}

/** `%v` of what a JSON document decodes to: `map[a:1 b:[x y]]`, keys sorted. */
export function goValue(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(goValue).join(" ")}]`;
  if (value instanceof Number) return String(value);
  if (typeof value === "object") {
    const entries = Object.keys(value)
      .sort(compareText)
      .map((key) => `${key}:${goValue((value as Record<string, unknown>)[key])}`);
    return `map[${entries.join(" ")}]`;
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** `[]string{"a", "b"}`. */
export function goStrings(values: readonly string[]): string {
  return `[]string{${values.map(goQuote).join(", ")}}`;
}

const htmlReferences: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};

/** html.EscapeString. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => htmlReferences[character]!);

/** Order of Go strings: by bytes, which for UTF-16 strings means by code points. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left === right) continue;
    const bothPlain = left < 0xd800 || right < 0xd800;
    return bothPlain ? left - right : surrogateLast(left) - surrogateLast(right);
  }
  return a.length - b.length;
}

const surrogateLast = (unit: number) => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

/** len(text) in Go: bytes of UTF-8. */
export function isLongerThan(text: string, bytesMax: number): boolean {
  if (text.length > bytesMax) return true;
  return text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax;
}

/** Go's %g: from a million on, and below a ten-thousandth, with an exponent. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [digits = "", power = ""] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return String(value);
  return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
