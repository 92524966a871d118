/**
 * The applied state of the log: SQLite for rows, memory for the key index. Applying is deterministic, so equal logs give
 * equal content on every member. What is applied in memory is flushed to SQLite together with its index, in one
 * transaction; until then the rows wait here. The log is the truth: SQLite needs no sync of its own per commit.
 */
import { createHash, type Hash } from "node:crypto";
import type Database from "better-sqlite3";
import { assert } from "#lib/assert.ts";
import { decodeTransaction, revisionBytes, type DecodedWrite } from "./codec.ts";
import { KeyIndex, rowId, rowRevision } from "./key-index.ts";
import type { LogEntry } from "./log.ts";
import { CompactedError, FutureRevisionError, type StoredValue, type Write } from "./store.ts";
import { StorageError } from "./transaction.ts";

export const entryKinds = { noOp: 0, transaction: 1, compact: 2 } as const;

/** A row of the revision table. A delete has no value. */
export interface Row {
  id: number;
  key: string;
  value: Buffer | null;
  createRevision: number;
  version: number;
}

/** The newest row of a key that has a value. */
export type CurrentRow = Row & { value: Buffer };

/** What is kept of a row while the key index is read: id, key, create revision, version, whether it is a value. */
type StoredRow = readonly [number, string, number, number, boolean];

/** A committed entry that SQLite does not have yet: its rows, and where the state stands once it has them. */
interface Unflushed {
  rows: Row[];
  bytes: number;
  index: number;
  term: number;
  revision: number;
  compactedRevision: number;
}

/** What a transaction that waits for its append will have done to a key: its modRevision, 0 for none. */
export type Overlay = Map<string, number>;

const schema = `
  CREATE TABLE IF NOT EXISTS applied (
    only INTEGER PRIMARY KEY CHECK (only = 1), log_index INTEGER NOT NULL, term INTEGER NOT NULL,
    revision INTEGER NOT NULL, compacted INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS revisions (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, create_revision INTEGER NOT NULL, version INTEGER NOT NULL, value BLOB);
  INSERT OR IGNORE INTO applied VALUES (1, 0, 0, 1, 0);`;

/** The value is last: what comes before a large value is read without it. */
const columns = "id, key, create_revision AS createRevision, version, value";
/** Freed pages are given back to the file system once this many wait. */
const freePagesMax = 4096;
const vacuumPagesPerStep = 512;
const rowsPerRead = 1000;

export class StateMachine {
  readonly #database: Database.Database;
  readonly #index = new KeyIndex();
  readonly #statements;
  #pending: Unflushed[] = [];
  #pendingRows = 0;
  #pendingBytes = 0;
  /** Rows to remove that the index has already forgotten. */
  #removing: number[] = [];
  #appliedIndex = 0;
  #appliedTerm = 0;
  #revision = 1;
  #compactedRevision = 0;
  #flushedIndex = 0;

