/** Turns answers into HTTP responses: JSON, YAML or protobuf, compressed where it pays, watches framed and coalesced. */
import type { OutgoingHttpHeaders } from "node:http2";
import { pipeline, Readable } from "node:stream";
import { promisify } from "node:util";
import { createGzip, gzip } from "node:zlib";
import {
  type Answer,
  type Bytes,
  bytesOf,
  objectOf,
  type ObjectAnswer,
  oneBytes,
  type OutgoingEvent,
  type WatchAnswer,
} from "#apiserver/answer.ts";
import type { Exchange, ResponseStream } from "./exchange.ts";
import { indented } from "./indent.ts";
import type { Form } from "./negotiate.ts";
import { asProtobuf, protobufFrame, protobufMessage } from "./protobuf-form.ts";
import { isWebSocketRequest } from "#apiserver/subresources/web-socket-stream.ts";
import { warningHeaders } from "./warning-headers.ts";
import { watchOverSocket } from "./watch-socket.ts";
import { toYaml } from "./yaml.ts";

/** Answers from this size on are compressed for clients that can take it (upstream's figure). */
const gzipFromBytes = 128 * 1024 + 1;
const gzipLevel = 1;
const gzipChunkBytes = 64 * 1024;
/** What a watcher may leave unread before it is cut off. */
export const watcherPendingBytesMax = 32 * 1024 * 1024;

/** What is longer is made and sent bit by bit. */
const respondBytesMax = 1024 * 1024;

const compress = promisify(gzip);

const contentTypes: Readonly<Record<Form["encoding"], string>> = {
  json: "application/json",
  yaml: "application/yaml",
  protobuf: "application/vnd.kubernetes.protobuf",
};

const notModified = 304;

export async function writeAnswer(exchange: Exchange, answer: Answer, form: Form): Promise<void> {
  switch (answer.type) {
    case "object":
      return writeObject(exchange, answer, form);
    case "text":
      if (answer.code === notModified) {
        // A client's cache takes over every header of this answer: a content type would replace the true one.
        exchange.respond(notModified, { ...baseHeaders, ...answer.headers } as Record<string, string>, []);
        return;
      }
      exchange.respond(
        answer.code,
        {
          "content-type": answer.contentType ?? "text/plain; charset=utf-8",
          "x-content-type-options": "nosniff",
          ...baseHeaders,
          ...answer.headers,
        } as Record<string, string>,
        [Buffer.from(answer.text)],
      );
      return;
    case "stream": {
      const out = exchange.start(answer.code, answer.headers as Record<string, string>);
      try {
        for await (const piece of answer.body) {
          out.write(piece);
          if (out.pendingBytes > 1024 * 1024) await out.drained();
        }
        out.end();
      } catch {
        out.destroy();
      }
      return;
    }
    case "watch":
      return writeWatch(exchange, answer, form);
    case "hijacked":
      return;
  }
}

const baseHeaders = { "cache-control": "no-cache, private" };

async function writeObject(exchange: Exchange, answer: ObjectAnswer, form: Form): Promise<void> {
  const protobuf = form.encoding === "protobuf" ? asProtobuf(objectOf(answer)) : undefined;
  const isProtobuf = protobuf !== undefined;
  const encoding = form.encoding === "protobuf" && !isProtobuf ? "json" : form.encoding;
  const headers: Record<string, string | string[]> = {
    "content-type": answer.contentType ?? contentTypes[encoding],
    ...baseHeaders,
    ...(answer.headers as Record<string, string> | undefined),
  };
  if (answer.warnings !== undefined && answer.warnings.length > 0) headers["warning"] = warningHeaders(answer.warnings);
  const body = bodyOf(answer, form, protobuf);
  const { byteLength = Infinity } = body;
  if (byteLength >= gzipFromBytes && acceptsGzip(exchange)) {
    headers["content-encoding"] = "gzip";
    headers["vary"] = [headers["vary"] ?? [], "Accept-Encoding"].flat();
    if (byteLength > respondBytesMax) return writeLongCompressed(exchange, answer.code, headers, body);
    exchange.respond(answer.code, headers, [await compress(Buffer.concat([...body]), { level: gzipLevel })]);
  } else if (byteLength > respondBytesMax) await writeLong(exchange, answer.code, headers, body);
  else exchange.respond(answer.code, headers, [...body]);
}

