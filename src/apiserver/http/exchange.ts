/** One request and its response over HTTP/1.1 or HTTP/2, behind one face. The HTTP/2 side uses the stream API: it is the fast path. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import {
  type IncomingHttpHeaders as Http2Headers,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
  constants as http2,
} from "node:http2";
import type { Readable } from "node:stream";
import { type ClientCertificate, Query, type ServerRequest, type UpgradableConnection } from "#apiserver/request.ts";
import { bodyBytesMax, readBody } from "./body.ts";

/** A response that is written bit by bit. */
export interface ResponseStream {
  /** Bytes that were written but that the connection has not taken yet. */
  readonly pendingBytes: number;
  /** `sent` is called when the bytes are on their way and their memory may be used again. */
  write(bytes: Uint8Array, sent?: () => void): void;
  /** In one go. */
  writeAll(pieces: readonly Uint8Array[]): void;
  /** Resolves when there is room again, or when the client took nothing for so long that the stream is over. */
  drained(): Promise<void>;
  end(): void;
  destroy(): void;
}

export interface Exchange {
  readonly request: ServerRequest;
  readonly isHttp2: boolean;
  respond(code: number, headers: OutgoingHttpHeaders, body: readonly Uint8Array[]): void;
  start(code: number, headers: OutgoingHttpHeaders): ResponseStream;
}

/** A 304 says nothing of the length: it would be taken for that of what the client has. */
const withLength = (code: number, headers: OutgoingHttpHeaders, length: number): OutgoingHttpHeaders =>
  code === 304 ? headers : { ...headers, "content-length": length };

/** What both kinds share: the request's face towards the rest of the server. */
abstract class HttpRequest implements ServerRequest {
  readonly method: string;
  readonly path: string;
  readonly rawQuery: string;
  readonly clientCertificate: ClientCertificate | undefined;
  readonly hasBadCertificate: boolean;
  readonly upgrade: UpgradableConnection | undefined;
  readonly remoteAddress: string | undefined;
  readonly rawHeaders: readonly string[];
  readonly #headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly #input: Readable;
  readonly #bodyMs: number;
  #query: Query | undefined;
  #controller: AbortController | undefined;
  #isGone = false;

  constructor(
    method: string,
    url: string,
    headers: Readonly<Record<string, string | readonly string[] | undefined>>,
    rawHeaders: readonly string[],
    input: Readable,
    connection: ConnectionFacts,
    upgrade?: UpgradableConnection,
  ) {
    this.method = method;
    const target = url.startsWith("/") ? url : originForm(url);
    const mark = target.indexOf("?");
    this.path = mark < 0 ? target : target.slice(0, mark);
    this.rawQuery = mark < 0 ? "" : target.slice(mark + 1);
    this.#headers = headers;
    this.rawHeaders = rawHeaders;
    this.#input = input;
    this.clientCertificate = connection.certificate;
    this.hasBadCertificate = connection.hasBadCertificate;
    this.remoteAddress = connection.remoteAddress;
    this.#bodyMs = connection.bodyMs;
    this.upgrade = upgrade;
  }

