/**
 * Typed calls to the API server over a Transport. Every call resolves with the object that the server answered (shared and
 * read-only when the transport is the in-process one) or rejects with a StatusError. No caching, no retries.
 */
import { apiVersionOf, type KubernetesObject, type UnknownObject } from "#api/object.ts";
import { failure, StatusError, type Status } from "#api/status-error.ts";
import { collectionPath, objectPath, type ObjectKey, type ResourceRef } from "./resource-path.ts";
import type { ApiRequest, ApiResponse, Transport } from "./transport.ts";

export type { ObjectKey, ResourceRef } from "./resource-path.ts";

export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** More query parameters, as they are. */
  query?: Readonly<Record<string, string | readonly string[]>> | undefined;
}

export interface WriteOptions extends CallOptions {
  dryRun?: boolean | undefined;
  fieldManager?: string | undefined;
  fieldValidation?: "Ignore" | "Warn" | "Strict" | undefined;
  /** "status", "scale", "binding", "eviction", "token", … */
  subresource?: string | undefined;
}

export interface SelectOptions extends CallOptions {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}

export interface ListOptions extends SelectOptions {
  resourceVersion?: string | undefined;
  resourceVersionMatch?: "Exact" | "NotOlderThan" | undefined;
  /** How many objects one answer may have; `list` goes on until it has all of them. Default 500. */
  pageSize?: number | undefined;
}

export interface WatchOptions extends SelectOptions {
  resourceVersion?: string | undefined;
  /** Bookmarks are asked for unless this is false. */
  bookmarks?: boolean | undefined;
  /** Begin with ADDED for what is there, ended by a bookmark annotated k8s.io/initial-events-end. */
  sendInitialEvents?: boolean | undefined;
  timeoutSeconds?: number | undefined;
}

export interface DeleteOptions extends CallOptions {
  gracePeriodSeconds?: number | undefined;
  propagationPolicy?: "Orphan" | "Background" | "Foreground" | undefined;
  preconditions?: { uid?: string; resourceVersion?: string } | undefined;
  dryRun?: boolean | undefined;
}

export type PatchType = "json" | "merge" | "strategic";

export interface ApplyOptions extends WriteOptions {
  /** Who owns the fields. */
  manager: string;
  force?: boolean | undefined;
}

export interface ObjectList<T> {
  items: T[];
  resourceVersion: string;
  /** There is more, where `listPage` was asked for a limit. */
  continueToken?: string;
  remainingItemCount?: number;
}

export interface TypedWatchEvent<T> {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  object: T;
}

export interface ClientOptions {
  /** The field manager of writes that name none. */
  fieldManager?: string;
  /** Hears of every `Warning:` header. */
  onWarning?(text: string): void;
}

/** How many objects a page of a list has unless the caller says otherwise. */
export const pageSizeDefault = 500;

const patchContentTypes: Readonly<Record<PatchType, string>> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
};

export class Client {
  readonly transport: Transport;
  readonly #options: ClientOptions;

  constructor(transport: Transport, options: ClientOptions = {}) {
    this.transport = transport;
    this.#options = options;
  }

