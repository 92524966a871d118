/**
 * The Transport over a network: HTTP/2 with all requests on one connection where the server speaks it, else HTTP/1.1 with
 * kept-alive connections. A connection that ends under a request is nobody's fault: what only reads, and what the server
 * never took up, is sent again. All other retries are for who calls to decide.
 */
import { readFile } from "node:fs/promises";
import { failure } from "#api/status-error.ts";
import { statusError } from "./client.ts";
import {
  createConnection,
  type Answer,
  type Connection,
  type ConnectionConfig,
  type Outgoing,
} from "./http-connection.ts";
import { isLostConnection, NotSentError } from "./lost-connection.ts";
import type { ApiRequest, ApiResponse, Transport, WatchEvent } from "./transport.ts";

export type { ConnectionConfig } from "./http-connection.ts";

export interface HttpTransportOptions {
  userAgent?: string;
  /** Sent with every request: impersonation, tracing. */
  headers?: Readonly<Record<string, string | string[]>>;
}

/** A watch line longer than this is a broken stream, not an object (the server's own limit is far lower). */
export const watchLineBytesMax = 64 * 1024 * 1024;
/** How often a request is sent that gets no answer. */
export const sendTriesMax = 3;
/** How long a token that was read from a file is used before the file is read again. */
const tokenFileMs = 60_000;

export class HttpTransport implements Transport {
  readonly config: ConnectionConfig;
  readonly #connection: Connection;
  readonly #userAgent: string;
  readonly #headers: NonNullable<HttpTransportOptions["headers"]>;
  #fileToken: { token: string; readAt: number } | undefined;

  constructor(config: ConnectionConfig, options: HttpTransportOptions = {}) {
    this.config = config;
    this.#connection = createConnection(config);
    this.#userAgent = options.userAgent ?? "capstan";
    this.#headers = options.headers ?? {};
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    return await tried(request, () => this.#request(request));
  }

  async #request(request: ApiRequest): Promise<ApiResponse> {
    const answer = await this.#send(request);
    const warnings = warningTexts(answer.headers["warning"]);
    const body = await readBody(answer);
    return { code: answer.code, body, ...(warnings.length === 0 ? {} : { warnings }) };
  }

  async *watch(request: ApiRequest): AsyncGenerator<readonly WatchEvent[]> {
    const answer = await tried(request, () => this.#send(request));
    if (answer.code >= 400) throw statusError(await readBody(answer), answer.code);
    try {
      yield* events(answer.body);
    } catch (error) {
      if (request.signal?.aborted === true) return;
      throw error;
    }
  }

  async *stream(request: ApiRequest): AsyncGenerator<Uint8Array> {
    const answer = await tried(request, () => this.#send(request));
    if (answer.code >= 400) throw statusError(await readBody(answer), answer.code);
    yield* answer.body;
  }

  /** Ends the connections. */
  close(): void {
    this.#connection.close();
  }

  async #send({ method, path, query, body, contentType, accept, signal }: ApiRequest): Promise<Answer> {
    signal?.throwIfAborted();
    const encoded = encodeBody(body);
    const headers: Outgoing["headers"] = {
      ...this.#headers,
      accept: accept ?? "application/json",
      "user-agent": this.#userAgent,
      ...(await this.#authorization()),
      ...(encoded === undefined ? {} : { "content-type": contentType ?? "application/json" }),
      ...(encoded === undefined ? {} : { "content-length": String(Buffer.byteLength(encoded)) }),
    };
    return await this.#connection.send({ method, path: `${path}${queryText(query)}`, headers, body: encoded, signal });
  }

  async #authorization(): Promise<Record<string, string>> {
    const { token, tokenFile, username, password } = this.config;
    if (token !== undefined) return { authorization: `Bearer ${token}` };
    if (tokenFile !== undefined) return { authorization: `Bearer ${await this.#tokenFromFile(tokenFile)}` };
    if (username === undefined) return {};
    return { authorization: `Basic ${Buffer.from(`${username}:${password ?? ""}`).toString("base64")}` };
  }

  async #tokenFromFile(file: string): Promise<string> {
    const now = performance.now();
    if (this.#fileToken === undefined || now - this.#fileToken.readAt > tokenFileMs)
      this.#fileToken = { token: (await readFile(file, "utf8")).trim(), readAt: now };
    return this.#fileToken.token;
  }
}

/** Sends again what got no answer, if that can do no harm. */
async function tried<T>({ method, signal }: ApiRequest, send: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await send();
    } catch (error) {
      const isHarmless = error instanceof NotSentError || (method === "GET" && isLostConnection(error));
      if (!isHarmless || tries >= sendTriesMax || signal?.aborted === true) throw error;
    }
  }
}

/** "?a=1&b=2", or nothing. */
export function queryText(query: ApiRequest["query"] = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    for (const one of typeof value === "string" ? [value] : value) parameters.append(name, one);
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

function encodeBody(body: unknown): string | Uint8Array | undefined {
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) return body;
  return JSON.stringify(body);
}

async function readBody({ headers, body }: Answer): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  const type = headers["content-type"] ?? "";
  return type.includes("json") && text !== "" ? (JSON.parse(text) as unknown) : text;
}

/** The events of a stream of JSON lines; all that came in one piece is one batch. */
async function* events(body: AsyncIterable<Uint8Array>): AsyncGenerator<readonly WatchEvent[]> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const end = bytes.lastIndexOf(10);
    if (end < 0) {
      rest.push(bytes);
      restBytes += bytes.length;
      if (restBytes > watchLineBytesMax) throw failure(500, "InternalError", "a watch event is too long");
      continue;
    }
    const lines = Buffer.concat([...rest, bytes.subarray(0, end)]).toString("utf8");
    rest = end + 1 < bytes.length ? [bytes.subarray(end + 1)] : [];
    restBytes = bytes.length - end - 1;
    yield lines
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as WatchEvent);
  }
}

/** The texts of `Warning: 299 - "text"` headers, which may be joined by commas. */
export function warningTexts(header: string | readonly string[] | undefined): string[] {
  const joined = typeof header === "string" ? header : (header ?? []).join(", ");
  return [...joined.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text]) => (text ?? "").replace(/\\(.)/g, "$1"));
}