  get query(): Query {
    return (this.#query ??= Query.parse(this.rawQuery));
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return typeof value === "string" || value === undefined ? (value as string | undefined) : value.join(", ");
  }

  headers(): Readonly<Record<string, string | readonly string[] | undefined>> {
    return this.#headers;
  }

  body(bytes = bodyBytesMax): Promise<Buffer> {
    return readBody(this.#input, this.header("content-length"), { bytes, ms: this.#bodyMs });
  }

  bodyStream(): AsyncIterable<Uint8Array> {
    return this.#input;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isGone) this.#controller.abort();
    return this.#controller.signal;
  }

  /** The client is gone or was answered. */
  close(): void {
    this.#isGone = true;
    this.#controller?.abort();
  }
}

export interface ConnectionFacts {
  certificate: ClientCertificate | undefined;
  hasBadCertificate: boolean;
  remoteAddress: string | undefined;
  /** How long the body of a request may take. */
  bodyMs: number;
  /** How long an answer may wait for the client to take more of it. */
  unreadMs: number;
}

/** "/path?query" of an absolute target; anything else becomes a path that nobody serves. */
function originForm(url: string): string {
  if (!URL.canParse(url)) return "/";
  const { pathname, search } = new URL(url);
  return pathname + search;
}

class Http1Request extends HttpRequest {}
const requestOf = (message: IncomingMessage, facts: ConnectionFacts, connection?: UpgradableConnection): Http1Request =>
  new Http1Request(
    message.method ?? "",
    message.url ?? "/",
    message.headers,
    message.rawHeaders,
    message,
    facts,
    connection,
  );
class Http2Request extends HttpRequest {}

export class Http1Exchange implements Exchange {
  readonly isHttp2 = false;
  readonly request: ServerRequest;
  readonly #response: ServerResponse;
  readonly #unreadMs: number;

  constructor(message: IncomingMessage, response: ServerResponse, facts: ConnectionFacts) {
    const request = requestOf(message, facts);
    this.request = request;
    this.#response = response;
    this.#unreadMs = facts.unreadMs;
    response.once("close", () => request.close());
  }

  respond(code: number, headers: OutgoingHttpHeaders, body: readonly Uint8Array[]): void {
    const response = this.#response;
    if (response.destroyed) return;
    const length = body.reduce((sum, piece) => sum + piece.byteLength, 0);
    response.writeHead(code, withLength(code, headers, length));
    if (body.length === 1 || length === 0) response.end(body[0]);
    else {
      response.cork();
      for (const piece of body) response.write(piece);
      response.end();
      response.uncork();
    }
  }

  start(code: number, headers: OutgoingHttpHeaders): ResponseStream {
    const response = this.#response;
    response.writeHead(code, headers);
    response.flushHeaders();
    return writableStream(response, this.#unreadMs);
  }
}

export class Http2Exchange implements Exchange {
  readonly isHttp2 = true;
  readonly request: ServerRequest;
  readonly #stream: ServerHttp2Stream;
  readonly #unreadMs: number;

  constructor(stream: ServerHttp2Stream, headers: Http2Headers, rawHeaders: readonly string[], facts: ConnectionFacts) {
    const request = new Http2Request(
      headers[":method"] ?? "",
      headers[":path"] ?? "/",
      headers as IncomingHttpHeaders,
      rawHeaders,
      stream,
      facts,
    );
    this.request = request;
    this.#stream = stream;
    this.#unreadMs = facts.unreadMs;
    stream.once("close", () => request.close());
    stream.on("error", () => request.close());
  }

  respond(code: number, headers: OutgoingHttpHeaders, body: readonly Uint8Array[]): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    const length = body.reduce((sum, piece) => sum + piece.byteLength, 0);
    const isEmpty = length === 0;
    stream.respond({ ":status": code, ...withLength(code, headers, length) }, { endStream: isEmpty });
    if (isEmpty) return;
    for (let at = 0; at < body.length - 1; at += 1) stream.write(body[at]);
    stream.end(body.at(-1));
  }

  start(code: number, headers: OutgoingHttpHeaders): ResponseStream {
    const stream = this.#stream;
    if (!stream.destroyed && !stream.closed) stream.respond({ ":status": code, ...headers });
    // Only a code resets the stream: destroying it would leave the client waiting.
    return writableStream(stream, this.#unreadMs, () => stream.close(http2.NGHTTP2_INTERNAL_ERROR));
  }
}

/** A request that asked for an upgrade: whoever takes it writes its own answer on the socket. */
export class UpgradeExchange implements Exchange {
  readonly isHttp2 = false;
  readonly request: ServerRequest;
  readonly #connection: UpgradableConnection;
  readonly #unreadMs: number;

  constructor(message: IncomingMessage, connection: UpgradableConnection, facts: ConnectionFacts) {
    const request = requestOf(message, facts, connection);
    this.request = request;
    this.#connection = connection;
    this.#unreadMs = facts.unreadMs;
    connection.socket.once("close", () => request.close());
  }

  /** A refusal closes the connection: what follows on it may belong to the protocol that was asked for. */
  respond(code: number, headers: OutgoingHttpHeaders, body: readonly Uint8Array[]): void {
    const length = body.reduce((sum, piece) => sum + piece.byteLength, 0);
    const lines = Object.entries({ ...headers, "content-length": length, connection: "close" }).flatMap(
      ([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => `${name}: ${one}\r\n`),
    );
    this.#connection.socket.write(`HTTP/1.1 ${code} ${reasons.get(code) ?? "Status"}\r\n${lines.join("")}\r\n`);
    this.#connection.socket.end(Buffer.concat(body));
  }

  start(code: number, headers: OutgoingHttpHeaders): ResponseStream {
    const { socket } = this.#connection;
    const lines = Object.entries({ ...headers, connection: "close" }).map(
      ([name, value]) => `${name}: ${String(value)}\r\n`,
    );
    socket.write(`HTTP/1.1 ${code} ${reasons.get(code) ?? "Status"}\r\n${lines.join("")}\r\n`);
    return writableStream(socket, this.#unreadMs);
  }
}

const reasons = new Map([
  [200, "OK"],
  [400, "Bad Request"],
  [401, "Unauthorized"],
  [403, "Forbidden"],
  [404, "Not Found"],
  [500, "Internal Server Error"],
  [502, "Bad Gateway"],
  [503, "Service Unavailable"],
]);

interface WritableLike {
  readonly writableLength: number;
  readonly destroyed: boolean;
  write(bytes: Uint8Array, done?: (error?: Error | null) => void): boolean;
  cork(): void;
  uncork(): void;
  end(): unknown;
  destroy(): unknown;
  once(event: string, listener: () => void): unknown;
  removeListener(event: string, listener: () => void): unknown;
}

function writableStream(
  writable: WritableLike,
  unreadMs: number,
  cut: () => void = () => void writable.destroy(),
): ResponseStream {
  return {
    get pendingBytes() {
      return writable.writableLength;
    },
    write(bytes, sent) {
      if (writable.destroyed) return;
      if (sent === undefined) writable.write(bytes);
      else writable.write(bytes, (error) => void (error ?? sent()));
    },
    writeAll(pieces) {
      if (writable.destroyed) return;
      writable.cork();
      for (const piece of pieces) writable.write(piece);
      writable.uncork();
    },
    drained() {
      if (writable.destroyed || writable.writableLength === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(cut, unreadMs);
        const done = () => {
          clearTimeout(timer);
          writable.removeListener("drain", done);
          writable.removeListener("close", done);
          resolve();
        };
        writable.once("drain", done);
        writable.once("close", done);
      });
    },
    end() {
      if (!writable.destroyed) writable.end();
    },
    destroy: cut,
  };
}
