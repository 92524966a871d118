/** Scalars of YAML in their four forms: plain, single and double quoted, block. Upstream: go-yaml's scannerc.go. */
import type { Characters } from "./yaml-characters.ts";
import { type Mark, scannerFault } from "./yaml-token.ts";

/** Line breaks and spaces between words: a single break folds to a space. */
class Folding {
  #spaces = "";
  #firstBreak = "";
  #moreBreaks = "";
  /** A line break was met since the last word. */
  isBroken = false;

  space(character: string): void {
    if (!this.isBroken) this.#spaces += character;
  }

  break(text: string): void {
    if (this.isBroken) this.#moreBreaks += text;
    else {
      this.#spaces = "";
      this.#firstBreak = text;
      this.isBroken = true;
    }
  }

  /** An escaped line break is no break at all. */
  swallowBreak(): void {
    this.#spaces = "";
    this.#firstBreak = "";
    this.isBroken = true;
  }

  take(): string {
    const { isBroken } = this;
    const text = !isBroken
      ? this.#spaces
      : this.#firstBreak === "\n" && this.#moreBreaks === ""
        ? " "
        : this.#firstBreak === "\n"
          ? this.#moreBreaks
          : this.#firstBreak + this.#moreBreaks;
    this.#spaces = "";
    this.#firstBreak = "";
    this.#moreBreaks = "";
    this.isBroken = false;
    return text;
  }
}

const flowEnds = new Set([",", "?", "[", "]", "{", "}"]);

/** `indent` is what the lines after the first must have. `isBroken`: the scalar ended behind a line break. */
export function scanPlain(input: Characters, indent: number, isFlow: boolean): { text: string; isBroken: boolean } {
  const start = input.mark();
  const folding = new Folding();
  let text = "";
  for (;;) {
    if (input.isDocumentIndicator() || input.at() === "#") break;
    const from = input.index;
    while (!input.isBlank() && !endsPlain(input, isFlow)) input.skip();
    if (input.index > from) text += folding.take() + input.text.slice(from, input.index);
    if (input.isEnd() || !(input.isSpace() || input.isBreak())) break;
    while (input.isSpace() || input.isBreak()) {
      if (input.isBreak()) folding.break(input.readBreak());
      else {
        if (folding.isBroken && input.column < indent && input.at() === "\t") {
          throw scannerFault("found a tab character that violates indentation", input.mark(), start);
        }
        folding.space(input.at());
        input.skip();
      }
    }
    if (!isFlow && input.column < indent) break;
  }
  return { text, isBroken: folding.isBroken };
}

function endsPlain(input: Characters, isFlow: boolean): boolean {
  const character = input.at();
  if (character === ":") return input.isBlank(1);
  return isFlow && flowEnds.has(character);
}

const escapes: Readonly<Record<string, string>> = {
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
  "/": "/",
  "\\": "\\",
  N: "\x85",
  _: "\xa0",
  L: "\u2028",
  P: "\u2029",
};
const hexLengths: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

export function scanQuoted(input: Characters): string {
  const start = input.mark();
  const quote = input.at();
  const folding = new Folding();
  let text = "";
  input.skip();
  for (;;) {
    if (input.isDocumentIndicator()) throw scannerFault("found unexpected document indicator", input.mark(), start);
    if (input.isEnd()) throw scannerFault("found unexpected end of stream", input.mark(), start);
    while (!input.isBlank()) {
      if (input.at() === quote && !(quote === "'" && input.at(1) === "'")) break;
      if (quote === '"' && input.at() === "\\" && input.isBreak(1)) {
        text += folding.take();
        input.skip();
        input.readBreak();
        folding.swallowBreak();
        break;
      }
      text += folding.take() + quotedCharacter(input, quote, start);
    }
    if (input.at() === quote) break;
    while (input.isSpace() || input.isBreak()) {
      if (input.isBreak()) folding.break(input.readBreak());
      else {
        folding.space(input.at());
        input.skip();
      }
    }
  }
  text += folding.take();
  input.skip();
  return text;
}

