/** What the API server answers, before it is known how: as JSON over HTTP, as YAML, or as an object in process. */
import type { Status } from "#api/status-error.ts";

export type Headers = Readonly<Record<string, string | readonly string[]>>;

/** A known number of bytes in pieces, to be sent one after the other; long ones are made while they are sent. */
export interface Bytes extends Iterable<Uint8Array> {
  readonly byteLength: number;
  /** Takes a piece back once it has been sent: its memory becomes that of a later piece. */
  recycle?(piece: Uint8Array): void;
}

export function oneBytes(piece: Uint8Array): Bytes {
  return { byteLength: piece.byteLength, [Symbol.iterator]: () => [piece].values() };
}

/** An object: at least one of its two forms is there already, the other is made when someone needs it. */
export interface ObjectAnswer {
  type: "object";
  code: number;
  /** JSON text. */
  bytes?: Bytes;
  /** Shared with the cache: never changed. */
  object?: () => unknown;
  headers?: Headers;
  warnings?: readonly string[];
  /** A content type that says more than the negotiated one (aggregated discovery). */
  contentType?: string;
}

export interface TextAnswer {
  type: "text";
  code: number;
  text: string;
  contentType?: string;
  headers?: Headers;
}

/** Bytes as they are: cached documents, proxied answers, logs. */
export interface StreamAnswer {
  type: "stream";
  code: number;
  headers: Headers;
  body: AsyncIterable<Uint8Array>;
}

export interface WatchAnswer {
  type: "watch";
  warnings?: readonly string[];
  /** Starts the stream; the sink hears events until `end`, or until the function that this returns is called. */
  open(sink: WatchSink): () => void;
}

/** The request took over the connection and has written its own answer. */
export interface HijackedAnswer {
  type: "hijacked";
}

export type Answer = ObjectAnswer | TextAnswer | StreamAnswer | WatchAnswer | HijackedAnswer;

export interface OutgoingEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  /** Shared: never changed. */
  object(): unknown;
  /** `{"type":…,"object":…}` and a newline; made once for all watchers of the same form. */
  line(): Buffer;
}

export interface WatchSink {
  /** Events in order; false when the sink holds more than it may: the watch is then cut. */
  send(events: readonly OutgoingEvent[]): boolean;
  /** Resolves when what was sent is on its way, or the client is gone. */
  drained(): Promise<void>;
  end(): void;
}

export function objectAnswer(object: unknown, code = 200): ObjectAnswer {
  return { type: "object", code, object: () => object };
}

export function statusAnswer(status: Status): ObjectAnswer {
  const seconds = status.details?.retryAfterSeconds;
  const headers = seconds === undefined || seconds === 0 ? {} : { headers: { "retry-after": String(seconds) } };
  return { type: "object", code: status.code, object: () => status, ...headers };
}

export function textAnswer(text: string, code = 200): TextAnswer {
  return { type: "text", code, text };
}

export const pageNotFound = (): TextAnswer => textAnswer("404 page not found\n", 404);

export function bytesOf(answer: ObjectAnswer): Bytes {
  return answer.bytes ?? oneBytes(Buffer.from(`${JSON.stringify(answer.object!())}\n`));
}

export function objectOf(answer: ObjectAnswer): unknown {
  return answer.object === undefined
    ? (JSON.parse(Buffer.concat([...answer.bytes!]).toString("utf8")) as unknown)
    : answer.object();
}
