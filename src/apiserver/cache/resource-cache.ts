/**
 * Every current object of one resource, sorted by key, with the latest changes for watchers. Fed by the cluster cache
 * in revision order; keys here are "namespace/name", or "name" where the resource has no namespaces.
 */
import { Entry } from "./entry.ts";
import { OrderedMap } from "./ordered-map.ts";
import { Turns } from "./turns.ts";

/** How many of the latest changes of a resource are kept for watches that start in the past. */
export const recentChangesMax = 4096;

/**
 * Watchers that are told of changes in one turn of the event loop, which takes about ten milliseconds; those beyond wait until
 * other work has had its turn. Shorter turns cost more: what goes to one connection in a turn is one write.
 */
export const watchersPerTurnMax = 1024;

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
  readonly #watchers = new Set<ChangeListener>();
  /** Changes that watchers are being told of, and who has not been told yet. */
  #round: { readonly changes: readonly Change[]; readonly rest: Iterator<ChangeListener> } | undefined;
  /** Changes for the next round. */
  #waiting: Change[] = [];

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
    if (this.#round === undefined) this.#startRound(changes);
    else this.#waiting.push(...changes);
  }

  /** Every change up to here has been told to all watchers; no limit when they know all. */
  get toldRevision(): number {
    return this.#round === undefined ? Infinity : this.#round.changes[0]!.revision - 1;
  }

  #startRound(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    this.#round = { changes, rest: this.#watchers.values() };
    this.#takeTurn();
  }

  #takeTurn(): void {
    const { changes, rest } = this.#round!;
    for (let told = 0; told < watchersPerTurnMax; told += 1) {
      const next = rest.next();
      if (next.done === true) return this.#endRound(changes);
      next.value(changes);
    }
    setImmediate(() => this.#takeTurn());
  }

  #endRound(changes: readonly Change[]): void {
    // All who watch have their events: who asks for these changes later makes them once more.
    for (const { encoded } of changes) encoded.clear();
    const waiting = this.#waiting;
    this.#round = undefined;
    this.#waiting = [];
    this.#startRound(waiting);
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

  /** For those who must know before anyone is answered. */
  listen(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** For watches: in order, each change once, perhaps some turns later, and perhaps some that came before the watch. */
  watch(watcher: ChangeListener): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}
