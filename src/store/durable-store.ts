/**
 * The store on disk as the main thread sees it. A worker decides, logs and syncs; here are the current values, the
 * newest history and the watchers, which follow the worker's decisions in order. Current values are read from memory,
 * older ones by the worker.
 */
import { Worker } from "node:worker_threads";
import { assert } from "#lib/assert.ts";
import { batchBytes, transactionSize } from "./codec.ts";
import { History } from "./history.ts";
import { SortedKeys } from "./sorted-keys.ts";
import {
  CompactedError,
  FutureRevisionError,
  type RangeOptions,
  type RangeResult,
  type Store,
  type StoredValue,
  type StoreEvent,
  type StoreWatcher,
  type Write,
  type WriteResult,
} from "./store.ts";
import {
  type AppliedTransaction,
  checkWrites,
  emptyValue,
  StorageError,
  StoreClosedError,
  StoreFullError,
} from "./transaction.ts";
import { createWatchHub, type WatchHub } from "./watch-hub.ts";
import {
  decodeChanges,
  decodeValues,
  errorOf,
  type ReplyResult,
  type Request,
  type Response,
  type WorkerOptions,
} from "./wire.ts";

export interface OpenOptions {
  /** Where the store keeps everything; made if it is missing. */
  directory: string;
  /** The worker's program: a file's URL, or its source with `eval`. */
  worker?: { entry: URL | string; eval?: boolean };
  /** A path to better-sqlite3's addon, if it is not found by itself. */
  nativeBinding?: string;
  /** The worker died and nothing can be written or read from disk any more: the process should end. */
  onFatal?: (error: Error) => void;
}

export interface ContentHash {
  appliedIndex: number;
  revision: number;
  hash: string;
}

export interface DurableStore extends Store {
  /** A digest of all current content; equal on all members with the same applied index. */
  contentHash(): Promise<ContentHash>;
}

/** Writes that may wait for an answer. */
export const waitingWritesMax = 100_000;
export const waitingBytesMax = 256 * 1024 * 1024;
/** A larger message is handed over instead of copied. */
const copiedBytesMax = 64 * 1024;

interface WaitingWrite {
  writes: readonly Write[];
  bytes: number;
  resolve(result: WriteResult): void;
  reject(error: Error): void;
}

interface WaitingRead {
  resolve(result: ReplyResult): void;
  reject(error: Error): void;
}

/** Opens or makes a store. Rejects with StorageError (in use, no space, damaged). */
export async function openStore(options: OpenOptions): Promise<DurableStore> {
  const { entry = new URL("./worker.ts", import.meta.url), eval: isSource = false } = options.worker ?? {};
  const workerData: WorkerOptions = {
    role: "store",
    directory: options.directory,
    entry: String(entry),
    isSource,
    nativeBinding: options.nativeBinding,
  };
  const worker = new Worker(isSource ? String(entry) : new URL(entry), { eval: isSource, workerData });
  const store = new WorkerStore(worker, options.onFatal);
  await store.opened;
  return store;
}

class WorkerStore implements DurableStore {
  readonly opened: Promise<void>;
  readonly #worker: Worker;
  readonly #hub: WatchHub;
  readonly #current = new Map<string, StoredValue>();
  readonly #keys = new SortedKeys();
  readonly #history = new History();
  #revision = 1;
  #compactedRevision = 0;
  /** Not yet sent; then sent and not yet answered, in order. */
  #outgoing: WaitingWrite[] = [];
  #unanswered: WaitingWrite[] = [];
  #answered = 0;
  #waitingBytes = 0;
  #isFlushPlanned = false;
  #reads = new Map<number, WaitingRead>();
  #lastReadId = 0;
  #closing: Promise<void> | undefined;
  #over: Error | undefined;

