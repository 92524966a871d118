/** The newest transactions, in memory, for watches that start a little in the past. Revisions follow each other by one. */
import type { AppliedTransaction } from "./transaction.ts";

export const historyEventsMax = 20_000;
export const historyBytesMax = 64 * 1024 * 1024;

export class History {
  #transactions: AppliedTransaction[] = [];
  #dropped = 0;
  #events = 0;
  #bytes = 0;

  add(transaction: AppliedTransaction): void {
    this.#transactions.push(transaction);
    this.#count(transaction, 1);
    while (
      (this.#events > historyEventsMax || this.#bytes > historyBytesMax) &&
      this.#transactions.length - this.#dropped > 1
    )
      this.#count(this.#transactions[this.#dropped++], -1);
    if (this.#dropped > 1024 && this.#dropped * 2 > this.#transactions.length) {
      this.#transactions = this.#transactions.slice(this.#dropped);
      this.#dropped = 0;
    }
  }

  /** Every transaction after the revision, or undefined if some are no longer here. */
  after(revision: number): readonly AppliedTransaction[] | undefined {
    const first = this.#transactions[this.#dropped];
    if (first === undefined || revision + 1 < first.revision) return undefined;
    return this.#transactions.slice(this.#dropped + revision + 1 - first.revision);
  }

  #count(transaction: AppliedTransaction | undefined, sign: 1 | -1): void {
    for (const { value } of transaction?.events ?? []) {
      this.#events += sign;
      this.#bytes += sign * value.byteLength;
    }
  }
}
