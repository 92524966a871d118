/**
 * Turns proposals into committed, applied entries. The quorum here is this member alone: an entry is committed when it
 * is synced on its own disk. Everything that is proposed together is one append and one sync (group commit).
 */
import { assert } from "#lib/assert.ts";
import { decodeTransaction, revisionBytes } from "./codec.ts";
import type { Disk } from "./disk.ts";
import { readHardState, writeHardState } from "./hard-state.ts";
import { CorruptionError, type Log, type LogEntry, SyncFailedError } from "./log.ts";
import { entryKinds, type Overlay, type StateMachine } from "./state-machine.ts";
import { FutureRevisionError } from "./store.ts";
import { StorageError } from "./transaction.ts";

export type Decision =
  /** On disk and applied; the revision is the one before if nothing changed. */
  | { kind: "done"; revision: number }
  /** Not written: the expectation of the write at this place failed, at this revision. */
  | { kind: "failed"; place: number; revision: number }
  /** Not written: the store could not keep it. */
  | { kind: "refused"; error: StorageError };

/** Bytes of one append. More that waits goes into the next. */
export const groupBytesMax = 8 * 1024 * 1024;
/** Applied bytes that may wait for SQLite before writes are refused. */
export const pendingBytesMax = 64 * 1024 * 1024;

const ownMember = 1;

export class Engine {
  readonly #log: Log;
  readonly #machine: StateMachine;
  #term = 0;

  /** Replays what SQLite has not applied, then starts a term of its own. Throws CorruptionError, StorageError. */
  constructor(disk: Disk, directory: string, log: Log, machine: StateMachine) {
    this.#log = log;
    this.#machine = machine;
    this.#checkAgreement();
    this.#replay();
    this.#startTerm(disk, directory);
  }

  /** Decides, writes and applies transactions in order. Throws SyncFailedError only: then this engine is over. */
  propose(transactions: readonly Buffer[]): Decision[] {
    const decisions: Decision[] = [];
    for (let start = 0; start < transactions.length;) {
      let bytes = 0;
      let end = start;
      while (end < transactions.length && (end === start || bytes + (transactions[end]?.length ?? 0) <= groupBytesMax))
        bytes += transactions[end++]?.length ?? 0;
      decisions.push(...this.#proposeGroup(transactions.slice(start, end)));
      start = end;
    }
    return decisions;
  }

  /** Makes revisions below `revision` unreadable. Rows go later, by the state machine's removeGarbage. */
  compact(revision: number): void {
    if (revision > this.#machine.revision) throw new FutureRevisionError(revision, this.#machine.revision);
    if (revision <= this.#machine.compactedRevision) return;
    const data = Buffer.alloc(revisionBytes);
    data.writeUIntBE(revision, 0, revisionBytes);
    this.#commit([this.#entry(this.#log.lastIndex + 1, entryKinds.compact, data)]);
  }

  #proposeGroup(transactions: readonly Buffer[]): Decision[] {
    try {
      this.#makeRoom();
      const overlay: Overlay = new Map();
      const entries: LogEntry[] = [];
      let revision = this.#machine.revision;
      const decisions = transactions.map((bytes): Decision => {
        const decided = this.#machine.decide(decodeTransaction(bytes), overlay, revision + 1);
        if ("failed" in decided) return { kind: "failed", place: decided.failed, revision };
        if (!decided.changes) return { kind: "done", revision };
        revision++;
        entries.push(this.#transactionEntry(this.#log.lastIndex + 1 + entries.length, revision, bytes));
        return { kind: "done", revision };
      });
      this.#commit(entries);
      return decisions;
    } catch (error) {
      if (error instanceof SyncFailedError || !(error instanceof StorageError)) throw error;
      return transactions.map(() => ({ kind: "refused", error }));
    }
  }

  /** Applied entries that SQLite could not take stay in memory, so there is a limit to how many more are accepted. */
  #makeRoom(): void {
    if (this.#machine.pendingBytes > pendingBytesMax) this.#machine.flush();
  }

  #commit(entries: readonly LogEntry[]): void {
    this.#log.append(entries);
    for (const entry of entries) this.#machine.apply(entry);
  }

  #transactionEntry(index: number, revision: number, bytes: Buffer): LogEntry {
    const data = Buffer.allocUnsafe(revisionBytes + bytes.length);
    data.writeUIntBE(revision, 0, revisionBytes);
    bytes.copy(data, revisionBytes);
    return this.#entry(index, entryKinds.transaction, data);
  }

  #entry(index: number, kind: number, data: Uint8Array): LogEntry {
    return { index, term: this.#term, kind, data };
  }

  #checkAgreement(): void {
    const { appliedIndex } = this.#machine;
    if (this.#log.lastIndex < appliedIndex)
      throw new CorruptionError(`the log ends at entry ${this.#log.lastIndex}, but ${appliedIndex} was applied`);
    if (this.#log.firstIndex > appliedIndex + 1)
      throw new CorruptionError(
        `the log begins at entry ${this.#log.firstIndex}, but only ${appliedIndex} was applied: entries are missing`,
      );
  }

  #replay(): void {
    for (const entry of this.#log.entriesFrom(this.#machine.appliedIndex + 1)) {
      this.#machine.apply(entry);
      if (this.#machine.pendingBytes > groupBytesMax) this.#machine.flush();
    }
    this.#machine.flush();
  }

  #startTerm(disk: Disk, directory: string): void {
    const { term } = readHardState(disk, directory);
    const newest = Math.max(this.#log.lastTerm, this.#machine.appliedTerm);
    if (term < newest) throw new CorruptionError(`the stored term ${term} is older than the log's ${newest}`);
    this.#term = term + 1;
    writeHardState(disk, directory, { term: this.#term, vote: ownMember });
    assert(this.#log.lastIndex === this.#machine.appliedIndex, "everything in the log is applied");
    this.#commit([this.#entry(this.#log.lastIndex + 1, entryKinds.noOp, Buffer.alloc(0))]);
  }
}
