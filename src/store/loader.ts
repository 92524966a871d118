/** Rows on their way from the disk to the main thread when a store is opened: encoded as they come, in large messages. */
import { rowRevision } from "./key-index.ts";
import type { Row } from "./state-machine.ts";
import { emptyValue } from "./transaction.ts";
import { encodedValueSizeMax, writeValue } from "./wire.ts";

/** One value keeps its whole message in memory. */
export const messageBytesMax = 256 * 1024;

export class Loader {
  readonly #send: (bytes: Buffer) => void;
  #bytes = Buffer.alloc(0);
  #at = 0;

  /** `send` takes the bytes over. */
  constructor(send: (bytes: Buffer) => void) {
    this.#send = send;
  }

  /** A row without a value is a delete. */
  add({ id, key, value, createRevision, version }: Row): void {
    const stored = { key, value: value ?? emptyValue, createRevision, modRevision: rowRevision(id), version };
    const sizeMax = encodedValueSizeMax(stored);
    if (this.#at + sizeMax > this.#bytes.length) {
      this.finish();
      this.#bytes = Buffer.allocUnsafeSlow(Math.max(messageBytesMax, sizeMax));
    }
    this.#at = writeValue(this.#bytes, this.#at, stored);
  }

  /** Sends what has not been sent. */
  finish(): void {
    if (this.#at > 0) this.#send(this.#bytes.subarray(0, this.#at));
    this.#bytes = Buffer.alloc(0);
    this.#at = 0;
  }
}
