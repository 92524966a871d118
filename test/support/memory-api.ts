/**
 * A very small API server in memory, for tests of clients: objects, revisions, watches that can be cut or forgotten. It
 * validates nothing and defaults nothing. The real one is tested in its own folder.
 */
import { failure, type Status } from "#api/status-error.ts";
import type { ObjectMeta, UnknownObject } from "#api/object.ts";
import type { ApiRequest, ApiResponse, Transport, WatchEvent } from "#client/transport.ts";

interface Watcher {
  prefix: string;
  push(event: WatchEvent): void;
  end(): void;
}

export class MemoryApi implements Transport {
  /** Every request, in order: "POST /api/v1/namespaces/a/pods". */
  readonly requests: string[] = [];
  readonly #objects = new Map<string, UnknownObject>();
  readonly #history: { revision: number; path: string; event: WatchEvent }[] = [];
  readonly #watchers = new Set<Watcher>();
  readonly #refusals: { test: (request: ApiRequest) => boolean; status: Status }[] = [];
  #revision = 1;
  #forgottenBelow = 0;

  get revision(): number {
    return this.#revision;
  }

  objects(part: string): UnknownObject[] {
    return [...this.#objects].filter(([path]) => path.includes(part)).map(([, object]) => object);
  }

  /** Answers requests that match with a failure, until the returned function is called. */
  refuse(test: (request: ApiRequest) => boolean, code: number, reason: string, message = reason): () => void {
    const refusal = { test, status: failure(code, reason, message).status };
    this.#refusals.push(refusal);
    return () => void this.#refusals.splice(this.#refusals.indexOf(refusal), 1);
  }

  /** Ends all watches, as a server does that restarts. */
  cutWatches(): void {
    for (const watcher of this.#watchers) watcher.end();
  }

  /** From now on nobody can watch from before this moment. */
  forgetHistory(): void {
    this.#forgottenBelow = this.#revision;
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    const { method, path } = request;
    this.requests.push(`${method} ${path}`);
    await Promise.resolve();
    const refused = this.#refusals.find(({ test }) => test(request));
    if (refused !== undefined) return { code: refused.status.code, body: refused.status };
    switch (method) {
      case "GET":
        return this.#read(path);
      case "POST":
        return this.#create(path, request.body as UnknownObject);
      case "PUT":
        return this.#write(path, request.body as UnknownObject, true);
      case "PATCH":
        return this.#patch(path, request.body as Record<string, unknown>);
      case "DELETE":
        return this.#delete(path, request.body as { preconditions?: { uid?: string } });
    }
  }

  async *watch({ path, query = {}, signal }: ApiRequest): AsyncGenerator<readonly WatchEvent[]> {
    const from = Number(query["resourceVersion"] ?? this.#revision);
    if (from < this.#forgottenBelow) throw failure(410, "Expired", `too old resource version: ${from}`);
    const waiting = this.#history.filter((each) => each.revision > from && each.path.startsWith(`${path}/`));
    const queue: WatchEvent[] = waiting.map(({ event }) => event);
    let wake = (): void => {};
    let ended = false;
    const watcher: Watcher = {
      prefix: `${path}/`,
      push(event) {
        queue.push(event);
        wake();
      },
      end() {
        ended = true;
        wake();
      },
    };
    this.#watchers.add(watcher);
    signal?.addEventListener("abort", watcher.end, { once: true });
    try {
      while (!ended && signal?.aborted !== true) {
        if (queue.length > 0) yield queue.splice(0);
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#watchers.delete(watcher);
    }
  }

  async *stream(): AsyncGenerator<Uint8Array> {}

  #read(path: string): ApiResponse {
    const object = this.#objects.get(path);
    if (object !== undefined) return { code: 200, body: object };
    if (isObjectPath(path)) return notFound(path);
    const items = [...this.#objects].filter(([each]) => isIn(path, each)).map(([, item]) => item);
    return { code: 200, body: { items, metadata: { resourceVersion: String(this.#revision) } } };
  }

  #create(path: string, body: UnknownObject): ApiResponse {
    if (isObjectPath(path)) return { code: 201, body };
    const name = body.metadata.name ?? `${body.metadata.generateName}${this.#revision.toString(36)}`;
    const key = `${path}/${name}`;
    if (this.#objects.has(key)) {
      const { status } = failure(409, "AlreadyExists", `"${name}" already exists`);
      return { code: 409, body: status };
    }
    const metadata = { ...body.metadata, name, uid: `uid-${this.#revision + 1}`, generation: 1 };
    return { code: 201, body: this.#put(key, { ...body, metadata }, "ADDED") };
  }

  #write(path: string, body: UnknownObject, whole: boolean): ApiResponse {
    const { key, subresource } = split(path);
    const current = this.#objects.get(key);
    if (current === undefined) return notFound(path);
    const { resourceVersion } = body.metadata;
    if (whole && resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion)
      return { code: 409, body: failure(409, "Conflict", "the object has been modified").status };
    const next: UnknownObject =
      subresource === "status" ? { ...body, spec: current["spec"] } : { ...body, status: current["status"] };
    const grown = JSON.stringify(next["spec"]) !== JSON.stringify(current["spec"]) ? 1 : 0;
    const metadata = { ...next.metadata, generation: (current.metadata.generation ?? 0) + grown };
    if (metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0)
      return { code: 200, body: this.#remove(key, { ...next, metadata }) };
    return { code: 200, body: this.#put(key, { ...next, metadata }, "MODIFIED") };
  }

  #patch(path: string, patch: Record<string, unknown>): ApiResponse {
    const current = this.#objects.get(split(path).key);
    if (current === undefined) return notFound(path);
    return this.#write(path, merge(current, patch) as UnknownObject, false);
  }

  #delete(path: string, options: { preconditions?: { uid?: string } } | undefined): ApiResponse {
    const current = this.#objects.get(path);
    if (current === undefined) return notFound(path);
    const uid = options?.preconditions?.uid;
    if (uid !== undefined && uid !== current.metadata.uid)
      return { code: 409, body: failure(409, "Conflict", "the uid is another").status };
    if ((current.metadata.finalizers ?? []).length === 0) return { code: 200, body: this.#remove(path, current) };
    const metadata: ObjectMeta = { ...current.metadata, deletionTimestamp: "2024-01-01T00:00:00Z" };
    return { code: 200, body: this.#put(path, { ...current, metadata }, "MODIFIED") };
  }

  #put(key: string, object: UnknownObject, type: "ADDED" | "MODIFIED"): UnknownObject {
    const resourceVersion = String((this.#revision += 1));
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion } };
    this.#objects.set(key, stored);
    this.#tell(key, { type, object: stored });
    return stored;
  }

  #remove(key: string, last: UnknownObject): UnknownObject {
    const resourceVersion = String((this.#revision += 1));
    this.#objects.delete(key);
    this.#tell(key, { type: "DELETED", object: { ...last, metadata: { ...last.metadata, resourceVersion } } });
    return { kind: "Status", metadata: {}, status: "Success" };
  }

  /** Watchers see a path in its own collection, and in that of all namespaces. */
  #tell(path: string, event: WatchEvent): void {
    for (const each of [path, path.replace(/\/namespaces\/[^/]+(?=\/)/, "")]) {
      this.#history.push({ revision: this.#revision, path: each, event });
      for (const watcher of this.#watchers) if (each.startsWith(watcher.prefix)) watcher.push(event);
    }
  }
}

function split(path: string): { key: string; subresource: string } {
  const found = /^(.*)\/(status|finalize|scale)$/.exec(path);
  return { key: found?.[1] ?? path, subresource: found?.[2] ?? "" };
}

/** Whether the last part is a name: collections are at odd depths once group, version and namespace are taken away. */
function isObjectPath(path: string): boolean {
  const rest = path.replace(/^\/(api\/[^/]+|apis\/[^/]+\/[^/]+)\//, "").replace(/^namespaces\/[^/]+\/(?=.)/, "");
  return rest.includes("/");
}

function isIn(collection: string, path: string): boolean {
  const parent = path.slice(0, path.lastIndexOf("/"));
  return parent === collection || parent.replace(/\/namespaces\/[^/]+(?=\/)/, "") === collection;
}

function notFound(path: string): ApiResponse {
  return { code: 404, body: failure(404, "NotFound", `${path} not found`).status };
}

const deleteFrom = "$deleteFromPrimitiveList/";

/** JSON merge patch; lists of owners are merged by uid, and plain lists lose what they shall, as strategic merge does. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(target as Record<string, unknown> | undefined) };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else if (name.startsWith(deleteFrom)) {
      const list = name.slice(deleteFrom.length);
      const left = ((result[list] as unknown[] | undefined) ?? []).filter(
        (each) => !(value as unknown[]).includes(each),
      );
      if (left.length > 0) result[list] = left;
      else delete result[list];
    } else if (name === "ownerReferences") result[name] = mergeOwners(result[name], value);
    else result[name] = merge(result[name], value);
  }
  return result;
}

function mergeOwners(target: unknown, patch: unknown): unknown {
  const owners = new Map(((target ?? []) as { uid: string }[]).map((owner) => [owner.uid, owner]));
  for (const owner of patch as { uid: string; $patch?: string }[])
    if (owner.$patch === "delete") owners.delete(owner.uid);
    else owners.set(owner.uid, owner);
  return [...owners.values()];
}