  constructor(worker: Worker, onFatal: ((error: Error) => void) | undefined) {
    this.#worker = worker;
    this.#hub = createWatchHub({
      revision: () => this.#revision,
      transactionsAfter: (revision) => this.#transactionsAfter(revision),
    });
    this.opened = new Promise((resolve, reject) => {
      let isOpen = false;
      worker.on("message", (response: Response) => {
        this.#receive(response);
        if (response.type !== "opened") return;
        isOpen = true;
        resolve();
      });
      const fail = (error: Error) => {
        if (this.#over !== undefined) return;
        this.#end(error);
        if (isOpen) onFatal?.(error);
        else reject(error);
      };
      worker.on("error", (error) => fail(new StorageError(error instanceof Error ? error.message : String(error))));
      worker.on("exit", () => fail(new StoreClosedError("the store's worker ended")));
    });
  }

  get revision(): number {
    return this.#revision;
  }

  get compactedRevision(): number {
    return this.#compactedRevision;
  }

  async get(key: string, revision?: number): Promise<StoredValue | undefined> {
    this.#checkReadable(revision ?? this.#revision);
    const current = this.#current.get(key);
    if (revision === undefined || revision === this.#revision) return current;
    if (current !== undefined && current.modRevision <= revision) return current;
    const { bytes } = await this.#ask((id) => ({ type: "get", id, key, revision }));
    return decodeValues(bytes ?? emptyValue)[0];
  }

  async range({ prefix, after, revision = this.#revision, limit }: RangeOptions): Promise<RangeResult> {
    this.#checkReadable(revision);
    const shown = limit === undefined || limit <= 0 ? Number.MAX_SAFE_INTEGER : limit;
    if (revision === this.#revision) return this.#currentRange(prefix, after, shown);
    const { bytes, number } = await this.#ask((id) => ({ type: "range", id, prefix, after, revision, limit: shown }));
    return { values: decodeValues(bytes ?? emptyValue), remaining: number ?? 0, revision };
  }

  async write(writes: readonly Write[]): Promise<WriteResult> {
    this.#checkOpen();
    checkWrites(writes);
    const bytes = transactionSize(writes);
    const waiting = this.#outgoing.length + this.#unanswered.length - this.#answered;
    if (waiting >= waitingWritesMax || this.#waitingBytes + bytes > waitingBytesMax) throw new StoreFullError();
    this.#waitingBytes += bytes;
    return new Promise((resolve, reject) => {
      this.#outgoing.push({ writes, bytes, resolve, reject });
      this.#planFlush();
    });
  }

  watch(prefix: string, afterRevision: number, watcher: StoreWatcher): () => void {
    this.#checkOpen();
    return this.#hub.watch(prefix, afterRevision, watcher);
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen();
    const { number } = await this.#ask((id) => ({ type: "compact", id, revision }));
    this.#compactedRevision = Math.max(this.#compactedRevision, number ?? 0);
  }

  async contentHash(): Promise<ContentHash> {
    this.#checkOpen();
    const { text } = await this.#ask((id) => ({ type: "hash", id }));
    return JSON.parse(text ?? "") as ContentHash;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#over !== undefined) return;
    this.#flush();
    const ended = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    // Answers that are on their way still come before the worker's end.
    this.#worker.prependOnceListener("exit", () => this.#end(new StoreClosedError()));
    this.#post({ type: "close" });
    await ended;
  }

  #checkOpen(): void {
    if (this.#over !== undefined) throw this.#over;
    if (this.#closing !== undefined) throw new StoreClosedError();
  }

  #checkReadable(revision: number): void {
    this.#checkOpen();
    if (revision > this.#revision) throw new FutureRevisionError(revision, this.#revision);
    if (revision < this.#compactedRevision) throw new CompactedError(this.#compactedRevision);
  }

  #currentRange(prefix: string, after: string | undefined, limit: number): RangeResult {
    const values: StoredValue[] = [];
    for (const key of this.#keys.range(prefix, after)) {
      if (values.length === limit) break;
      const stored = this.#current.get(key);
      assert(stored !== undefined, `${key} is in the key list and has a value`);
      values.push(stored);
    }
    const remaining = values.length < limit ? 0 : this.#keys.count(prefix, after) - values.length;
    return { values, remaining, revision: this.#revision };
  }

  #transactionsAfter(revision: number): readonly AppliedTransaction[] | Promise<readonly AppliedTransaction[]> {
    this.#checkOpen();
    if (revision < this.#compactedRevision) throw new CompactedError(this.#compactedRevision);
    const recent = this.#history.after(revision);
    if (recent !== undefined) return recent;
    return this.#ask((id) => ({ type: "changes", id, afterRevision: revision })).then(({ bytes }) =>
      // Revisions that the worker applied and this thread has not published yet come by the live way.
      decodeChanges(bytes ?? emptyValue).filter((transaction) => transaction.revision <= this.#revision),
    );
  }

  #ask(request: (id: number) => Request): Promise<ReplyResult> {
    const id = ++this.#lastReadId;
    return new Promise((resolve, reject) => {
      this.#reads.set(id, { resolve, reject });
      // Invariant: requests reach the worker in the order of the calls.
      this.#flush();
      this.#post(request(id));
    });
  }

  /** Alone: at once. While others are answered: once a turn of the event loop, so that more goes into one message. */
  #planFlush(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    if (this.#unanswered.length === this.#answered) queueMicrotask(() => this.#flush());
    else setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushPlanned = false;
    if (this.#outgoing.length === 0 || this.#over !== undefined) return;
    const batch = batchBytes(this.#outgoing.map(({ writes }) => writes));
    this.#unanswered = [...this.#unanswered.slice(this.#answered), ...this.#outgoing];
    this.#answered = 0;
    this.#outgoing = [];
    this.#post(
      { type: "writes", batch },
      batch.byteLength > copiedBytesMax ? [batch.buffer as ArrayBuffer] : undefined,
    );
  }

  #post(request: Request, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }

  #receive(response: Response): void {
    switch (response.type) {
      case "values":
        for (const stored of decodeValues(response.bytes)) {
          if (stored.version === 0) this.#current.delete(stored.key);
          else this.#current.set(stored.key, stored);
        }
        return;
      case "opened":
        for (const key of [...this.#current.keys()].sort()) this.#keys.add(key);
        this.#revision = response.revision;
        this.#compactedRevision = response.compactedRevision;
        return;
      case "decisions":
        return this.#receiveDecisions(response.numbers, response.refusal);
      case "reply": {
        const read = this.#reads.get(response.id);
        this.#reads.delete(response.id);
        if ("result" in response) read?.resolve(response.result);
        else read?.reject(errorOf(response.fault));
      }
    }
  }

  /** Follows the worker's decisions: first all state, then watchers, then the callers' promises. */
  #receiveDecisions(numbers: Float64Array, refusal: string | undefined): void {
    const transactions: AppliedTransaction[] = [];
    const settle: (() => void)[] = [];
    for (let at = 0; at < numbers.length; at += 2) {
      const waiting = this.#unanswered[this.#answered++];
      assert(waiting !== undefined, "every decision answers a write");
      this.#waitingBytes -= waiting.bytes;
      settle.push(this.#follow(waiting, numbers[at] ?? 0, numbers[at + 1] ?? 0, refusal, transactions));
    }
    this.#hub.publish(transactions);
    for (const done of settle) done();
  }

  #follow(
    { writes, resolve, reject }: WaitingWrite,
    code: number,
    revision: number,
    refusal: string | undefined,
    transactions: AppliedTransaction[],
  ): () => void {
    if (code === -2) {
      const error = new StorageError(refusal ?? "the write was refused");
      return () => reject(error);
    }
    if (code >= 0) {
      const failedKey = writes[code]?.key ?? "";
      const result: WriteResult = { ok: false, failedKey, current: this.#current.get(failedKey), revision };
      return () => resolve(result);
    }
    if (revision > this.#revision) {
      const transaction = this.#applyWrites(writes, revision);
      this.#history.add(transaction);
      transactions.push(transaction);
    }
    return () => resolve({ ok: true, revision });
  }

  #applyWrites(writes: readonly Write[], revision: number): AppliedTransaction {
    const events: StoreEvent[] = [];
    for (const { key, value } of writes) {
      const previous = this.#current.get(key);
      if (value === undefined && previous === undefined) continue;
      const createRevision = previous?.createRevision ?? revision;
      const version = (previous?.version ?? 0) + 1;
      this.#set(key, value === undefined ? undefined : { key, value, createRevision, modRevision: revision, version });
      const type = value === undefined ? "delete" : "put";
      events.push({ type, key, revision, value: value ?? emptyValue, previous, createRevision });
    }
    this.#revision = revision;
    return { revision, events };
  }

  #set(key: string, stored: StoredValue | undefined): void {
    if (stored === undefined) {
      this.#current.delete(key);
      this.#keys.delete(key);
      return;
    }
    if (!this.#current.has(key)) this.#keys.add(key);
    this.#current.set(key, stored);
  }

  #end(error: Error): void {
    this.#over = error;
    for (const { reject } of [...this.#unanswered.slice(this.#answered), ...this.#outgoing]) reject(error);
    this.#unanswered = [];
    this.#outgoing = [];
    this.#answered = 0;
    for (const { reject } of this.#reads.values()) reject(error);
    this.#reads.clear();
    this.#hub.end(error instanceof StoreClosedError && this.#closing !== undefined ? undefined : error);
  }
}
