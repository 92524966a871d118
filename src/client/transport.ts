/**
 * How a request reaches the API server: over HTTPS (http-transport.ts) or, in the server's own process, as a function
 * call that passes objects and never JSON text. `apiserver` implements the in-process one; only main.ts connects the two.
 */
export interface ApiRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** "/api/v1/namespaces/default/pods/a", percent-encoded, without query. */
  path: string;
  query?: Readonly<Record<string, string | readonly string[]>>;
  /** An object (never changed after it was handed over). */
  body?: unknown;
  /** Default application/json; for PATCH one of the patch types, "application/apply-patch+yaml" for apply. */
  contentType?: string;
  /** Default application/json; "…;as=Table;g=meta.k8s.io;v=v1" asks for a Table. */
  accept?: string;
  signal?: AbortSignal;
}

export interface ApiResponse {
  code: number;
  /** The answer as an object: read-only, it may be shared with the server's cache. Text answers (logs, /healthz) are strings. */
  body: unknown;
  warnings?: readonly string[];
}

export interface WatchEvent {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  object: unknown;
}

export interface Transport {
  /** Resolves for every answer, also 4xx and 5xx (body is then a Status); rejects only when there was no answer. */
  request(request: ApiRequest): Promise<ApiResponse>;
  /** GET with watch=true: batches of events in order, until the server ends it or `signal` fires. Throws StatusError on refusal. */
  watch(request: ApiRequest): AsyncIterable<readonly WatchEvent[]>;
  /** GET whose body is a stream of bytes (logs with follow). */
  stream(request: ApiRequest): AsyncIterable<Uint8Array>;
}
