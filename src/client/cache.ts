/**
 * Keeps the current objects of one kind in memory: a list, then a watch that is resumed where it ended; a new list only
 * when the server has forgotten that place. Upstream's word for it is informer.
 */
import { backoffMs } from "#lib/backoff.ts";
import type { Logger } from "#lib/log.ts";
import { systemRandom, type Random } from "#lib/random.ts";
import { sleep } from "#lib/sleep.ts";
import type { KubernetesObject } from "#api/object.ts";
import { isExpired, StatusError } from "#api/status-error.ts";
import type { Client, ObjectKey, ResourceRef, TypedWatchEvent } from "./client.ts";
import { ObjectSet } from "./object-set.ts";
import { keyText, resourceName } from "./resource-path.ts";

export interface CacheChange<T> {
  readonly type: "added" | "modified" | "deleted";
  /** For "deleted" the last state that was seen. */
  readonly object: T;
  readonly old: T | undefined;
}

export type CacheHandler<T> = (change: CacheChange<T>) => void;

export interface CacheOptions {
  log: Logger;
  random?: Random;
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Freezes every object deeply, to find who changes what is shared. For tests. */
  freeze?: boolean;
}

const retry = { initialMs: 100, limitMs: 10_000 };
/** A watch is renewed after this long, and up to as long again, so that no stream is trusted for ever. */
const watchSecondsMin = 300;
/** A watch that ends sooner and without an event counts as a failure. */
const shortWatchMs = 1_000;

export class Cache<T extends KubernetesObject> {
  readonly ref: ResourceRef<T>;
  readonly objects = new ObjectSet<T>();
  readonly #client: Client;
  readonly #options: CacheOptions;
  readonly #random: Random;
  readonly #handlers = new Set<CacheHandler<T>>();
  readonly #progress = new Set<() => void>();
  #revision = 0;
  #resumeAt: string | undefined;
  #synced = false;

  constructor(client: Client, ref: ResourceRef<T>, options: CacheOptions) {
    this.ref = ref;
    this.#client = client;
    this.#options = options;
    this.#random = options.random ?? systemRandom;
  }

  /** True from the first complete list on. */
  get hasSynced(): boolean {
    return this.#synced;
  }

  /** Everything up to this revision has been seen. */
  get revision(): number {
    return this.#revision;
  }

  get(key: ObjectKey): T | undefined {
    return this.objects.get(key);
  }

  list(namespace?: string): T[] {
    return this.objects.list(namespace);
  }

  /** Hears of every change from now on, and of what is there already as "added". Returns how to stop it. */
  onChange(handler: CacheHandler<T>): () => void {
    for (const object of this.objects.values()) handler({ type: "added", object, old: undefined });
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  /** Called after each batch of events and each list. Returns how to stop it. */
  onProgress(callback: () => void): () => void {
    this.#progress.add(callback);
    return () => void this.#progress.delete(callback);
  }

  /** Resolves when the first list is complete, or when `signal` fires. */
  async synced(signal?: AbortSignal): Promise<void> {
    await this.when(() => this.#synced, signal);
  }

  /** Resolves once `condition` holds after some progress, or when `signal` fires. */
  async when(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    if (condition() || signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        stop();
        signal?.removeEventListener("abort", finish);
        resolve();
      };
      const stop = this.onProgress(() => {
        if (condition()) finish();
      });
      signal?.addEventListener("abort", finish, { once: true });
    });
  }

