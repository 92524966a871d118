/** Answers in protobuf, for clients that take nothing else. Upstream: serializer/protobuf, streaming with length prefixes. */
import { bytesField } from "#api/decode/protobuf-wire.ts";
import { encodeProtobuf } from "#api/decode/protobuf.ts";
import { builtInTypeOf } from "#api/schema/built-in.ts";
import type { OutgoingEvent } from "#apiserver/answer.ts";

/** undefined: of a kind that has no protobuf form. */
export function asProtobuf(object: unknown): Buffer | undefined {
  const { apiVersion = "", kind = "" } = object as { apiVersion?: string; kind?: string };
  const slash = apiVersion.indexOf("/");
  const [group, version] = slash < 0 ? ["", apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
  const struct = builtInTypeOf(group, version, kind);
  return struct === undefined ? undefined : encodeProtobuf({ apiVersion, kind, ...(object as object) }, struct);
}

const lengthBytes = 4;

/** meta/v1's WatchEvent {type = 1, object = 2 {raw = 1}} behind its length; the object inside has its own envelope. */
export function protobufFrame(event: OutgoingEvent): Buffer {
  const object = event.object() as object;
  const known = recentFrames.get(object);
  if (known?.type === event.type) return known.frame;
  const frame = frameOf(event.type, object);
  if (frame.byteLength > keptFrameBytesMax) return frame;
  if (recentFrames.size >= recentFramesMax) recentFrames.delete(recentFrames.keys().next().value!);
  recentFrames.set(object, { type: event.type, frame });
  return frame;
}

/** The same without its length. */
export const protobufMessage = (event: OutgoingEvent): Buffer => protobufFrame(event).subarray(lengthBytes);

/** Frames of the latest events: many watchers ask for the same ones in a row. Objects of events are shared and never change. */
const recentFrames = new Map<object, { type: string; frame: Buffer }>();
const recentFramesMax = 128;
const keptFrameBytesMax = 64 * 1024;

function frameOf(type: string, object: object): Buffer {
  const raw = asProtobuf(object) ?? Buffer.from(JSON.stringify(object));
  const extension = bytesField(1, raw);
  const message = Buffer.concat([bytesField(1, Buffer.from(type)), bytesField(2, extension)]);
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
}
