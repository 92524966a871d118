/** What the main thread and the store's worker say to each other. Values travel in one buffer a message, never as objects. */
import { CompactedError, FutureRevisionError, type StoredValue, type StoreEvent } from "./store.ts";
import { emptyValue, StorageError, type AppliedTransaction } from "./transaction.ts";

export interface WorkerOptions {
  role: "store" | "checkpointer";
  directory: string;
  /** How to start another worker of this kind. */
  entry: string;
  isSource: boolean;
  /** A path to better-sqlite3's addon, if it is not found by itself. */
  nativeBinding: string | undefined;
}

export type Request =
  | { type: "writes"; batch: Uint8Array }
  | { type: "get"; id: number; key: string; revision: number }
  | {
      type: "range";
      id: number;
      prefix: string;
      after: string | undefined;
      revision: number;
      limit: number;
    }
  | { type: "changes"; id: number; afterRevision: number }
  | { type: "compact"; id: number; revision: number }
  | { type: "hash"; id: number }
  | { type: "close" };

export type Response =
  | { type: "values"; bytes: Uint8Array }
  | { type: "opened"; revision: number; compactedRevision: number }
  /** Two numbers a transaction: -1, or the place of the write whose expectation failed, or -2 when refused; the revision. */
  | { type: "decisions"; numbers: Float64Array; refusal: string | undefined }
  | { type: "reply"; id: number; result: ReplyResult }
  | { type: "reply"; id: number; fault: Fault }
  | { type: "failed"; message: string };

export interface ReplyResult {
  bytes?: Uint8Array;
  number?: number;
  text?: string;
}

/** An error as data. */
export interface Fault {
  kind: "compacted" | "future" | "storage";
  message: string;
  numbers: readonly number[];
}

export function faultOf(error: unknown): Fault {
  if (error instanceof CompactedError)
    return { kind: "compacted", message: error.message, numbers: [error.compactedRevision] };
  if (error instanceof FutureRevisionError) return { kind: "future", message: error.message, numbers: [] };
  return { kind: "storage", message: error instanceof Error ? error.message : String(error), numbers: [] };
}

export function errorOf({ kind, message, numbers }: Fault): Error {
  if (kind === "compacted") return new CompactedError(numbers[0] ?? 0);
  if (kind === "future") return Object.assign(new FutureRevisionError(0, 0), { message });
  return new StorageError(message);
}

/** u16 key length, u32 value length, u48 create, u48 mod, u32 version, key, value. A delete has version 0. */
const storedHeaderBytes = 22;

/** No more than this many bytes for a value: a character of a key has three at most. */
export const encodedValueSizeMax = ({ key, value }: StoredValue): number =>
  storedHeaderBytes + 3 * key.length + value.byteLength;

/** Writes one value at a place; returns the end. */
export function writeValue(bytes: Buffer, start: number, stored: StoredValue): number {
  const { key, value, createRevision, modRevision, version } = stored;
  const keyBytes = bytes.write(key, start + storedHeaderBytes);
  let offset = bytes.writeUInt16BE(keyBytes, start);
  offset = bytes.writeUInt32BE(value.byteLength, offset);
  offset = bytes.writeUIntBE(createRevision, offset, 6);
  offset = bytes.writeUIntBE(modRevision, offset, 6);
  offset = bytes.writeUInt32BE(version, offset) + keyBytes;
  bytes.set(value, offset);
  return offset + value.byteLength;
}

export function encodeValues(values: readonly StoredValue[]): Buffer {
  const bytes = Buffer.allocUnsafeSlow(values.reduce((sum, stored) => sum + encodedValueSizeMax(stored), 0));
  const end = values.reduce((offset, stored) => writeValue(bytes, offset, stored), 0);
  return bytes.subarray(0, end);
}

/** Values as views into `source`. */
export function decodeValues(source: Uint8Array): StoredValue[] {
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  const values: StoredValue[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const keyEnd = offset + storedHeaderBytes + bytes.readUInt16BE(offset);
    const end = keyEnd + bytes.readUInt32BE(offset + 2);
    values.push({
      key: bytes.toString("utf8", offset + storedHeaderBytes, keyEnd),
      value: bytes.subarray(keyEnd, end),
      createRevision: bytes.readUIntBE(offset + 6, 6),
      modRevision: bytes.readUIntBE(offset + 12, 6),
      version: bytes.readUInt32BE(offset + 18),
    });
    offset = end;
  }
  return values;
}

/** A change as two values: what the key holds from then on (version 0: nothing) and held before (version 0: nothing). */
export interface Change {
  now: StoredValue;
  before: StoredValue | undefined;
}

const nothing: StoredValue = { key: "", value: emptyValue, createRevision: 0, modRevision: 0, version: 0 };

export const encodeChanges = (changes: readonly Change[]): Buffer =>
  encodeValues(changes.flatMap(({ now, before }) => [now, before ?? nothing]));

/** Changes grouped by their revision. */
export function decodeChanges(bytes: Uint8Array): AppliedTransaction[] {
  const values = decodeValues(bytes);
  const transactions: { revision: number; events: StoreEvent[] }[] = [];
  for (let at = 0; at + 1 < values.length; at += 2) {
    const event = eventOf(values[at] ?? nothing, values[at + 1] ?? nothing);
    const last = transactions.at(-1);
    if (last?.revision === event.revision) last.events.push(event);
    else transactions.push({ revision: event.revision, events: [event] });
  }
  return transactions;
}

function eventOf(now: StoredValue, before: StoredValue): StoreEvent {
  const { key, value, createRevision, modRevision: revision, version } = now;
  const previous = before.version === 0 ? undefined : before;
  return { type: version === 0 ? "delete" : "put", key, revision, value, previous, createRevision };
}
