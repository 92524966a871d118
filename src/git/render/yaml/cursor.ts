/** A reading position in YAML text: knows line and column, and the classes of characters the YAML grammar speaks of. */
import { YamlError } from "./yaml-error.ts";

// oxlint-disable-next-line no-control-regex
const forbidden =
  /[^\t\n\r\x20-\x7e\x85\xa0-\uffff]|[\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

export const isBreak = (code: number): boolean =>
  code === 0x0a || code === 0x0d || code === 0x85 || code === 0x2028 || code === 0x2029;
export const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;
/** Codes are NaN beyond the end of the text. */
export const isEnd = (code: number): boolean => code !== code;
export const isBreakOrEnd = (code: number): boolean => isBreak(code) || isEnd(code);
export const isBlankOrEnd = (code: number): boolean => code === 0x20 || code === 0x09 || isBreak(code) || isEnd(code);
export const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
export const isWordCharacter = (code: number): boolean =>
  isDigit(code) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f || code === 0x2d;

export class Cursor {
  readonly text: string;
  index = 0;
  line = 0;
  column = 0;

  constructor(text: string) {
    if (forbidden.test(text)) throw new YamlError("control characters are not allowed");
    this.text = text;
    if (text.charCodeAt(0) === 0xfeff) this.index = 1;
  }

  at(offset = 0): number {
    return this.text.charCodeAt(this.index + offset);
  }

  skip(count = 1): void {
    this.index += count;
    this.column += count;
  }

  /** Moves over one line break, CRLF being one. */
  skipLine(): void {
    if (this.at() === 0x0d && this.at(1) === 0x0a) this.index += 2;
    else if (isBreak(this.at())) this.index += 1;
    else return;
    this.column = 0;
    this.line += 1;
  }

  /** Moves over one line break and tells what it stands for in a scalar. */
  readLine(): string {
    const code = this.at();
    if (!isBreak(code)) return "";
    this.skipLine();
    return code === 0x2028 || code === 0x2029 ? String.fromCharCode(code) : "\n";
  }

  /** Moves to the end of the line and gives what was there. */
  readToBreak(): string {
    const start = this.index;
    while (!isBreakOrEnd(this.text.charCodeAt(this.index))) this.index += 1;
    this.column += this.index - start;
    return this.text.slice(start, this.index);
  }

  skipBlanks(): void {
    while (isBlank(this.at())) this.skip();
  }

  /** Whether a line `---` or `...` begins here. */
  isDocumentMark(): boolean {
    if (this.column !== 0) return false;
    const code = this.at();
    if (code !== 0x2d && code !== 0x2e) return false;
    return this.at(1) === code && this.at(2) === code && isBlankOrEnd(this.at(3));
  }

  fail(problem: string, line = this.line): never {
    throw new YamlError(problem, line + 1);
  }
}
