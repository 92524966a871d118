/**
 * JSON as Go reads it. Most bodies take the fast way: the engine's own parser, and one pass over the bytes that proves that
 * nothing was lost by it. Repeated keys, halves of surrogate pairs and numbers that a double cannot hold go through the exact
 * parser, which also finds Go's words for a syntax error.
 */
import { parseExactly, quotedByte } from "./json-exact.ts";
import { type JsonDocument, JsonSyntaxError, nestingDepthMax } from "./json-value.ts";

const quote = 0x22;
const backslash = 0x5c;

/** Throws JsonSyntaxError. */
export function parseJson(bytes: Uint8Array): JsonDocument {
  // Text that is no UTF-8 would not be told by its bytes any more.
  if (bytes[0]! >= 0x80)
    throw new JsonSyntaxError(`invalid character ${quotedByte(bytes[0]!)} looking for beginning of value`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const members = countMembers(bytes);
  if (members === undefined) return parseExactly(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return parseExactly(text);
  }
  return countKeys(value) === members ? { value, duplicates: undefined } : parseExactly(text);
}

/** The number of `key:` pairs; undefined if a number, an escape or the depth needs a closer look. */
function countMembers(bytes: Uint8Array): number | undefined {
  let members = 0;
  let depth = 0;
  let digits = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === quote) {
      for (at++; at < bytes.length && bytes[at] !== quote; at++) {
        if (bytes[at] !== backslash) continue;
        at++;
        if (mayBeHalf(bytes, at)) return undefined;
      }
      digits = 0;
    } else if (byte >= 0x30 && byte <= 0x39) {
      if (++digits > 15) return undefined;
      const next = bytes[at + 1];
      if (next === 0x2e || next === 0x65 || next === 0x45) return undefined; // . e E
    } else {
      digits = 0;
      if (byte === 0x3a) members++;
      else if (byte === 0x7b || byte === 0x5b) {
        if (++depth > nestingDepthMax) return undefined;
      } else if (byte === 0x7d || byte === 0x5d) depth--;
    }
  }
  return members;
}

/** "u" and "d", as the escapes of the halves of a surrogate pair begin. */
const mayBeHalf = (bytes: Uint8Array, at: number) => bytes[at] === 0x75 && (bytes[at + 1]! | 0x20) === 0x64;

function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += countKeys(item);
    return count;
  }
  for (const key in value) count += 1 + countKeys((value as Record<string, unknown>)[key]);
  return count;
}
