/**
 * The store without a disk: for tests, and the plain model that the durable one is compared with. Keeps every version
 * of every key until it is compacted.
 */
import {
  CompactedError,
  FutureRevisionError,
  type RangeOptions,
  type RangeResult,
  type Store,
  type StoredValue,
  type StoreEvent,
  type Write,
  type WriteResult,
} from "./store.ts";
import { checkWrites, emptyValue, StoreClosedError, type AppliedTransaction } from "./transaction.ts";
import { createWatchHub } from "./watch-hub.ts";

/** What a key held from `revision` on; `stored` is undefined after a delete. */
interface Version {
  revision: number;
  stored: StoredValue | undefined;
}

export function createMemoryStore(): Store {
  const versions = new Map<string, Version[]>();
  let transactions: AppliedTransaction[] = [];
  let revision = 1;
  let compactedRevision = 0;
  let isClosed = false;

  const hub = createWatchHub({
    revision: () => revision,
    transactionsAfter(afterRevision) {
      if (afterRevision < compactedRevision) throw new CompactedError(compactedRevision);
      return transactions.filter((transaction) => transaction.revision > afterRevision);
    },
  });

  function checkReadable(wanted: number): void {
    if (isClosed) throw new StoreClosedError();
    if (wanted > revision) throw new FutureRevisionError(wanted, revision);
    if (wanted < compactedRevision) throw new CompactedError(compactedRevision);
  }

  const read = (key: string, at: number): StoredValue | undefined =>
    versions.get(key)?.findLast((version) => version.revision <= at)?.stored;

  function range({ prefix, after, revision: wanted = revision, limit }: RangeOptions): RangeResult {
    checkReadable(wanted);
    const keys = [...versions.keys()].filter((key) => key.startsWith(prefix) && (after === undefined || key > after));
    const values = keys
      .toSorted((a, b) => (a < b ? -1 : 1))
      .map((key) => read(key, wanted))
      .filter((value) => value !== undefined);
    const shown = limit === undefined || limit <= 0 ? values.length : limit;
    return { values: values.slice(0, shown), remaining: Math.max(0, values.length - shown), revision: wanted };
  }

  function write(writes: readonly Write[]): WriteResult {
    if (isClosed) throw new StoreClosedError();
    checkWrites(writes);
    for (const { key, expectedModRevision } of writes) {
      const current = read(key, revision);
      if (expectedModRevision !== undefined && expectedModRevision !== (current?.modRevision ?? 0))
        return { ok: false, failedKey: key, current, revision };
    }
    const effective = writes.filter(({ key, value }) => value !== undefined || read(key, revision) !== undefined);
    if (effective.length === 0) return { ok: true, revision };
    const next = revision + 1;
    const events = effective.map(({ key, value }) => change(key, value, next));
    revision = next;
    const transaction = { revision, events };
    transactions.push(transaction);
    hub.publish([transaction]);
    return { ok: true, revision };
  }

  function change(key: string, value: Uint8Array | undefined, at: number): StoreEvent {
    const previous = read(key, at);
    const createRevision = previous?.createRevision ?? at;
    const stored =
      value === undefined
        ? undefined
        : { key, value, createRevision, modRevision: at, version: (previous?.version ?? 0) + 1 };
    versions.set(key, [...(versions.get(key) ?? []), { revision: at, stored }]);
    const type = value === undefined ? "delete" : "put";
    return { type, key, revision: at, value: value ?? emptyValue, previous, createRevision };
  }

  function compact(to: number): void {
    if (to > revision) throw new FutureRevisionError(to, revision);
    if (to <= compactedRevision) return;
    compactedRevision = to;
    transactions = transactions.filter((transaction) => transaction.revision > to);
    for (const [key, chain] of versions) {
      const first = chain.findLastIndex((version) => version.revision <= to);
      const kept = chain.slice(Math.max(first, 0));
      if (first >= 0 && kept[0]?.stored === undefined) kept.shift();
      if (kept.length === 0) versions.delete(key);
      else versions.set(key, kept);
    }
  }

  return {
    get revision() {
      return revision;
    },
    get compactedRevision() {
      return compactedRevision;
    },
    async get(key, at = revision) {
      checkReadable(at);
      return read(key, at);
    },
    range: async (options) => range(options),
    write: async (writes) => write(writes),
    watch: (prefix, afterRevision, watcher) => hub.watch(prefix, afterRevision, watcher),
    compact: async (to) => compact(to),
    async close() {
      if (isClosed) return;
      isClosed = true;
      hub.end(undefined);
    },
  };
}
