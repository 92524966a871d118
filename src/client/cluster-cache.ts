/** The caches of all kinds that somebody in this process reads, one watch a kind however many readers there are. */
import { assert } from "#lib/assert.ts";
import type { KubernetesObject } from "#api/object.ts";
import { Cache, type CacheOptions } from "./cache.ts";
import type { Client, ResourceRef } from "./client.ts";
import { resourceName } from "./resource-path.ts";
import { createView, type View } from "./view.ts";

export class ClusterCache {
  /** Reads kinds that `of` was called for; others fail, because their absence would look like emptiness. */
  readonly view: View;
  readonly #client: Client;
  readonly #options: CacheOptions;
  readonly #caches = new Map<string, { cache: Cache<KubernetesObject>; stop: AbortController }>();
  readonly #stopped = new AbortController();

  constructor(client: Client, options: CacheOptions) {
    this.#client = client;
    this.#options = options;
    this.view = createView((ref) => {
      const entry = this.#caches.get(resourceName(ref));
      assert(entry !== undefined, `${resourceName(ref)} is read but not watched`);
      return (entry.cache as unknown as Cache<never>).objects;
    });
  }

  /** The cache of a kind; the first call starts it. */
  of<T extends KubernetesObject>(ref: ResourceRef<T>): Cache<T> {
    const name = resourceName(ref);
    let entry = this.#caches.get(name);
    if (entry === undefined) {
      const cache = new Cache<T>(this.#client, ref, this.#options) as unknown as Cache<KubernetesObject>;
      const stop = new AbortController();
      entry = { cache, stop };
      this.#caches.set(name, entry);
      void cache.run(AbortSignal.any([stop.signal, this.#stopped.signal]));
    }
    return entry.cache as unknown as Cache<T>;
  }

  /** The cache of a kind if it has been started. */
  peek<T extends KubernetesObject>(ref: ResourceRef<T>): Cache<T> | undefined {
    return this.#caches.get(resourceName(ref))?.cache as unknown as Cache<T> | undefined;
  }

  /** Forgets a kind that is no longer served. */
  drop<T extends KubernetesObject>(ref: ResourceRef<T>): void {
    const name = resourceName(ref);
    this.#caches.get(name)?.stop.abort();
    this.#caches.delete(name);
  }

  /** Resolves when every kind that was asked for so far has been listed, or when `signal` fires. */
  async synced(signal?: AbortSignal): Promise<void> {
    await Promise.all([...this.#caches.values()].map(({ cache }) => cache.synced(signal)));
  }

  /** Ends all watches. */
  stop(): void {
    this.#stopped.abort();
  }
}
