/**
 * The bytes of objects. An object is encoded once, when it is written, without its resourceVersion (the store has not
 * given it one yet) but with kind, apiVersion and metadata in front, so that the version can be put in as bytes later.
 */
import { assert } from "#lib/assert.ts";
import type { KubernetesObject } from "#api/object.ts";

const metadataMark = Buffer.from('"metadata":{');

/** What the store keeps of an object. */
export function encodeStored(object: KubernetesObject): Buffer {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _, ...meta } = metadata;
  return Buffer.from(JSON.stringify({ kind, apiVersion, metadata: meta, ...rest }));
}

/** The stored bytes with `metadata.resourceVersion`: what clients get. */
export function withRevision(stored: Uint8Array, revision: number): Buffer {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  const at = bytes.indexOf(metadataMark) + metadataMark.length;
  assert(at >= metadataMark.length, "a stored object without metadata");
  const empty = bytes[at] === 0x7d;
  const text = `"resourceVersion":"${revision}"${empty ? "" : ","}`;
  const whole = Buffer.allocUnsafe(bytes.length + text.length);
  bytes.copy(whole, 0, 0, at);
  whole.write(text, at, "latin1");
  bytes.copy(whole, at + text.length, at);
  return whole;
}

/** The bytes that withRevision gave, under another revision. */
export function restamped(bytes: Buffer, from: number, to: number): Buffer {
  const at = bytes.indexOf(metadataMark) + metadataMark.length + '"resourceVersion":"'.length;
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(String(to)), bytes.subarray(at + String(from).length)]);
}

export function decode<T extends KubernetesObject = KubernetesObject>(bytes: Uint8Array): T {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8")) as T;
}
