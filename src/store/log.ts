/**
 * The Raft log: the truth of the store. Segment files of checksummed records; a record is what one append wrote, all
 * entries or none. Appends are on disk when `append` returns. A torn last record is dropped on opening: it was never
 * answered for. Anything else that does not match its checksum is refused.
 *
 *     segment = header (magic, u32 version, u32 salt, u48 first index, u32 checksum), records
 *     record  = magic, u32 length, u32 checksum of salt and body, body
 *     body    = per entry: u32 data length, u48 index, u48 term, u8 kind, data
 */
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { assert } from "#lib/assert.ts";
import { type Disk, writeFully } from "./disk.ts";
import { StorageError } from "./transaction.ts";

export interface LogEntry {
  index: number;
  term: number;
  kind: number;
  data: Uint8Array;
}

/** A file of the store is not what was written. Never repaired by guessing. */
export class CorruptionError extends StorageError {
  constructor(message: string) {
    super(message);
    this.name = "CorruptionError";
  }
}

/** A sync failed: what is on disk is unknown from here on. Never retried. */
export class SyncFailedError extends StorageError {
  constructor(cause: unknown) {
    super(`the log could not be synced: ${String(cause)}`, { cause });
    this.name = "SyncFailedError";
  }
}

export const segmentBytesMax = 16 * 1024 * 1024;

interface Segment {
  path: string;
  firstIndex: number;
  lastIndex: number;
  bytes: number;
  salt: number;
}

const segmentMagic = Buffer.from("CAPSLOG1");
const recordMagic = Buffer.from("\x01CpR", "latin1");
const headerBytes = 26;
const recordHeaderBytes = 12;
const entryHeaderBytes = 17;
const formatVersion = 1;

export class Log {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #segmentBytesMax: number;
  #segments: Segment[] = [];
  #file: number | undefined;
  #lastTerm = 0;
  /** Set when a failed append could not be undone: no more appends. */
  #broken: Error | undefined;

  /** Reads and checks every segment. Throws CorruptionError. */
  constructor(disk: Disk, directory: string, segmentBytes = segmentBytesMax) {
    this.#disk = disk;
    this.#directory = directory;
    this.#segmentBytesMax = segmentBytes;
    disk.makeDirectory(directory);
    this.#open();
  }

  /** The first entry that is still there; lastIndex + 1 if there is none. */
  get firstIndex(): number {
    const first = this.#segments[0];
    return first === undefined ? 1 : first.firstIndex;
  }

  get lastIndex(): number {
    return this.#segments.at(-1)?.lastIndex ?? 0;
  }

