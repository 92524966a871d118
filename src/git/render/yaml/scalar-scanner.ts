/** Reads the four written forms of a YAML scalar: plain, quoted, literal and folded. Line folding follows libyaml. */
import { type Cursor, isBlank, isBlankOrEnd, isBreak, isBreakOrEnd, isDigit, isEnd } from "./cursor.ts";

/** Collects line breaks between two pieces of a flow scalar and gives what they fold to. */
class Fold {
  #whitespace = "";
  #leading = "";
  #trailing = "";
  isOnNewLine = false;

  read(cursor: Cursor, checkBlank?: () => void): void {
    for (let code = cursor.at(); isBlank(code) || isBreak(code); code = cursor.at()) {
      if (isBreak(code)) this.#readBreak(cursor);
      else {
        checkBlank?.();
        if (!this.isOnNewLine) this.#whitespace += cursor.text[cursor.index]!;
        cursor.skip();
      }
    }
  }

  #readBreak(cursor: Cursor): void {
    if (this.isOnNewLine) this.#trailing += cursor.readLine();
    else {
      this.#whitespace = "";
      this.#leading = cursor.readLine();
      this.isOnNewLine = true;
    }
  }

  take(): string {
    const text = this.isOnNewLine ? this.#folded() : this.#whitespace;
    this.#whitespace = this.#leading = this.#trailing = "";
    this.isOnNewLine = false;
    return text;
  }

  #folded(): string {
    if (!this.#leading.startsWith("\n")) return this.#leading + this.#trailing;
    return this.#trailing === "" ? " " : this.#trailing;
  }

  get isPending(): boolean {
    return this.isOnNewLine || this.#whitespace !== "";
  }
}

const isFlowIndicator = (code: number): boolean =>
  code === 0x2c || code === 0x3f || code === 0x5b || code === 0x5d || code === 0x7b || code === 0x7d;

/** A plain scalar; `endedOnNewLine` says that line breaks were read after it. */
export function scanPlain(cursor: Cursor, indent: number, isFlow: boolean): { value: string; endedOnNewLine: boolean } {
  const fold = new Fold();
  let value = "";
  for (;;) {
    if (cursor.isDocumentMark() || cursor.at() === 0x23) break;
    const piece = plainPiece(cursor, isFlow);
    if (piece !== "") value += (fold.isPending ? fold.take() : "") + piece;
    const code = cursor.at();
    if (!isBlank(code) && !isBreak(code)) break;
    fold.read(cursor, () => {
      if (fold.isOnNewLine && cursor.column < indent && cursor.at() === 0x09)
        cursor.fail("found a tab character that violates indentation");
    });
    if (!isFlow && cursor.column < indent) break;
  }
  return { value, endedOnNewLine: fold.isOnNewLine };
}

function plainPiece(cursor: Cursor, isFlow: boolean): string {
  const { text } = cursor;
  const start = cursor.index;
  let index = start;
  for (let code = text.charCodeAt(index); !isBlankOrEnd(code); code = text.charCodeAt(index)) {
    if (code === 0x3a && isBlankOrEnd(text.charCodeAt(index + 1))) break;
    if (isFlow && isFlowIndicator(code)) break;
    index += 1;
  }
  cursor.skip(index - start);
  return text.slice(start, index);
}

export function scanQuoted(cursor: Cursor, quote: number): string {
  cursor.skip();
  const fold = new Fold();
  let value = "";
  for (;;) {
    if (cursor.isDocumentMark()) cursor.fail("found unexpected document indicator");
    if (isEnd(cursor.at())) cursor.fail("found unexpected end of stream");
    const { piece, isContinued } = quotedPiece(cursor, quote);
    value += piece;
    if (cursor.at() === quote) break;
    if (isContinued) fold.isOnNewLine = true;
    fold.read(cursor);
    value += fold.take();
  }
  cursor.skip();
  return value;
}

function quotedPiece(cursor: Cursor, quote: number): { piece: string; isContinued: boolean } {
  const { text } = cursor;
  let piece = "";
  let start = cursor.index;
  const flush = (): void => {
    piece += text.slice(start, cursor.index);
  };
  for (let code = cursor.at(); !isBlankOrEnd(code); code = cursor.at()) {
    if (code === quote && quote === 0x27 && cursor.at(1) === 0x27) {
      flush();
      piece += "'";
      cursor.skip(2);
      start = cursor.index;
    } else if (code === quote) break;
    else if (code === 0x5c && quote === 0x22) {
      flush();
      if (isBreak(cursor.at(1))) {
        cursor.skip();
        cursor.skipLine();
        return { piece, isContinued: true };
      }
      piece += scanEscape(cursor);
      start = cursor.index;
    } else cursor.skip();
  }
  flush();
  return { piece, isContinued: false };
}

