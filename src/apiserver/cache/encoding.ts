/**
 * The bytes of objects. An object is encoded once, when it is written, without its resourceVersion (the store has not
 * given it one yet) but with kind, apiVersion and metadata in front, so that the version can be put in as bytes later.
 */
import { assert } from "#lib/assert.ts";
import { parseJson } from "#api/decode/json.ts";
import { JsonNumber, plainJson } from "#api/decode/json-value.ts";
import type { KubernetesObject } from "#api/object.ts";

/** Behind objects that hold integers which JSON.parse would round. */
const exactMark = " ";

const metadataMark = Buffer.from('"metadata":{');

/** What the store keeps of an object. */
export function encodeStored(object: KubernetesObject): Buffer {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _, ...meta } = metadata;
  const before = JsonNumber.writtenExactly;
  const json = JSON.stringify({ kind, apiVersion, metadata: meta, ...rest });
  const text = JsonNumber.writtenExactly === before ? json : `${json}${exactMark}`;
  // Memory of its own: a pool would be kept, with all that was in it for a moment, as long as one of its objects lives.
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

/** Where in stored bytes the fields of the metadata begin: there the version goes in. */
export function metadataStart(stored: Buffer): number {
  const at = stored.indexOf(metadataMark) + metadataMark.length;
  assert(at >= metadataMark.length, "a stored object without metadata");
  return at;
}

const [quote, backslash, openBrace, closeBrace] = [0x22, 0x5c, 0x7b, 0x7d];

/** Where the metadata ends, after its brace, given where its fields begin. */
export function metadataEnd(stored: Buffer, start: number): number {
  let depth = 1;
  for (let at = start; at < stored.byteLength; at += 1) {
    const byte = stored[at];
    if (byte === quote) at = stringEnd(stored, at + 1);
    else if (byte === openBrace) depth += 1;
    else if (byte === closeBrace && (depth -= 1) === 0) return at + 1;
  }
  throw new Error("a stored object whose metadata has no end");
}

/** Where the quote is that ends a string. */
function stringEnd(stored: Buffer, start: number): number {
  let at = start;
  while (stored[at] !== quote) at += stored[at] === backslash ? 2 : 1;
  return at;
}

/** What goes in there. */
export function revisionText(stored: Buffer, at: number, revision: number): string {
  return `"resourceVersion":"${revision}"${stored[at] === 0x7d ? "" : ","}`;
}

/** Its length, without making it. */
export function revisionTextLength(stored: Buffer, at: number, revision: number): number {
  let length = '"resourceVersion":"0",'.length - (stored[at] === 0x7d ? 1 : 0);
  for (let rest = revision; rest >= 10; rest /= 10) length += 1;
  return length;
}

export function decode<T extends KubernetesObject = KubernetesObject>(bytes: Uint8Array): T {
  if (bytes[bytes.length - 1] === exactMark.charCodeAt(0)) return plainJson(parseJson(bytes).value) as T;
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8")) as T;
}
