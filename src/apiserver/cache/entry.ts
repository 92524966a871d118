/** One version of one object in the cache: its encoded bytes, and its decoded form while someone needs it. */
import type { KubernetesObject } from "#api/object.ts";
import { decode, metadataEnd, metadataStart, revisionText, revisionTextLength } from "./encoding.ts";

/** How many decoded objects are kept, over all kinds; the oldest decoded goes first. */
export const decodedEntriesMax = 16_384;

const decoded: (Entry | undefined)[] = Array.from({ length: decodedEntriesMax });
let decodedNext = 0;

/** The revision of what was never written. */
const unwritten = 0;

export class Entry {
  readonly key: string;
  readonly revision: number;
  /** As the store keeps it, without a version: shared with the store, never changed. */
  readonly #stored: Buffer;
  /** Where the version goes in; looked for once. */
  #metadataStart = -1;
  #object: KubernetesObject | undefined;

  private constructor(key: string, revision: number, stored: Uint8Array) {
    this.key = key;
    this.revision = revision;
    this.#stored = Buffer.isBuffer(stored) ? stored : Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  }

  /** From what the store keeps, which has no resourceVersion. */
  static of(key: string, revision: number, stored: Uint8Array): Entry {
    return new Entry(key, revision, stored);
  }

  /** An object that was never written (a dry run): it has no version. */
  static unversioned(key: string, stored: Uint8Array): Entry {
    return new Entry(key, unwritten, stored);
  }

  /** The same object as it looks under a later revision. */
  under(revision: number): Entry {
    return new Entry(this.key, revision, this.#stored);
  }

  /** Length of what clients get. */
  get byteLength(): number {
    const stored = this.#stored;
    if (this.revision === unwritten) return stored.byteLength;
    return stored.byteLength + revisionTextLength(stored, this.#start(), this.revision);
  }

  /** What clients get: the stored form with its resourceVersion. */
  get bytes(): Buffer {
    if (this.revision === unwritten) return this.#stored;
    const whole = Buffer.allocUnsafe(this.byteLength);
    this.copyTo(whole, 0, 0);
    return whole;
  }

  /**
   * The strings that members of this name have anywhere in the object, found without decoding it. Only for values that
   * JSON writes as they are.
   */
  stringsNamed(name: string): readonly string[] {
    const stored = this.#stored;
    const mark = `"${name}":"`;
    const found: string[] = [];
    for (let at = stored.indexOf(mark); at >= 0; at = stored.indexOf(mark, at + 1)) {
      const start = at + Buffer.byteLength(mark);
      found.push(stored.toString("utf8", start, stored.indexOf('"', start)));
    }
    return found;
  }

  /** Whether its stored form has all these texts somewhere: much quicker to say than what the object is. */
  holds(texts: readonly Buffer[]): boolean {
    return texts.every((text) => this.#stored.includes(text));
  }

  /** Someone has asked for the object lately. */
  get isDecoded(): boolean {
    return this.#object !== undefined;
  }

  /** Copies `bytes` from `from` (which lies before the metadata) on to a place in `target`; returns the end. */
  copyTo(target: Buffer, at: number, from: number): number {
    const stored = this.#stored;
    if (this.revision === unwritten) return at + stored.copy(target, at, from);
    const start = this.#start();
    let end = at + stored.copy(target, at, from, start);
    end += target.write(revisionText(stored, start, this.revision), end, "latin1");
    return end + stored.copy(target, end, start);
  }

  /** Its metadata as clients get it, without decoding it. */
  metadataBytes(): Buffer {
    const stored = this.#stored;
    const start = this.#start();
    const end = metadataEnd(stored, start);
    if (this.revision === unwritten) return stored.subarray(start - 1, end);
    const whole = Buffer.allocUnsafe(1 + revisionTextLength(stored, start, this.revision) + end - start);
    const at = whole.write(`{${revisionText(stored, start, this.revision)}`, 0, "latin1");
    stored.copy(whole, at, start, end);
    return whole;
  }

  #start(): number {
    if (this.#metadataStart < 0) this.#metadataStart = metadataStart(this.#stored);
    return this.#metadataStart;
  }

  /** The object: shared, never changed. */
  get object(): KubernetesObject {
    if (this.#object === undefined) {
      const object = decode(this.#stored);
      if (this.revision !== unwritten) object.metadata = { resourceVersion: String(this.revision), ...object.metadata };
      this.#object = object;
      const oldest = decoded[decodedNext];
      if (oldest !== undefined) oldest.#object = undefined;
      decoded[decodedNext] = this;
      decodedNext = (decodedNext + 1) % decodedEntriesMax;
    }
    return this.#object;
  }
}