  get lastTerm(): number {
    return this.#lastTerm;
  }

  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Appends and syncs. Throws StorageError with the log as it was before (no space), or SyncFailedError after which the
   * log must not be used.
   */
  append(entries: readonly LogEntry[]): void {
    const first = entries[0];
    const last = entries.at(-1);
    if (first === undefined || last === undefined) return;
    assert(first.index === this.lastIndex + 1, `append at ${first.index} after ${this.lastIndex}`);
    if (this.#broken !== undefined) throw new StorageError("the log is read-only", { cause: this.#broken });
    const segment = this.#segmentForAppend(first.index);
    const file = this.#file ?? this.#openLast(segment);
    const record = encodeRecord(entries, segment.salt);
    try {
      writeFully(this.#disk, file, record, segment.bytes);
    } catch (error) {
      this.#undoPartialWrite(file, segment, error);
      throw new StorageError(`the log could not be written: ${String(error)}`, { cause: error });
    }
    this.#sync(file);
    segment.bytes += record.length;
    segment.lastIndex = last.index;
    this.#lastTerm = last.term;
  }

  /** Entries from `index` on, in order, read from disk. */
  *entriesFrom(index: number): Generator<LogEntry> {
    for (const segment of this.#segments) {
      if (segment.lastIndex < index) continue;
      const content = this.#disk.readFile(segment.path).subarray(0, segment.bytes);
      for (const { body } of readRecords(content, segment).records)
        for (const entry of decodeEntries(body)) if (entry.index >= index) yield entry;
    }
  }

  /** Forgets every entry after `index`: a new leader's log differs from there on. */
  truncateAfter(index: number): void {
    assert(index >= this.firstIndex - 1, `truncate to ${index} before the first entry ${this.firstIndex}`);
    if (index >= this.lastIndex) return;
    while ((this.#segments.at(-1)?.firstIndex ?? 0) > index + 1) this.#removeLastSegment();
    const segment = this.#segments.at(-1);
    assert(segment !== undefined, "a log that has entries has a segment");
    const content = this.#disk.readFile(segment.path).subarray(0, segment.bytes);
    const cut = readRecords(content, segment).records.find(({ lastIndex }) => lastIndex > index);
    assert(cut !== undefined, "the entry to cut at is in its segment");
    const kept = [...decodeEntries(cut.body)].filter((entry) => entry.index <= index);
    const file = this.#file ?? this.#openLast(segment);
    this.#disk.truncate(file, cut.start);
    this.#sync(file);
    segment.bytes = cut.start;
    segment.lastIndex = cut.firstIndex - 1;
    this.#lastTerm = this.#termOf(segment.lastIndex);
    this.append(kept);
  }

  /** Removes segments whose entries are all at or before `index`; the newest segment always stays. */
  removeThrough(index: number): void {
    let removed = false;
    while (this.#segments.length > 1 && (this.#segments[0]?.lastIndex ?? Infinity) <= index) {
      this.#disk.remove(this.#segments.shift()?.path ?? "");
      removed = true;
    }
    if (removed) this.#disk.syncDirectory(this.#directory);
  }

  close(): void {
    if (this.#file !== undefined) this.#disk.close(this.#file);
    this.#file = undefined;
  }

  #open(): void {
    const names = this.#disk.list(this.#directory).filter((name) => name.endsWith(".log"));
    for (const [at, name] of names.entries()) this.#openSegment(join(this.#directory, name), at === names.length - 1);
  }

  #openSegment(path: string, isLast: boolean): void {
    const content = this.#disk.readFile(path);
    const header = readHeader(content);
    if (header === undefined) {
      // The header is synced before the first record: this is a segment whose making was interrupted.
      if (isLast && content.length <= headerBytes) return this.#disk.remove(path);
      throw new CorruptionError(`${path}: the header is damaged`);
    }
    const expected = this.#segments.at(-1)?.lastIndex;
    if (expected !== undefined && header.firstIndex !== expected + 1)
      throw new CorruptionError(`${path}: entries ${expected + 1} to ${header.firstIndex - 1} are missing`);
    const segment: Segment = { path, ...header, lastIndex: header.firstIndex - 1, bytes: headerBytes };
    this.#segments.push(segment);
    const { records, end, fault } = readRecords(content, segment);
    if (fault !== undefined) this.#dropTornTail(content, segment, end, fault, isLast);
    segment.bytes = end;
    const last = records.at(-1);
    if (last !== undefined) {
      segment.lastIndex = last.lastIndex;
      this.#lastTerm = last.lastTerm;
    }
  }

  #dropTornTail(content: Buffer, segment: Segment, end: number, fault: string, isLast: boolean): void {
    if (!isLast || hasRecordAfter(content, end + 1, segment.salt))
      throw new CorruptionError(`${segment.path}: ${fault} at byte ${end}, and records follow it`);
    const file = this.#openLast(segment);
    this.#disk.truncate(file, end);
    this.#sync(file);
  }

  #segmentForAppend(firstIndex: number): Segment {
    const last = this.#segments.at(-1);
    if (last !== undefined && (last.bytes < this.#segmentBytesMax || last.lastIndex < last.firstIndex)) return last;
    return this.#addSegment(firstIndex);
  }

  #addSegment(firstIndex: number): Segment {
    const path = join(this.#directory, `${String(firstIndex).padStart(16, "0")}.log`);
    const salt = randomInt(2 ** 32 - 1);
    let file: number | undefined;
    try {
      file = this.#disk.open(path);
      this.#disk.truncate(file, 0);
      writeFully(this.#disk, file, encodeHeader(salt, firstIndex), 0);
    } catch (error) {
      if (file !== undefined) {
        this.#disk.close(file);
        this.#disk.remove(path);
      }
      throw new StorageError(`a log segment could not be made: ${String(error)}`, { cause: error });
    }
    this.#sync(file);
    this.#disk.syncDirectory(this.#directory);
    this.close();
    this.#file = file;
    const segment = { path, firstIndex, lastIndex: firstIndex - 1, bytes: headerBytes, salt };
    this.#segments.push(segment);
    return segment;
  }

  #removeLastSegment(): void {
    this.close();
    this.#disk.remove(this.#segments.pop()?.path ?? "");
    this.#disk.syncDirectory(this.#directory);
  }

  #openLast(segment: Segment): number {
    this.#file ??= this.#disk.open(segment.path);
    return this.#file;
  }

  #undoPartialWrite(file: number, segment: Segment, cause: unknown): void {
    try {
      this.#disk.truncate(file, segment.bytes);
    } catch {
      this.#broken = cause instanceof Error ? cause : new Error(String(cause));
    }
  }

  #sync(file: number): void {
    try {
      this.#disk.sync(file);
    } catch (error) {
      this.#broken = error instanceof Error ? error : new Error(String(error));
      throw new SyncFailedError(error);
    }
  }

