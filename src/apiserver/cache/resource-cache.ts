/**
 * Every current object of one resource, sorted by key, with the latest changes for watchers. Fed by the cluster cache
 * in revision order; keys here are "namespace/name", or "name" where the resource has no namespaces.
 */
import { Entry } from "./entry.ts";
import { OrderedMap } from "./ordered-map.ts";
import { Turns } from "./turns.ts";

/** How many of the latest changes of a resource are kept for watches that start in the past. */
export const recentChangesMax = 4096;

export interface Change {
  readonly revision: number;
  readonly key: string;
  /** undefined: deleted. */
  readonly current: Entry | undefined;
  /** The version before. */
  readonly previous: Entry | undefined;
  /** For a deletion: the last version under the revision of the deletion. */
  readonly last: Entry | undefined;
  /** Encoded watch events by form, made once for all watchers; kept while they are told of the change. */
  readonly encoded: Map<string, Buffer>;
}

export type ChangeListener = (changes: readonly Change[]) => void;

export class ResourceCache {
  /** "/registry/core/pods/": what its keys begin with in the store. */
  readonly prefix: string;
  readonly entries = new OrderedMap<Entry>();
  /** Lines of those that write the same object. */
  readonly turns = new Turns();
  #recent: Change[] = [];
  #recentAfter = 0;
  readonly #listeners = new Set<ChangeListener>();

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  get(key: string): Entry | undefined {
    return this.entries.get(key);
  }

  /** Changes after this revision can be told from memory. */
  get recentAfter(): number {
    return this.#recentAfter;
  }

  load(entries: Iterable<Entry>, revision: number): void {
    for (const entry of entries) this.entries.set(entry.key, entry);
    this.#recentAfter = revision;
  }

  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.current === undefined) this.entries.delete(change.key);
      else this.entries.set(change.key, change.current);
      this.#recent.push(change);
    }
    if (this.#recent.length > 2 * recentChangesMax) {
      const cut = this.#recent.length - recentChangesMax;
      this.#recentAfter = this.#recent[cut - 1]!.revision;
      this.#recent = this.#recent.slice(cut).filter(({ revision }) => revision > this.#recentAfter);
    }
    for (const listener of this.#listeners) listener(changes);
    // All who watch have their events: who asks for these changes later makes them once more.
    for (const { encoded } of changes) encoded.clear();
  }

  /** Changes with a greater revision, oldest first. Only for revisions not below `recentAfter`. */
  changesAfter(revision: number): readonly Change[] {
    let low = 0;
    let high = this.#recent.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#recent[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#recent.slice(low);
  }

  listen(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