/** Bytes whose number may not be known before they are made. */
type Body = Omit<Bytes, "byteLength"> & { readonly byteLength: number | undefined };

function bodyOf(answer: ObjectAnswer, form: Form, protobuf: Uint8Array | undefined): Body {
  if (protobuf !== undefined) return oneBytes(protobuf);
  if (form.encoding === "yaml") return oneBytes(Buffer.from(toYaml(objectOf(answer))));
  return form.pretty ? prettyOf(bytesOf(answer)) : bytesOf(answer);
}

function prettyOf(bytes: Bytes): Body {
  if (bytes.byteLength > respondBytesMax) return { byteLength: undefined, [Symbol.iterator]: () => indented(bytes) };
  return oneBytes(Buffer.concat([...indented(bytes)]));
}

/** As upstream reads the header: a quality makes the name another one. */
const acceptsGzip = ({ request }: Exchange): boolean =>
  (request.header("accept-encoding") ?? "").split(",").some((coding) => coding.trim() === "gzip");

/** Makes no more of a long answer than the connection takes. */
async function writeLong(exchange: Exchange, code: number, headers: OutgoingHttpHeaders, body: Body): Promise<void> {
  const { signal } = exchange.request;
  const { byteLength } = body;
  const out = exchange.start(code, byteLength === undefined ? headers : { ...headers, "content-length": byteLength });
  for (const piece of body) {
    if (signal.aborted) return;
    out.write(piece, () => body.recycle?.(piece));
    if (out.pendingBytes > respondBytesMax) await out.drained();
  }
  out.end();
}

/** The same for an answer whose compressed length nobody knows before it is sent. */
async function writeLongCompressed(
  exchange: Exchange,
  code: number,
  headers: OutgoingHttpHeaders,
  body: Body,
): Promise<void> {
  const { signal } = exchange.request;
  const out = exchange.start(code, headers);
  const packed = createGzip({ level: gzipLevel, chunkSize: gzipChunkBytes });
  // A client that leaves ends the loop below, and that ends both streams: no other error can come of memory.
  pipeline(Readable.from(body), packed, () => {});
  for await (const piece of packed) {
    if (signal.aborted) return;
    out.write(piece as Buffer);
    if (out.pendingBytes > respondBytesMax) await out.drained();
  }
  out.end();
}

function writeWatch(exchange: Exchange, answer: WatchAnswer, form: Form): void {
  const isProtobuf = form.encoding === "protobuf";
  if (isWebSocketRequest(exchange.request)) {
    // A message has its length already.
    const message = isProtobuf ? protobufMessage : (event: OutgoingEvent) => event.line();
    const options = { binary: isProtobuf, waitingBytesMax: watcherPendingBytesMax };
    watchOverSocket(exchange.request, answer, message, options);
    return;
  }
  const contentType = isProtobuf ? "application/vnd.kubernetes.protobuf;stream=watch" : contentTypes.json;
  const headers: Record<string, string | string[]> = { "content-type": contentType, ...baseHeaders };
  if (answer.warnings !== undefined && answer.warnings.length > 0) headers["warning"] = warningHeaders(answer.warnings);
  const out = exchange.start(200, headers);
  const frame = isProtobuf ? protobufFrame : (event: OutgoingEvent) => event.line();
  const close = answer.open({
    send: (events) => sendEvents(out, events, frame),
    drained: () => out.drained(),
    end: () => out.end(),
  });
  exchange.request.signal.addEventListener("abort", close, { once: true });
}

/** All events of a step go out in one write, which is what costs; their bytes are shared by all watchers. */
function sendEvents(
  out: ResponseStream,
  events: readonly OutgoingEvent[],
  frame: (event: OutgoingEvent) => Uint8Array,
): boolean {
  if (events.length === 1) out.write(frame(events[0]!));
  else out.writeAll(events.map(frame));
  if (out.pendingBytes <= watcherPendingBytesMax) return true;
  out.destroy();
  return false;
}
