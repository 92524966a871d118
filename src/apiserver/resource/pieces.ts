/**
 * Many short runs of bytes copied into a few large pieces: one write to a connection costs more than a copy, and one
 * piece for all of a long list would be hard to find room for. Pieces are taken while more are made.
 */
export const pieceBytesMax = 256 * 1024;

/** Something whose bytes from `from` on can be copied to a place; gives the end. */
export interface Copied {
  readonly byteLength: number;
  copyTo(target: Buffer, at: number, from: number): number;
}

export class Pieces {
  #done: Buffer[] = [];
  #piece: Buffer;
  #at = 0;
  readonly #spare: Buffer[];

  /** `expectedBytes`: about how much there will be. `spare`: whole pieces that are used before new ones are made. */
  constructor(expectedBytes: number, spare: Buffer[] = []) {
    this.#spare = spare;
    this.#piece = Buffer.allocUnsafe(Math.min(expectedBytes, pieceBytesMax));
  }

  /** Text of one byte a character. */
  text(ascii: string): void {
    this.#makeRoom(ascii.length);
    this.#at += this.#piece.write(ascii, this.#at, "latin1");
  }

  bytes(source: Buffer): void {
    this.#makeRoom(source.byteLength);
    this.#at += source.copy(this.#piece, this.#at);
  }

  copy(source: Copied, from: number): void {
    this.#makeRoom(source.byteLength - from);
    this.#at = source.copyTo(this.#piece, this.#at, from);
  }

  /** The pieces that are full. */
  take(): readonly Buffer[] {
    if (this.#done.length === 0) return none;
    const done = this.#done;
    this.#done = [];
    return done;
  }

  /** The rest. */
  finish(): readonly Buffer[] {
    this.#close();
    return this.take();
  }

  #makeRoom(bytes: number): void {
    if (this.#at + bytes <= this.#piece.byteLength) return;
    this.#close();
    const spare = bytes <= pieceBytesMax ? this.#spare.pop() : undefined;
    this.#piece = spare ?? Buffer.allocUnsafe(Math.max(bytes, pieceBytesMax));
  }

  #close(): void {
    if (this.#at > 0) this.#done.push(this.#piece.subarray(0, this.#at));
    this.#at = 0;
  }
}

/** What `Pieces` may use again: the whole memory of a piece of the usual size. */
export function spareOf(piece: Uint8Array): Buffer | undefined {
  const { buffer } = piece;
  return buffer.byteLength === pieceBytesMax ? Buffer.from(buffer, 0, pieceBytesMax) : undefined;
}

const none: readonly Buffer[] = [];