  #termOf(index: number): number {
    for (const entry of this.entriesFrom(index)) return entry.term;
    return 0;
  }
}

function encodeHeader(salt: number, firstIndex: number): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  segmentMagic.copy(bytes);
  bytes.writeUInt32BE(formatVersion, 8);
  bytes.writeUInt32BE(salt, 12);
  bytes.writeUIntBE(firstIndex, 16, 6);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 22)), 22);
  return bytes;
}

function readHeader(content: Buffer): { salt: number; firstIndex: number } | undefined {
  if (content.length < headerBytes || !content.subarray(0, 8).equals(segmentMagic)) return undefined;
  if (crc32(content.subarray(0, 22)) !== content.readUInt32BE(22)) return undefined;
  const version = content.readUInt32BE(8);
  if (version !== formatVersion) throw new CorruptionError(`log format ${version} is not known`);
  return { salt: content.readUInt32BE(12), firstIndex: content.readUIntBE(16, 6) };
}

function encodeRecord(entries: readonly LogEntry[], salt: number): Buffer {
  const size = entries.reduce((sum, { data }) => sum + entryHeaderBytes + data.byteLength, recordHeaderBytes);
  const bytes = Buffer.allocUnsafe(size);
  recordMagic.copy(bytes);
  bytes.writeUInt32BE(size - recordHeaderBytes, 4);
  let offset = recordHeaderBytes;
  for (const { index, term, kind, data } of entries) {
    offset = bytes.writeUInt32BE(data.byteLength, offset);
    offset = bytes.writeUIntBE(index, offset, 6);
    offset = bytes.writeUIntBE(term, offset, 6);
    offset = bytes.writeUInt8(kind, offset);
    bytes.set(data, offset);
    offset += data.byteLength;
  }
  bytes.writeUInt32BE(crc32(bytes.subarray(recordHeaderBytes), salt), 8);
  return bytes;
}

interface RecordView {
  /** Where the record begins in its file. */
  start: number;
  body: Buffer;
  firstIndex: number;
  lastIndex: number;
  lastTerm: number;
}

/** All records up to the first fault; `end` is where that is, or the end of the file. */
function readRecords(
  content: Buffer,
  { salt, firstIndex }: Pick<Segment, "salt" | "firstIndex">,
): { records: RecordView[]; end: number; fault: string | undefined } {
  const records: RecordView[] = [];
  let offset = headerBytes;
  let expected = firstIndex;
  while (offset < content.length) {
    const body = recordBodyAt(content, offset, salt);
    if (body === undefined) return { records, end: offset, fault: "a record is damaged" };
    const entries = [...decodeEntries(body)];
    const first = entries[0];
    const last = entries.at(-1);
    if (first === undefined || last === undefined || first.index !== expected)
      throw new CorruptionError(`the record at byte ${offset} begins at entry ${first?.index}, not ${expected}`);
    records.push({
      start: offset,
      body,
      firstIndex: first.index,
      lastIndex: last.index,
      lastTerm: last.term,
    });
    expected = last.index + 1;
    offset += recordHeaderBytes + body.length;
  }
  return { records, end: offset, fault: undefined };
}

/** The body of an undamaged record at this place. */
function recordBodyAt(content: Buffer, offset: number, salt: number): Buffer | undefined {
  if (content.length - offset < recordHeaderBytes) return undefined;
  if (content.compare(recordMagic, 0, 4, offset, offset + 4) !== 0) return undefined;
  const length = content.readUInt32BE(offset + 4);
  const start = offset + recordHeaderBytes;
  if (length === 0 || content.length - start < length) return undefined;
  const body = content.subarray(start, start + length);
  return crc32(body, salt) === content.readUInt32BE(offset + 8) ? body : undefined;
}

/** A whole record after a damaged one was synced later, so the damaged one had been answered for. */
function hasRecordAfter(content: Buffer, offset: number, salt: number): boolean {
  for (let at = content.indexOf(recordMagic, offset); at >= 0; at = content.indexOf(recordMagic, at + 1))
    if (recordBodyAt(content, at, salt) !== undefined) return true;
  return false;
}

function* decodeEntries(body: Buffer): Generator<LogEntry> {
  for (let offset = 0; offset < body.length;) {
    const length = body.readUInt32BE(offset);
    const start = offset + entryHeaderBytes;
    yield {
      index: body.readUIntBE(offset + 4, 6),
      term: body.readUIntBE(offset + 10, 6),
      kind: body.readUInt8(offset + 16),
      data: body.subarray(start, start + length),
    };
    offset = start + length;
  }
}
