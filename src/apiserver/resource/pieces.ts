/**
 * Many short runs of bytes copied into a few large pieces: one write to a connection costs more than a copy, and one
 * piece for all of a long list would be hard to find room for.
 */
export const pieceBytesMax = 256 * 1024;

export class Pieces {
  readonly #done: Buffer[] = [];
  #piece: Buffer;
  #at = 0;

  /** `expectedBytes`: about how much there will be. */
  constructor(expectedBytes: number) {
    this.#piece = Buffer.allocUnsafe(Math.min(expectedBytes, pieceBytesMax));
  }

  /** Text of one byte a character. */
  text(ascii: string): void {
    this.#makeRoom(ascii.length);
    this.#at += this.#piece.write(ascii, this.#at, "latin1");
  }

  bytes(source: Buffer, from = 0): void {
    this.#makeRoom(source.byteLength - from);
    this.#at += source.copy(this.#piece, this.#at, from);
  }

  finish(): Buffer[] {
    this.#close();
    return this.#done;
  }

  #makeRoom(bytes: number): void {
    if (this.#at + bytes <= this.#piece.byteLength) return;
    this.#close();
    this.#piece = Buffer.allocUnsafe(Math.max(bytes, pieceBytesMax));
  }

  #close(): void {
    if (this.#at > 0) this.#done.push(this.#piece.subarray(0, this.#at));
    this.#at = 0;
  }
}
