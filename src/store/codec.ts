/**
 * Transactions as bytes: one form for the way to the worker, for the log and for its replay, so that a value is copied
 * once. All numbers are big-endian; revisions have 48 bits.
 *
 *     transaction = u16 count, then per write: u8 flags, u16 key length, [u32 value length], [u48 expected], key, [value]
 *     batch       = per transaction: u32 length, transaction
 */
import type { Write } from "./store.ts";

const hasValue = 1;
const hasExpectation = 2;
export const revisionBytes = 6;

/** A write as read from bytes; `value` is a view into them. */
export interface DecodedWrite extends Write {
  value: Buffer | undefined;
}

export function batchBytes(transactions: readonly (readonly Write[])[]): Buffer {
  const sizes = transactions.map(transactionSize);
  const bytes = Buffer.allocUnsafeSlow(sizes.reduce((sum, size) => sum + 4 + size, 0));
  let offset = 0;
  transactions.forEach((writes, at) => {
    offset = bytes.writeUInt32BE(sizes[at] ?? 0, offset);
    offset = writeTransaction(bytes, offset, writes);
  });
  return bytes;
}

/** The encoded transactions of a batch, as views. */
export function splitBatch(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const end = offset + 4 + bytes.readUInt32BE(offset);
    parts.push(bytes.subarray(offset + 4, end));
    offset = end;
  }
  return parts;
}

export function transactionSize(writes: readonly Write[]): number {
  let size = 2;
  for (const { key, value, expectedModRevision } of writes)
    size +=
      3 +
      Buffer.byteLength(key) +
      (value === undefined ? 0 : 4 + value.byteLength) +
      (expectedModRevision === undefined ? 0 : revisionBytes);
  return size;
}

function writeTransaction(bytes: Buffer, start: number, writes: readonly Write[]): number {
  let offset = bytes.writeUInt16BE(writes.length, start);
  for (const { key, value, expectedModRevision } of writes) {
    const flags = (value === undefined ? 0 : hasValue) | (expectedModRevision === undefined ? 0 : hasExpectation);
    bytes[offset] = flags;
    const lengthAt = offset + 1;
    offset += 3;
    if (value !== undefined) offset = bytes.writeUInt32BE(value.byteLength, offset);
    if (expectedModRevision !== undefined) offset = bytes.writeUIntBE(expectedModRevision, offset, revisionBytes);
    const keyLength = bytes.write(key, offset);
    bytes.writeUInt16BE(keyLength, lengthAt);
    offset += keyLength;
    if (value !== undefined) {
      bytes.set(value, offset);
      offset += value.byteLength;
    }
  }
  return offset;
}

export function decodeTransaction(bytes: Buffer): DecodedWrite[] {
  const count = bytes.readUInt16BE(0);
  const writes: DecodedWrite[] = [];
  let offset = 2;
  for (let at = 0; at < count; at++) {
    const flags = bytes[offset] ?? 0;
    const keyLength = bytes.readUInt16BE(offset + 1);
    offset += 3;
    let valueLength = -1;
    if ((flags & hasValue) !== 0) {
      valueLength = bytes.readUInt32BE(offset);
      offset += 4;
    }
    let expectedModRevision: number | undefined;
    if ((flags & hasExpectation) !== 0) {
      expectedModRevision = bytes.readUIntBE(offset, revisionBytes);
      offset += revisionBytes;
    }
    const key = bytes.toString("utf8", offset, offset + keyLength);
    offset += keyLength;
    const value = valueLength < 0 ? undefined : bytes.subarray(offset, offset + valueLength);
    offset += Math.max(valueLength, 0);
    writes.push(expectedModRevision === undefined ? { key, value } : { key, value, expectedModRevision });
  }
  return writes;
}