  /** Follows the server until `signal` fires. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (this.#resumeAt === undefined) await this.#relist(signal);
        failures = (await this.#follow(signal)) ? 0 : failures + 1;
      } catch (error) {
        if (signal.aborted) return;
        failures = this.#afterFailure(error, failures);
      }
      if (failures > 0) await sleep(backoffMs(failures, retry) * (0.5 + this.#random.next()), signal);
    }
  }

  #afterFailure(error: unknown, failures: number): number {
    if (isExpired(error)) {
      this.#options.log.debug("watch expired, listing again", { resource: resourceName(this.ref) });
      this.#resumeAt = undefined;
      return failures === 0 ? 0 : failures + 1;
    }
    const expected = error instanceof StatusError && error.code === 404 && !this.#synced;
    const say = expected || failures === 0 ? this.#options.log.debug : this.#options.log.warn;
    say("list or watch failed", { resource: resourceName(this.ref), failures: failures + 1, error });
    return failures + 1;
  }

  async #relist(signal: AbortSignal): Promise<void> {
    const { items, resourceVersion } = await this.#list(signal);
    const listed = new Set<string>();
    for (const item of items) {
      listed.add(keyText(item.metadata));
      const known = this.objects.get(item.metadata);
      if (known === undefined || known.metadata.resourceVersion !== item.metadata.resourceVersion) this.#put(item);
    }
    for (const object of this.objects.values()) if (!listed.has(keyText(object.metadata))) this.#remove(object, object);
    this.#resumeAt = resourceVersion;
    this.#advance(resourceVersion);
    this.#synced = true;
    this.#tellProgress();
  }

  /** From the server's cache if that is not older than what was seen, else the newest. */
  async #list(signal: AbortSignal): Promise<{ items: T[]; resourceVersion: string }> {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    const selected = { namespace, labelSelector, fieldSelector, signal };
    try {
      return await this.#client.list(this.ref, { ...selected, resourceVersion: String(this.#revision) });
    } catch (error) {
      const hopeless = !(error instanceof StatusError) || (!isExpired(error) && error.code !== 504);
      if (hopeless) throw error;
      return await this.#client.list(this.ref, selected);
    }
  }

  /** True if the watch brought something or lasted. */
  async #follow(signal: AbortSignal): Promise<boolean> {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    const timeoutSeconds = Math.floor(watchSecondsMin * (1 + this.#random.next()));
    const selected = { namespace, labelSelector, fieldSelector, timeoutSeconds, signal };
    const startedAt = performance.now();
    let useful = false;
    for await (const batch of this.#client.watch(this.ref, { ...selected, resourceVersion: this.#resumeAt })) {
      if (signal.aborted) return true;
      for (const event of batch) this.#take(event);
      useful = true;
      this.#tellProgress();
    }
    return useful || performance.now() - startedAt >= shortWatchMs;
  }

  #take({ type, object }: TypedWatchEvent<T>): void {
    const { resourceVersion } = object.metadata;
    if (type === "DELETED") this.#remove(this.objects.get(object.metadata), object);
    else if (type !== "BOOKMARK") this.#put(object);
    if (resourceVersion !== undefined) {
      this.#resumeAt = resourceVersion;
      this.#advance(resourceVersion);
    }
  }

  #put(object: T): void {
    if (this.#options.freeze === true) deepFreeze(object);
    const old = this.objects.set(object);
    const replaced = old !== undefined && old.metadata.uid !== object.metadata.uid;
    if (replaced) this.#tell({ type: "deleted", object: old, old });
    if (old === undefined || replaced) this.#tell({ type: "added", object, old: undefined });
    else this.#tell({ type: "modified", object, old });
  }

  #remove(old: T | undefined, last: T): void {
    if (old === undefined) return;
    if (this.#options.freeze === true) deepFreeze(last);
    this.objects.delete(old.metadata);
    this.#tell({ type: "deleted", object: last, old });
  }

  /** Revisions are compared as numbers: the API promises that they can be. */
  #advance(resourceVersion: string): void {
    const revision = Number(resourceVersion);
    if (revision > this.#revision) this.#revision = revision;
  }

  #tell(change: CacheChange<T>): void {
    for (const handler of this.#handlers) handler(change);
  }

  #tellProgress(): void {
    for (const callback of this.#progress) callback();
  }
}

export function deepFreeze<V>(value: V): V {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}
