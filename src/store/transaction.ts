/** What one applied revision changed, in the form that watchers see; and the rules that every write must keep. */
import type { StoreEvent, Write } from "./store.ts";

export interface AppliedTransaction {
  revision: number;
  events: readonly StoreEvent[];
}

export const emptyValue = new Uint8Array(0);

/** Writes of one transaction. More would not fit the row numbers of the revision table. */
export const transactionWritesMax = 4096;
export const keyLengthMax = 4096;
export const valueBytesMax = 16 * 1024 * 1024;

/** A write that breaks a limit or names a key twice: the caller's bug, nothing was written. */
export class InvalidWriteError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "InvalidWriteError";
  }
}

/** The store cannot keep what it was given (no space, input or output error). What it answered for is safe. */
export class StorageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StorageError";
  }
}

/** The store was closed, or its worker died. */
export class StoreClosedError extends Error {
  constructor(message = "the store is closed", options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreClosedError";
  }
}

/** More writes wait for the disk than the store takes. Nothing was written; later it may go. */
export class StoreFullError extends Error {
  constructor() {
    super("too many writes are waiting for the disk");
    this.name = "StoreFullError";
  }
}

/** Throws InvalidWriteError unless the writes may become one transaction. */
export function checkWrites(writes: readonly Write[]): void {
  if (writes.length > transactionWritesMax)
    throw new InvalidWriteError(`a transaction has at most ${transactionWritesMax} writes, not ${writes.length}`);
  for (const { key, value } of writes) {
    if (key === "") throw new InvalidWriteError("a key must not be empty");
    if (!key.isWellFormed()) throw new InvalidWriteError("a key must be well-formed Unicode");
    if (key.length > keyLengthMax) throw new InvalidWriteError(`a key has at most ${keyLengthMax} characters`);
    if (value !== undefined && value.byteLength > valueBytesMax)
      throw new InvalidWriteError(`the value of ${key} has ${value.byteLength} bytes, more than ${valueBytesMax}`);
  }
  if (writes.length > 1 && new Set(writes.map(({ key }) => key)).size !== writes.length)
    throw new InvalidWriteError("a transaction must not name a key twice");
}