function quotedCharacter(input: Characters, quote: string, start: Mark): string {
  const character = input.at();
  if (quote === "'" && character === "'") {
    input.skip(2);
    return "'";
  }
  if (quote !== '"' || character !== "\\") {
    input.skip();
    return character;
  }
  const letter = input.at(1);
  const simple = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined;
  if (simple !== undefined) {
    input.skip(2);
    return simple;
  }
  const length = hexLengths[letter];
  if (length === undefined) throw scannerFault("found unknown escape character", start, start);
  input.skip(2);
  const digits = input.text.slice(input.index, input.index + length);
  if (!/^[0-9a-fA-F]+$/.test(digits) || digits.length < length) {
    throw scannerFault("did not find expected hexdecimal number", start, start);
  }
  const code = Number.parseInt(digits, 16);
  if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) {
    throw scannerFault("found invalid Unicode character escape code", start, start);
  }
  input.skip(length);
  return String.fromCodePoint(code);
}

/** `|` and `>`. `parentIndent` is the column of the block around, -1 for none. */
export function scanBlock(input: Characters, parentIndent: number): string {
  const start = input.mark();
  const isLiteral = input.at() === "|";
  input.skip();
  const { chomping, increment } = scanHeader(input, start);
  const block = new BlockLines(input, parentIndent, increment, start);
  let text = "";
  let lineBreak = "";
  let wasIndented = false;
  let breaks = block.breaks();
  while (input.column === block.indent && !input.isEnd()) {
    const isIndented = input.isSpace();
    if (!isLiteral && lineBreak !== "" && !wasIndented && !isIndented) text += breaks === "" ? " " : "";
    else text += lineBreak;
    text += breaks;
    wasIndented = isIndented;
    const from = input.index;
    while (!input.isEnd() && !input.isBreak()) input.skip();
    text += input.text.slice(from, input.index);
    lineBreak = input.isEnd() ? "" : input.readBreak();
    breaks = block.breaks();
  }
  if (chomping !== "-") text += lineBreak;
  return chomping === "+" ? text + breaks : text;
}

function scanHeader(input: Characters, start: Mark): { chomping: string; increment: number } {
  let chomping = "";
  let increment = 0;
  for (let i = 0; i < 2; i++) {
    const character = input.at();
    if (chomping === "" && (character === "+" || character === "-")) chomping = character;
    else if (increment === 0 && character >= "0" && character <= "9" && character !== "") {
      if (character === "0") throw scannerFault("found an indentation indicator equal to 0", input.mark(), start);
      increment = Number(character);
    } else break;
    input.skip();
  }
  while (input.isSpace()) input.skip();
  if (input.at() === "#") while (!input.isEnd() && !input.isBreak()) input.skip();
  if (!input.isEnd()) {
    if (!input.isBreak()) throw scannerFault("did not find expected comment or line break", input.mark(), start);
    input.readBreak();
  }
  return { chomping, increment };
}

class BlockLines {
  /** 0 until the first line with content said it. */
  indent: number;
  readonly #input: Characters;
  readonly #parentIndent: number;
  readonly #start: Mark;

  constructor(input: Characters, parentIndent: number, increment: number, start: Mark) {
    this.#input = input;
    this.#parentIndent = parentIndent;
    this.#start = start;
    this.indent = increment === 0 ? 0 : Math.max(parentIndent, 0) + increment;
  }

  /** Empty lines, and the indentation of the next that is not. */
  breaks(): string {
    const input = this.#input;
    let breaks = "";
    let deepest = 0;
    for (;;) {
      const isInMargin = () => this.indent === 0 || input.column < this.indent;
      while (isInMargin() && input.at() === " ") input.skip();
      deepest = Math.max(deepest, input.column);
      if (isInMargin() && input.at() === "\t") {
        const problem = "found a tab character where an indentation space is expected";
        throw scannerFault(problem, input.mark(), this.#start);
      }
      if (!input.isBreak()) break;
      breaks += input.readBreak();
    }
    if (this.indent === 0) this.indent = Math.max(deepest, this.#parentIndent + 1, 1);
    return breaks;
  }
}