  /** Takes an open database, makes its tables, and reads the key index; `onCurrent` hears every current row, newest first. */
  constructor(database: Database.Database, onCurrent: (row: CurrentRow) => void = () => {}) {
    this.#database = database;
    database.exec(schema);
    this.#statements = {
      insert: database.prepare("INSERT INTO revisions VALUES (?, ?, ?, ?, ?)"),
      mark: database.prepare("UPDATE applied SET log_index = ?, term = ?, revision = ?, compacted = ?"),
      row: database.prepare<[number], Row>(`SELECT ${columns} FROM revisions WHERE id = ?`),
      rowsFrom: database.prepare<[number, number], Row>(
        `SELECT ${columns} FROM revisions WHERE id >= ? ORDER BY id LIMIT ?`,
      ),
      remove: database.prepare("DELETE FROM revisions WHERE id = ?"),
    };
    this.#restore(onCurrent);
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }
  /** The last entry that SQLite has. */
  get flushedIndex(): number {
    return this.#flushedIndex;
  }
  get appliedTerm(): number {
    return this.#appliedTerm;
  }
  get revision(): number {
    return this.#revision;
  }
  get compactedRevision(): number {
    return this.#compactedRevision;
  }
  /** Rows and bytes of applied values that SQLite does not have yet. */
  get pendingRows(): number {
    return this.#pendingRows;
  }
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * Decides a transaction against the applied state and the transactions before it in the same group: the place of the
   * first write whose expectation fails, or whether it changes anything. Notes its own effect in the overlay.
   */
  decide(writes: readonly Write[], overlay: Overlay, revision: number): { failed: number } | { changes: boolean } {
    const current = (key: string) => overlay.get(key) ?? this.#index.modRevision(key);
    const failed = writes.findIndex(
      ({ key, expectedModRevision }) => expectedModRevision !== undefined && expectedModRevision !== current(key),
    );
    if (failed >= 0) return { failed };
    let changes = false;
    for (const { key, value } of writes) {
      if (value === undefined && current(key) === 0) continue;
      changes = true;
      overlay.set(key, value === undefined ? 0 : revision);
    }
    return { changes };
  }

  /** Applies a committed entry in memory. SQLite follows with `flush`. */
  apply({ index, term, kind, data }: LogEntry): void {
    assert(index === this.#appliedIndex + 1, `apply of entry ${index} after ${this.#appliedIndex}`);
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    let rows: Row[] = [];
    if (kind === entryKinds.transaction)
      rows = this.#rowsOf(bytes.readUIntBE(0, revisionBytes), decodeTransaction(bytes.subarray(revisionBytes)));
    else if (kind === entryKinds.compact)
      this.#compactedRevision = Math.max(this.#compactedRevision, bytes.readUIntBE(0, revisionBytes));
    else if (kind !== entryKinds.noOp) throw new StorageError(`log entry ${index} has the unknown kind ${kind}`);
    this.#appliedIndex = index;
    this.#appliedTerm = term;
    const size = rows.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    const [revision, compactedRevision] = [this.#revision, this.#compactedRevision];
    this.#pending.push({ rows, bytes: size, index, term, revision, compactedRevision });
    this.#pendingRows += rows.length;
    this.#pendingBytes += size;
  }

  /**
   * Brings SQLite up to the applied index, or by about so many rows and bytes nearer to it, always by whole entries. On
   * failure everything stays pending, and the call may be repeated.
   */
  flush(rowsMax = Infinity, bytesMax = Infinity): void {
    const entries = this.#firstPending(rowsMax, bytesMax);
    const last = entries.at(-1);
    if (last === undefined) return;
    this.#inTransaction(() => {
      for (const { rows } of entries)
        for (const { id, key, value, createRevision, version } of rows)
          this.#statements.insert.run(id, key, createRevision, version, value);
      this.#statements.mark.run(last.index, last.term, last.revision, last.compactedRevision);
    });
    this.#pending = this.#pending.slice(entries.length);
    this.#flushedIndex = last.index;
    for (const { rows, bytes } of entries) {
      this.#pendingRows -= rows.length;
      this.#pendingBytes -= bytes;
    }
  }

  #firstPending(rowsMax: number, bytesMax: number): Unflushed[] {
    let [rows, bytes] = [0, 0];
    const end = this.#pending.findIndex((entry, at) => {
      rows += entry.rows.length;
      bytes += entry.bytes;
      return (rows > rowsMax || bytes > bytesMax) && at > 0;
    });
    return end < 0 ? this.#pending : this.#pending.slice(0, end);
  }

  read(key: string, revision: number): StoredValue | undefined {
    this.#checkReadable(revision);
    const id = this.#index.rowAt(key, revision);
    return id === undefined ? undefined : this.#stored(id);
  }

  /** Values at `revision`, up to `limit`, and how many follow. */
  range(
    prefix: string,
    after: string | undefined,
    revision: number,
    limit: number,
  ): { values: StoredValue[]; remaining: number } {
    this.#checkReadable(revision);
    const values: StoredValue[] = [];
    let remaining = 0;
    for (const key of this.#index.keys(prefix, after)) {
      const id = this.#index.rowAt(key, revision);
      if (id === undefined) continue;
      if (values.length < limit) values.push(this.#stored(id));
      else remaining++;
    }
    return { values, remaining };
  }

  /** Rows of whole revisions after `afterRevision`, about `limit` of them, each with what the key held before. */
  changesAfter(afterRevision: number, limit: number): { row: Row; previous: StoredValue | undefined }[] {
    if (afterRevision < this.#compactedRevision) throw new CompactedError(this.#compactedRevision);
    this.flush();
    const rows = this.#statements.rowsFrom.all(rowId(afterRevision + 1, 0), limit);
    const last = rows.at(-1);
    if (last !== undefined && rows.length === limit) rows.push(...this.#restOfRevision(last.id));
    return rows.map((row) => {
      const before = this.#index.rowBefore(row.key, row.id);
      return { row, previous: before === undefined ? undefined : this.#stored(before) };
    });
  }

  /** Rows of later revisions, oldest first. */
  *rowsAfter(revision: number): Generator<Row> {
    this.flush();
    let from = rowId(revision + 1, 0);
    for (;;) {
      const rows = this.#statements.rowsFrom.all(from, rowsPerRead);
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined) return;
      from = last.id + 1;
    }
  }

  /** Removes some rows that compaction let go of. Returns whether there may be more. */
  removeGarbage(limit: number): boolean {
    this.flush();
    // What a failed step left is tried again before more is taken.
    if (this.#removing.length === 0) this.#removing = this.#index.takeGarbage(this.#compactedRevision, limit);
    const isFull = this.#removing.length >= limit;
    if (this.#removing.length > 0)
      this.#inTransaction(() => {
        for (const id of this.#removing) this.#statements.remove.run(id);
      });
    this.#removing = [];
    if (Number(this.#database.pragma("freelist_count", { simple: true })) > freePagesMax)
      this.#database.pragma(`incremental_vacuum(${vacuumPagesPerStep})`);
    return isFull;
  }

  /** A digest of the current content at the applied index: equal on all members that applied the same entries. */
  contentHash(): { appliedIndex: number; revision: number; hash: string } {
    this.flush();
    const hash = createHash("sha256");
    for (const key of this.#index.keys("")) {
      const stored = this.read(key, this.#revision);
      if (stored !== undefined) addToHash(hash, stored);
    }
    return { appliedIndex: this.#appliedIndex, revision: this.#revision, hash: hash.digest("hex") };
  }

  #restore(onCurrent: (row: CurrentRow) => void): void {
    const mark = this.#database
      .prepare<[], { log_index: number; term: number; revision: number; compacted: number }>("SELECT * FROM applied")
      .get();
    assert(mark !== undefined, "the applied table has its row");
    this.#appliedIndex = mark.log_index;
    this.#flushedIndex = mark.log_index;
    this.#appliedTerm = mark.term;
    this.#revision = mark.revision;
    this.#compactedRevision = mark.compacted;
    // Newest first, so that the first row of a key is its current one and everything is read once.
    const rows: StoredRow[] = [];
    const seen = new Set<string>();
    const select = this.#database.prepare(`SELECT ${columns} FROM revisions ORDER BY id DESC`).raw();
    for (const read of select.iterate()) {
      const [id, key, createRevision, version, value] = read as [number, string, number, number, Buffer | null];
      rows.push([id, key, createRevision, version, value !== null]);
      const { size } = seen;
      if (seen.add(key).size > size && value !== null) onCurrent({ id, key, createRevision, version, value });
    }
    for (let at = rows.length - 1; at >= 0; at--) {
      const [id, key, createRevision, version, isValue] = rows[at]!;
      this.#index.restore(key, id, isValue, createRevision, version);
    }
  }

  #rowsOf(revision: number, writes: readonly DecodedWrite[]): Row[] {
    assert(revision === this.#revision + 1, `apply of revision ${revision} after ${this.#revision}`);
    this.#revision = revision;
    const rows: Row[] = [];
    for (const { key, value } of writes) {
      if (value === undefined && this.#index.modRevision(key) === 0) continue;
      const id = rowId(revision, rows.length);
      const versions = value === undefined ? this.#index.delete(key, id) : this.#index.put(key, id);
      const { createRevision, version } = versions;
      rows.push({ id, key, value: value ?? null, createRevision, version });
    }
    return rows;
  }

  /** SQLite rolls back by itself on some errors, so that a ROLLBACK may find nothing to do. */
  #inTransaction(body: () => void): void {
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      body();
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec("ROLLBACK");
      throw new StorageError(`the applied state could not be written: ${String(error)}`, { cause: error });
    }
  }

  #restOfRevision(lastId: number): Row[] {
    const end = rowId(rowRevision(lastId) + 1, 0);
    return this.#statements.rowsFrom.all(lastId + 1, end - lastId).filter((row) => row.id < end);
  }

  #stored(id: number): StoredValue {
    this.flush();
    const row = this.#statements.row.get(id);
    assert(row?.value instanceof Buffer, `row ${id} of the key index is a value in SQLite`);
    return storedValue(row, row.value);
  }

  #checkReadable(revision: number): void {
    if (revision > this.#revision) throw new FutureRevisionError(revision, this.#revision);
    if (revision < this.#compactedRevision) throw new CompactedError(this.#compactedRevision);
  }
}

function storedValue({ id, key, createRevision, version }: Row, value: Buffer): StoredValue {
  return { key, value, createRevision, modRevision: rowRevision(id), version };
}

function addToHash(hash: Hash, { key, value, createRevision, modRevision, version }: StoredValue): void {
  hash.update(`${JSON.stringify(key)} ${createRevision} ${modRevision} ${version} ${value.byteLength}\n`);
  hash.update(value);
}
