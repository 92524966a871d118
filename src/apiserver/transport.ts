/**
 * The way in for parts of the same process: a request is a function call, objects stay objects. The shapes are those of
 * the client's Transport; only main.ts knows both sides.
 */
import { failure, type Status, StatusError } from "#api/status-error.ts";
import { bytesOf, objectOf, type OutgoingEvent, type StreamAnswer, type WatchAnswer } from "./answer.ts";
import type { Dispatched } from "./dispatch.ts";
import { Query, type ServerRequest, type User } from "./request.ts";

export interface LocalRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  query?: Readonly<Record<string, string | readonly string[]>>;
  body?: unknown;
  contentType?: string;
  accept?: string;
  signal?: AbortSignal;
}

export interface LocalResponse {
  code: number;
  body: unknown;
  warnings?: readonly string[];
}

export interface LocalWatchEvent {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  object: unknown;
}

export interface LocalTransport {
  request(request: LocalRequest): Promise<LocalResponse>;
  watch(request: LocalRequest): AsyncIterable<readonly LocalWatchEvent[]>;
  stream(request: LocalRequest): AsyncIterable<Uint8Array>;
}

/** What a watcher in this process may leave unread. */
export const localWatchEventsMax = 100_000;

export function createLocalTransport(
  handle: (request: ServerRequest) => Promise<Dispatched>,
  user: User,
  userAgent: string,
): LocalTransport {
  const send = (request: LocalRequest, query = request.query) => handle(localRequest(request, query, user, userAgent));
  return {
    async request(request) {
      const { answer } = await send(request);
      switch (answer.type) {
        case "object":
          return { code: answer.code, body: objectOf(answer), ...(answer.warnings && { warnings: answer.warnings }) };
        case "text":
          return { code: answer.code, body: answer.text };
        case "stream":
          return { code: answer.code, body: streamed(answer, await Array.fromAsync(answer.body)) };
        default:
          throw new Error(`bug: ${request.method} ${request.path} answered with a ${answer.type}`);
      }
    },
    async *watch(request) {
      const { answer } = await send(request, { ...request.query, watch: "true" });
      if (answer.type === "watch") yield* watchEvents(answer, request.signal);
      else if (answer.type === "stream" && answer.code === 200) yield* linesOf(answer.body);
      else throw refusal(answer.type === "object" ? objectOf(answer) : undefined);
    },
    async *stream(request) {
      const { answer } = await send(request);
      if (answer.type === "stream" && answer.code < 300) yield* answer.body;
      else if (answer.type === "text" && answer.code < 300) yield Buffer.from(answer.text);
      else if (answer.type === "object" && answer.code < 300) yield* bytesOf(answer);
      else throw refusal(answer.type === "object" ? objectOf(answer) : undefined);
    },
  };
}

/** What another API server answered is an object too. */
function streamed({ headers }: StreamAnswer, pieces: readonly Uint8Array[]): unknown {
  const text = Buffer.concat(pieces).toString("utf8");
  return String(headers["content-type"] ?? "").startsWith("application/json") ? JSON.parse(text) : text;
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<readonly LocalWatchEvent[]> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of body) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop()!;
    const events = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as LocalWatchEvent);
    if (events.length > 0) yield events;
  }
}

function refusal(status: unknown): StatusError {
  if (status !== null && typeof status === "object" && (status as Status).kind === "Status")
    return new StatusError(status as Status);
  return failure(500, "InternalError", "the server gave no stream");
}

async function* watchEvents(answer: WatchAnswer, signal: AbortSignal | undefined) {
  let waiting: OutgoingEvent[] = [];
  let isOver = signal?.aborted ?? false;
  let wake: () => void = () => {};
  let taken: () => void = () => {};
  if (isOver) return;
  const close = answer.open({
    send(events) {
      if (waiting.length + events.length > localWatchEventsMax) return false;
      waiting.push(...events);
      wake();
      return true;
    },
    drained: () =>
      waiting.length === 0 || isOver ? Promise.resolve() : new Promise<void>((resolve) => (taken = resolve)),
    end() {
      isOver = true;
      wake();
      taken();
    },
  });
  signal?.addEventListener("abort", close, { once: true });
  try {
    for (;;) {
      if (waiting.length > 0) {
        const events = waiting;
        waiting = [];
        taken();
        yield events.map((event) => ({ type: event.type, object: event.object() }));
      } else if (isOver) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    signal?.removeEventListener("abort", close);
    close();
  }
}

const never = new AbortController().signal;

function localRequest(
  { method, path, body, contentType, accept, signal }: LocalRequest,
  query: LocalRequest["query"],
  user: User,
  userAgent: string,
): ServerRequest {
  const headers: Record<string, string> = {
    "user-agent": userAgent,
    accept: accept ?? "application/json",
    ...(body === undefined ? {} : { "content-type": contentType ?? "application/json" }),
  };
  const parsed = Query.of(query);
  return {
    method,
    path,
    query: parsed,
    get rawQuery() {
      return parsed.toString();
    },
    header: (name) => headers[name],
    headers: () => headers,
    body: async () =>
      body === undefined ? Buffer.alloc(0) : Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
    ...(body === undefined || typeof body === "string" ? {} : { bodyObject: body }),
    user,
    signal: signal ?? never,
  };
}
