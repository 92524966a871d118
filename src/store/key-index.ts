/**
 * Which versions of which key the applied state holds: enough to check expectations and to find rows, never values.
 * A row's number is its revision and its place in the transaction, so rows sort by revision.
 */
import { transactionWritesMax } from "./transaction.ts";
import { SortedKeys } from "./sorted-keys.ts";

export const rowId = (revision: number, place: number): number => revision * transactionWritesMax + place;
export const rowRevision = (id: number): number => Math.floor(id / transactionWritesMax);

export interface KeyVersions {
  /** Row numbers of every version that is still kept, deletes too, oldest first. */
  rows: number[];
  /** The newest version is a value. */
  isLive: boolean;
  createRevision: number;
  /** Of the newest value; 0 after a delete. */
  version: number;
}

/** A row that nobody can ask for once the store is compacted at `from`. */
interface Garbage {
  key: string;
  id: number;
  from: number;
}

export class KeyIndex {
  readonly #keys = new Map<string, KeyVersions>();
  readonly #sorted = new SortedKeys();
  readonly #deletes = new Set<number>();
  /** Invariant: ordered by `from`. */
  #garbage: Garbage[] = [];
  #garbageTaken = 0;

  get(key: string): KeyVersions | undefined {
    return this.#keys.get(key);
  }

  /** The revision of the key's current value, 0 if it has none. */
  modRevision(key: string): number {
    const versions = this.#keys.get(key);
    return versions?.isLive === true ? rowRevision(versions.rows.at(-1) ?? 0) : 0;
  }

  /** Notes that the row holds a new value of the key. */
  put(key: string, id: number): KeyVersions {
    const versions = this.#versionsFor(key);
    this.#supersede(key, versions, id);
    if (!versions.isLive) Object.assign(versions, { isLive: true, createRevision: rowRevision(id), version: 0 });
    versions.version++;
    versions.rows.push(id);
    return versions;
  }

  /** Notes that the row is the delete of a live key. */
  delete(key: string, id: number): KeyVersions {
    const versions = this.#versionsFor(key);
    this.#supersede(key, versions, id);
    versions.isLive = false;
    versions.version = 0;
    versions.rows.push(id);
    this.#deletes.add(id);
    this.#garbage.push({ key, id, from: rowRevision(id) });
    return versions;
  }

  /** Notes a row read back from disk, in order of row numbers. */
  restore(key: string, id: number, isValue: boolean, createRevision: number, version: number): void {
    if (!isValue) {
      this.delete(key, id);
      return;
    }
    Object.assign(this.put(key, id), { createRevision, version });
  }

  /** The row of the value that the key had at `revision`, if any. */
  rowAt(key: string, revision: number): number | undefined {
    return this.rowBefore(key, rowId(revision + 1, 0));
  }

  /** The row of the value that the key had before this row was written, if any. */
  rowBefore(key: string, id: number): number | undefined {
    const found = this.#keys.get(key)?.rows.findLast((row) => row < id);
    return found === undefined || this.#deletes.has(found) ? undefined : found;
  }

  keys(prefix: string, after?: string): Generator<string> {
    return this.#sorted.range(prefix, after);
  }

  /** Takes up to `limit` rows that compaction at `revision` lets go of. */
  takeGarbage(revision: number, limit: number): number[] {
    const ids: number[] = [];
    while (ids.length < limit) {
      const next = this.#garbage[this.#garbageTaken];
      if (next === undefined || next.from > revision) break;
      this.#garbageTaken++;
      this.#forget(next.key, next.id);
      ids.push(next.id);
    }
    if (this.#garbageTaken > 1024 && this.#garbageTaken * 2 > this.#garbage.length) {
      this.#garbage = this.#garbage.slice(this.#garbageTaken);
      this.#garbageTaken = 0;
    }
    return ids;
  }

  #supersede(key: string, versions: KeyVersions, id: number): void {
    const last = versions.rows.at(-1);
    if (last !== undefined && versions.isLive) this.#garbage.push({ key, id: last, from: rowRevision(id) });
  }

  #versionsFor(key: string): KeyVersions {
    let versions = this.#keys.get(key);
    if (versions === undefined) {
      versions = { rows: [], isLive: false, createRevision: 0, version: 0 };
      this.#keys.set(key, versions);
      this.#sorted.add(key);
    }
    return versions;
  }

  #forget(key: string, id: number): void {
    const versions = this.#keys.get(key);
    this.#deletes.delete(id);
    if (versions === undefined) return;
    if (versions.rows[0] === id) versions.rows.shift();
    else versions.rows = versions.rows.filter((row) => row !== id);
    if (versions.rows.length > 0) return;
    this.#keys.delete(key);
    this.#sorted.delete(key);
  }
}