  /** The same server with another field manager. */
  withFieldManager(fieldManager: string): Client {
    return new Client(this.transport, { ...this.#options, fieldManager });
  }

  async get<T extends KubernetesObject>(
    ref: ResourceRef<T>,
    key: ObjectKey,
    options: CallOptions & { subresource?: string; resourceVersion?: string } = {},
  ): Promise<T> {
    const { subresource, resourceVersion, signal } = options;
    const query = queryOf({ resourceVersion }, options.query);
    return (await this.call({ method: "GET", path: objectPath(ref, key, subresource), query, signal })) as T;
  }

  /** All objects, page by page, at one revision. */
  async list<T extends KubernetesObject>(ref: ResourceRef<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    const limit = options.pageSize ?? pageSizeDefault;
    let page = await this.listPage(ref, { ...options, limit });
    const items = page.items;
    while (page.continueToken !== undefined) {
      const { resourceVersion: _, resourceVersionMatch: __, ...rest } = options;
      page = await this.listPage(ref, { ...rest, limit, continueToken: page.continueToken });
      for (const item of page.items) items.push(item);
    }
    return { items, resourceVersion: page.resourceVersion };
  }

  /** One page: `limit` objects at most, and the token that asks for the next. */
  async listPage<T extends KubernetesObject>(
    ref: ResourceRef<T>,
    options: Omit<ListOptions, "pageSize"> & { limit?: number; continueToken?: string } = {},
  ): Promise<ObjectList<T>> {
    const { limit, continueToken, resourceVersion, resourceVersionMatch, signal } = options;
    const query = queryOf(
      { ...selection(options), limit, continue: continueToken, resourceVersion, resourceVersionMatch },
      options.query,
    );
    const body = await this.call({ method: "GET", path: collectionPath(ref, options.namespace), query, signal });
    return listOf<T>(body, ref);
  }

  /** Batches of events, in order, until the server ends the watch or `signal` fires. An ERROR event is thrown. */
  async *watch<T extends KubernetesObject>(
    ref: ResourceRef<T>,
    options: WatchOptions = {},
  ): AsyncGenerator<readonly TypedWatchEvent<T>[]> {
    const query = queryOf(
      {
        ...selection(options),
        watch: true,
        allowWatchBookmarks: options.bookmarks ?? true,
        resourceVersion: options.resourceVersion,
        sendInitialEvents: options.sendInitialEvents,
        resourceVersionMatch: options.sendInitialEvents === true ? "NotOlderThan" : undefined,
        timeoutSeconds: options.timeoutSeconds,
      },
      options.query,
    );
    const path = collectionPath(ref, options.namespace);
    const batches = this.transport.watch({ method: "GET", path, query, ...withSignal(options.signal) });
    for await (const batch of batches) {
      const error = batch.find(({ type }) => type === "ERROR");
      const good = error === undefined ? batch : batch.slice(0, batch.indexOf(error));
      if (good.length > 0) yield good as readonly TypedWatchEvent<T>[];
      if (error !== undefined) throw statusError(error.object, 500);
    }
  }

  /** The object says name (or generateName) and namespace. */
  async create<T extends KubernetesObject>(ref: ResourceRef<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const path = collectionPath(ref, object.metadata.namespace);
    return (await this.write("POST", path, typed(ref, object), options)) as T;
  }

  /** POST to a subresource: binding, eviction, token, … The answer is whatever that endpoint answers. */
  async createSubresource<T extends KubernetesObject>(
    ref: ResourceRef<T>,
    key: ObjectKey,
    subresource: string,
    body: unknown,
    options: Omit<WriteOptions, "subresource"> = {},
  ): Promise<UnknownObject> {
    return (await this.write("POST", objectPath(ref, key, subresource), body, options)) as UnknownObject;
  }

  async update<T extends KubernetesObject>(ref: ResourceRef<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const path = objectPath(ref, object.metadata, options.subresource);
    return (await this.write("PUT", path, typed(ref, object), options)) as T;
  }

  async updateStatus<T extends KubernetesObject>(
    ref: ResourceRef<T>,
    object: T,
    options: WriteOptions = {},
  ): Promise<T> {
    return await this.update(ref, object, { ...options, subresource: "status" });
  }

  async patch<T extends KubernetesObject>(
    ref: ResourceRef<T>,
    key: ObjectKey,
    type: PatchType,
    patch: unknown,
    options: WriteOptions = {},
  ): Promise<T> {
    const path = objectPath(ref, key, options.subresource);
    return (await this.write("PATCH", path, patch, options, patchContentTypes[type])) as T;
  }

  /** Server-side apply: the object has exactly the fields that `manager` wishes to own. */
  async apply<T extends KubernetesObject>(ref: ResourceRef<T>, object: T, options: ApplyOptions): Promise<T> {
    const { manager, force, ...rest } = options;
    const path = objectPath(ref, object.metadata, options.subresource);
    const query = { ...rest.query, ...(force === undefined ? {} : { force: String(force) }) };
    const sent = { ...rest, query, fieldManager: manager };
    return (await this.write("PATCH", path, typed(ref, object), sent, "application/apply-patch+yaml")) as T;
  }

  /** Resolves with the object while it still waits for finalizers or grace, else with a Status. */
  async delete<T extends KubernetesObject>(
    ref: ResourceRef<T>,
    key: ObjectKey,
    options: DeleteOptions = {},
  ): Promise<UnknownObject> {
    const { query, signal } = options;
    const request = { method: "DELETE" as const, path: objectPath(ref, key), query, body: deleteBody(options), signal };
    return (await this.call(request)) as UnknownObject;
  }

  async deleteCollection<T extends KubernetesObject>(
    ref: ResourceRef<T>,
    options: DeleteOptions & SelectOptions = {},
  ): Promise<void> {
    const query = queryOf(selection(options), options.query);
    const path = collectionPath(ref, options.namespace);
    await this.call({ method: "DELETE", path, query, body: deleteBody(options), signal: options.signal });
  }

  /** Any request; failures (code 400 and more) reject with a StatusError. Resolves with the body. */
  async call(request: LooseRequest): Promise<unknown> {
    return (await this.request(request)).body;
  }

  /** Any request with its code and warnings; failures reject with a StatusError. */
  async request({ query, signal, ...request }: LooseRequest): Promise<ApiResponse> {
    const response = await this.transport.request({
      ...request,
      ...(query === undefined ? {} : { query }),
      ...withSignal(signal),
    });
    for (const warning of response.warnings ?? []) this.#options.onWarning?.(warning);
    if (response.code >= 400) throw statusError(response.body, response.code);
    return response;
  }

  /** A stream of bytes, such as a log that is followed. */
  stream(path: string, options: CallOptions = {}): AsyncIterable<Uint8Array> {
    const query = options.query ?? {};
    return this.transport.stream({ method: "GET", path, query, accept: "*/*", ...withSignal(options.signal) });
  }

  private async write(
    method: "POST" | "PUT" | "PATCH",
    path: string,
    body: unknown,
    options: WriteOptions,
    contentType?: string,
  ): Promise<unknown> {
    const fieldManager = options.fieldManager ?? this.#options.fieldManager;
    const dryRun = options.dryRun === true ? "All" : undefined;
    const query = queryOf({ fieldManager, dryRun, fieldValidation: options.fieldValidation }, options.query);
    const request = { method, path, query, body, signal: options.signal };
    return await this.call(contentType === undefined ? request : { ...request, contentType });
  }
}

type LooseRequest = Omit<ApiRequest, "query" | "signal"> & CallOptions;

/** The error that an answer stands for, whatever its body is. */
export function statusError(body: unknown, code: number): StatusError {
  if (typeof body === "object" && body !== null && (body as Status).kind === "Status")
    return new StatusError({ ...(body as Status), code: (body as Status).code ?? code });
  return failure(code, reasonOf(code), typeof body === "string" && body !== "" ? body.trim() : `HTTP ${code}`);
}

const reasons: Readonly<Record<number, string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  409: "Conflict",
  410: "Gone",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout",
};
const reasonOf = (code: number): string => reasons[code] ?? "";

function typed<T extends KubernetesObject>(ref: ResourceRef<T>, object: T): T {
  if (object.kind !== undefined && object.apiVersion !== undefined) return object;
  return { apiVersion: apiVersionOf(ref), kind: ref.kind, ...object };
}

/** Items of a list do not say their kind on the wire; here they do. */
function listOf<T extends KubernetesObject>(body: unknown, ref: ResourceRef<T>): ObjectList<T> {
  const { items, metadata } = body as {
    items: T[] | null;
    metadata?: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
  };
  const { continue: token, remainingItemCount, resourceVersion = "" } = metadata ?? {};
  return {
    items: (items ?? []).map((item) => typed(ref, item)),
    resourceVersion,
    ...(token === undefined || token === "" ? {} : { continueToken: token }),
    ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
  };
}

function selection({ labelSelector, fieldSelector }: SelectOptions): Record<string, string | undefined> {
  return { labelSelector, fieldSelector };
}

function deleteBody({ gracePeriodSeconds, propagationPolicy, preconditions, dryRun }: DeleteOptions): unknown {
  return {
    kind: "DeleteOptions",
    apiVersion: "v1",
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(preconditions === undefined ? {} : { preconditions }),
    ...(dryRun === true ? { dryRun: ["All"] } : {}),
  };
}

function queryOf(
  parts: Readonly<Record<string, string | number | boolean | undefined>>,
  more: CallOptions["query"] = {},
): Record<string, string | readonly string[]> {
  const query: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(parts))
    if (value !== undefined && value !== "") query[name] = String(value);
  return { ...query, ...more };
}

const withSignal = (signal: AbortSignal | undefined): { signal?: AbortSignal } =>
  signal === undefined ? {} : { signal };
