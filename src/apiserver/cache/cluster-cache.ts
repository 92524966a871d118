/**
 * The whole cluster in memory, fed by one watch on the store. Everything the API server reads comes from here; only a
 * question about an old revision goes to the store. Invariant: when `revision` is R, every event up to R is applied.
 */
import { assert } from "#lib/assert.ts";
import type { Logger } from "#lib/log.ts";
import type { Store, StoreEvent, StoredValue } from "#store/store.ts";
import { Entry } from "./entry.ts";
import { type Change, ResourceCache } from "./resource-cache.ts";

export const registryPrefix = "/registry/";
const loadPageMax = 10_000;

export class ClusterCache {
  readonly store: Store;
  readonly #log: Logger;
  readonly #resources = new Map<string, ResourceCache>();
  readonly #waiters = new Set<{ revision: number; resolve: () => void }>();
  readonly #progress = new Set<(revision: number) => void>();
  #revision = 0;
  #stop: (() => void) | undefined;

  constructor(store: Store, log: Logger) {
    this.store = store;
    this.#log = log;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Reads everything that is stored, then follows. */
  async start(): Promise<void> {
    let revision: number | undefined;
    const loaded = new Map<string, Entry[]>();
    for (let after: string | undefined; ;) {
      const page = await this.store.range({
        prefix: registryPrefix,
        limit: loadPageMax,
        ...(after === undefined ? {} : { after }),
        ...(revision === undefined ? {} : { revision }),
      });
      revision ??= page.revision;
      for (const value of page.values) {
        const prefix = resourcePrefix(value.key);
        const list = loaded.get(prefix) ?? [];
        if (list.length === 0) loaded.set(prefix, list);
        list.push(entryOf(prefix, value));
      }
      if (page.remaining === 0) break;
      after = page.values.at(-1)!.key;
    }
    for (const [prefix, entries] of loaded) this.resource(prefix).load(entries, revision);
    this.#revision = revision;
    for (const resource of this.#resources.values()) resource.load([], revision);
    this.#follow();
  }

  stop(): void {
    this.#stop?.();
  }

  resource(prefix: string): ResourceCache {
    let resource = this.#resources.get(prefix);
    if (resource === undefined) {
      resource = new ResourceCache(prefix);
      resource.load([], this.#revision);
      this.#resources.set(prefix, resource);
    }
    return resource;
  }

  /** Resolves when everything up to `revision` is here (default: all that the store has applied by now). */
  waitFor(revision: number = this.store.revision): Promise<void> {
    if (this.#revision >= revision) return resolved;
    return new Promise((resolve) => this.#waiters.add({ revision, resolve }));
  }

  /** Calls back after each step forward, when the events of that revision are out. */
  onProgress(listener: (revision: number) => void): () => void {
    this.#progress.add(listener);
    return () => this.#progress.delete(listener);
  }

  #follow(): void {
    // The empty prefix: every revision must arrive here, or waiting for one would never end.
    this.#stop = this.store.watch("", this.#revision, {
      onEvents: (events, revision) => this.#apply(events, revision),
      onEnd: (error) => {
        if (error === undefined) return;
        this.#log.error("the watch on the store ended", { error });
        throw error;
      },
    });
  }

  #apply(events: readonly StoreEvent[], revision: number): void {
    assert(revision >= this.#revision, "the store went back in time");
    const byResource = new Map<string, Change[]>();
    for (const event of events) {
      if (!event.key.startsWith(registryPrefix)) continue;
      const prefix = resourcePrefix(event.key);
      const list = byResource.get(prefix);
      const change = this.#change(prefix, event, list);
      if (list === undefined) byResource.set(prefix, [change]);
      else list.push(change);
    }
    for (const [prefix, changes] of byResource) this.resource(prefix).apply(changes);
    this.#revision = revision;
    for (const waiter of this.#waiters) {
      if (waiter.revision > revision) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
    for (const listener of this.#progress) listener(revision);
  }

  #change(prefix: string, event: StoreEvent, earlier: readonly Change[] | undefined): Change {
    const key = event.key.slice(prefix.length);
    const sameKey = earlier?.findLast((change) => change.key === key);
    const previous = sameKey === undefined ? this.resource(prefix).get(key) : sameKey.current;
    return changeOf(prefix, event, previous);
  }
}

const resolved = Promise.resolve();

/** A change as watchers see it; `previous` saves making the entry of the version before once more. */
export function changeOf(prefix: string, event: StoreEvent, previous?: Entry): Change {
  const before = previous ?? (event.previous === undefined ? undefined : entryOf(prefix, event.previous));
  const key = event.key.slice(prefix.length);
  const { revision } = event;
  return {
    revision,
    key,
    current: event.type === "put" ? Entry.of(key, revision, event.value) : undefined,
    previous: before,
    last:
      event.type === "delete" && event.previous !== undefined
        ? Entry.of(key, revision, event.previous.value)
        : undefined,
    encoded: new Map(),
  };
}

export function entryOf(prefix: string, value: StoredValue): Entry {
  return Entry.of(value.key.slice(prefix.length), value.modRevision, value.value);
}

/** "/registry/core/pods/" of "/registry/core/pods/default/a". */
function resourcePrefix(key: string): string {
  const group = key.indexOf("/", registryPrefix.length);
  const plural = key.indexOf("/", group + 1);
  assert(group > 0 && plural > 0, `a key out of place: ${key}`);
  return key.slice(0, plural + 1);
}