const simpleEscapes: Readonly<Record<string, string>> = {
  "0": "\0",
  a: "\x07",
  b: "\b",
  t: "\t",
  "\t": "\t",
  n: "\n",
  v: "\v",
  f: "\f",
  r: "\r",
  e: "\x1b",
  " ": " ",
  '"': '"',
  "'": "'",
  "\\": "\\",
  N: "\x85",
  _: "\xa0",
  L: "\u2028",
  P: "\u2029",
};
const escapeLengths: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

function scanEscape(cursor: Cursor): string {
  const letter = cursor.text[cursor.index + 1] ?? "";
  const simple = simpleEscapes[letter];
  const length = escapeLengths[letter];
  if (simple === undefined && length === undefined) cursor.fail("found unknown escape character");
  cursor.skip(2);
  if (simple !== undefined) return simple;
  const digits = cursor.text.slice(cursor.index, cursor.index + length!);
  if (digits.length !== length || !/^[0-9a-fA-F]+$/.test(digits))
    cursor.fail("did not find expected hexdecimal number");
  const code = Number.parseInt(digits, 16);
  if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) cursor.fail("found invalid Unicode character escape code");
  cursor.skip(length);
  return String.fromCodePoint(code);
}

interface BlockHeader {
  readonly chomping: "strip" | "clip" | "keep";
  readonly increment: number;
}

/** A literal (`|`) or folded (`>`) block below a parent indented by `parentIndent` (-1 at the top). */
export function scanBlock(cursor: Cursor, parentIndent: number, isLiteral: boolean): string {
  const startLine = cursor.line;
  cursor.skip();
  const { chomping, increment } = scanBlockHeader(cursor);
  const wanted = increment === 0 ? 0 : Math.max(parentIndent, 0) + increment;
  const first = scanBlockBreaks(cursor, wanted, parentIndent, startLine);
  const indent = first.indent;
  let breaks = first.breaks;
  let value = "";
  let leadingBreak = "";
  let wasBlank = false;
  while (cursor.column === indent && !isEnd(cursor.at())) {
    const startsBlank = isBlank(cursor.at());
    if (!isLiteral && leadingBreak === "\n" && !wasBlank && !startsBlank) value += breaks === "" ? " " : "";
    else value += leadingBreak;
    value += breaks;
    wasBlank = startsBlank;
    value += cursor.readToBreak();
    leadingBreak = cursor.readLine();
    breaks = scanBlockBreaks(cursor, indent, parentIndent, startLine).breaks;
  }
  if (chomping !== "strip") value += leadingBreak;
  return chomping === "keep" ? value + breaks : value;
}

function scanBlockHeader(cursor: Cursor): BlockHeader {
  let chomping: BlockHeader["chomping"] = "clip";
  let increment = 0;
  const readChomping = (): boolean => {
    const code = cursor.at();
    if (code !== 0x2b && code !== 0x2d) return false;
    chomping = code === 0x2b ? "keep" : "strip";
    cursor.skip();
    return true;
  };
  const readIncrement = (): void => {
    if (!isDigit(cursor.at())) return;
    increment = cursor.at() - 0x30;
    if (increment === 0) cursor.fail("found an indentation indicator equal to 0");
    cursor.skip();
  };
  if (readChomping()) readIncrement();
  else {
    readIncrement();
    if (increment > 0) readChomping();
  }
  cursor.skipBlanks();
  if (cursor.at() === 0x23) cursor.readToBreak();
  if (!isBreakOrEnd(cursor.at())) cursor.fail("did not find expected comment or line break");
  cursor.skipLine();
  return { chomping, increment };
}

function scanBlockBreaks(
  cursor: Cursor,
  known: number,
  parentIndent: number,
  startLine: number,
): { indent: number; breaks: string } {
  let deepest = 0;
  let breaks = "";
  for (;;) {
    while ((known === 0 || cursor.column < known) && cursor.at() === 0x20) cursor.skip();
    deepest = Math.max(deepest, cursor.column);
    if ((known === 0 || cursor.column < known) && cursor.at() === 0x09)
      cursor.fail("found a tab character where an indentation space is expected", startLine);
    if (!isBreak(cursor.at())) break;
    breaks += cursor.readLine();
  }
  return { indent: known === 0 ? Math.max(deepest, parentIndent + 1, 1) : known, breaks };
}
