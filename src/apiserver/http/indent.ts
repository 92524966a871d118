/**
 * Indents JSON text by two spaces a level, piece by piece and without decoding it: numbers stay as they are written, and a
 * long list need not be in memory.
 */
const [quote, backslash, comma, colon, space, newline] = [0x22, 0x5c, 0x2c, 0x3a, 0x20, 0x0a];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

const isOpening = (byte: number): boolean => byte === openBrace || byte === openBracket;
const isClosing = (byte: number): boolean => byte === closeBrace || byte === closeBracket;

/** As `JSON.stringify(value, undefined, 2)` does, with a newline at the end. */
export function* indented(pieces: Iterable<Uint8Array>): Generator<Buffer> {
  const state = new Indenter();
  for (const piece of pieces) {
    state.take(piece);
    yield state.give();
  }
  state.end();
  yield state.give();
}

class Indenter {
  #out = Buffer.allocUnsafe(1024);
  #length = 0;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** A brace or bracket was opened, and what is in it has not begun. */
  #isOpened = false;

  take(piece: Uint8Array): void {
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at]!;
      if (this.#isInString) this.#takeInString(byte);
      else if (byte > space) this.#takeOutside(byte);
    }
  }

  /** What there is so far. */
  give(): Buffer {
    const done = this.#out.subarray(0, this.#length);
    this.#out = Buffer.allocUnsafe(Math.max(1024, this.#length));
    this.#length = 0;
    return done;
  }

  end(): void {
    this.#put(newline);
  }

  #takeInString(byte: number): void {
    this.#put(byte);
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === backslash) this.#isEscaped = true;
    else if (byte === quote) this.#isInString = false;
  }

  #takeOutside(byte: number): void {
    if (isClosing(byte)) {
      this.#depth -= 1;
      if (!this.#isOpened) this.#breakLine();
      this.#isOpened = false;
      this.#put(byte);
      return;
    }
    if (this.#isOpened) this.#breakLine();
    this.#isOpened = isOpening(byte);
    this.#put(byte);
    if (this.#isOpened) this.#depth += 1;
    else if (byte === quote) this.#isInString = true;
    else if (byte === colon) this.#put(space);
    else if (byte === comma) this.#breakLine();
  }

  #breakLine(): void {
    this.#put(newline);
    for (let at = 0; at < 2 * this.#depth; at += 1) this.#put(space);
  }

  #put(byte: number): void {
    if (this.#length === this.#out.length) this.#out = Buffer.concat([this.#out, Buffer.allocUnsafe(this.#length)]);
    this.#out[this.#length++] = byte;
  }
}
