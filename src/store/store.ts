/**
 * The store as the API server sees it: a revisioned map from key to bytes that survives what it answered for. It knows
 * no kinds. One suite (store-suite.ts) runs against every implementation: memory, single member, replicated.
 */

/** One version of one key. `value` is shared: never change it. */
export interface StoredValue {
  key: string;
  value: Uint8Array;
  createRevision: number;
  modRevision: number;
  /** 1 for the first version since creation. */
  version: number;
}

export interface Write {
  key: string;
  /** undefined deletes the key. */
  value: Uint8Array | undefined;
  /** The write happens only if the key's current modRevision is this; 0: only if the key does not exist. */
  expectedModRevision?: number;
}

export type WriteResult =
  /** All writes of the call became one revision, on disk. */
  | { ok: true; revision: number }
  /** Nothing was written; `current` is what the first key whose expectation failed holds now. */
  | { ok: false; failedKey: string; current: StoredValue | undefined; revision: number };

export interface RangeOptions {
  /** All keys that begin with this. */
  prefix: string;
  /** Only keys after this one (for continue tokens). */
  after?: string;
  /** An older revision; default the current one. Rejects with CompactedError or FutureRevisionError. */
  revision?: number;
  limit?: number;
}

export interface RangeResult {
  values: StoredValue[];
  /** Keys in the range beyond `limit`. */
  remaining: number;
  /** The revision that was read. */
  revision: number;
}

export interface StoreEvent {
  type: "put" | "delete";
  key: string;
  revision: number;
  /** Empty for a delete. */
  value: Uint8Array;
  previous: StoredValue | undefined;
  createRevision: number;
}

export interface StoreWatcher {
  /** Events of one or more whole revisions, in revision order. Never a part of a revision. */
  onEvents(events: readonly StoreEvent[], revision: number): void;
  /** The watch is over: compacted, closed, or too slow. */
  onEnd(error: Error | undefined): void;
}

export interface Store {
  /** The newest applied revision. Grows only; 1 in a fresh store. */
  readonly revision: number;
  /** Revisions below this are compacted. */
  readonly compactedRevision: number;
  get(key: string, revision?: number): Promise<StoredValue | undefined>;
  range(options: RangeOptions): Promise<RangeResult>;
  /** One transaction, one revision (none if every write is a delete of a missing key). Resolves after fsync. */
  write(writes: readonly Write[]): Promise<WriteResult>;
  /** Events with a revision greater than `afterRevision`, old ones first. Returns a function that ends the watch. */
  watch(prefix: string, afterRevision: number, watcher: StoreWatcher): () => void;
  /** Forgets versions that nobody can ask for below `revision`; the latest version of each key stays. */
  compact(revision: number): Promise<void>;
  /** Waits for what is under way, then closes the files. */
  close(): Promise<void>;
}

export class CompactedError extends Error {
  readonly compactedRevision: number;
  constructor(compactedRevision: number) {
    super("required revision has been compacted");
    this.name = "CompactedError";
    this.compactedRevision = compactedRevision;
  }
}

export class FutureRevisionError extends Error {
  constructor(revision: number, current: number) {
    super(`revision ${revision} is a future revision (current ${current})`);
    this.name = "FutureRevisionError";
  }
}
