/** One version of one object in the cache: its encoded bytes, and its decoded form while someone needs it. */
import type { KubernetesObject } from "#api/object.ts";
import { decode, restamped, withRevision } from "./encoding.ts";

/** How many decoded objects are kept, over all kinds; the oldest decoded goes first. */
export const decodedEntriesMax = 16_384;

const decoded: (Entry | undefined)[] = Array.from({ length: decodedEntriesMax });
let decodedNext = 0;

export class Entry {
  readonly key: string;
  readonly revision: number;
  /** Stored form with its resourceVersion: shared, never changed. */
  readonly bytes: Buffer;
  #object: KubernetesObject | undefined;

  private constructor(key: string, revision: number, bytes: Buffer) {
    this.key = key;
    this.revision = revision;
    this.bytes = bytes;
  }

  /** From what the store keeps, which has no resourceVersion. */
  static of(key: string, revision: number, stored: Uint8Array): Entry {
    return new Entry(key, revision, withRevision(stored, revision));
  }

  /** An object that was never written (a dry run): it has no version. */
  static unversioned(key: string, stored: Uint8Array): Entry {
    return new Entry(key, 0, Buffer.from(stored));
  }

  /** The same object as it looks under a later revision. */
  under(revision: number): Entry {
    return new Entry(this.key, revision, restamped(this.bytes, this.revision, revision));
  }

  /** The object: shared, never changed. */
  get object(): KubernetesObject {
    if (this.#object === undefined) {
      this.#object = decode(this.bytes);
      const oldest = decoded[decodedNext];
      if (oldest !== undefined) oldest.#object = undefined;
      decoded[decodedNext] = this;
      decodedNext = (decodedNext + 1) % decodedEntriesMax;
    }
    return this.#object;
  }
}
