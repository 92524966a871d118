/** A YAML text read character by character, with line and column. */
import type { ReaderFault } from "./yaml-reader.ts";
import { type Mark, YamlError } from "./yaml-token.ts";

const breaks = new Set(["\n", "\r", "\x85", "\u2028", "\u2029"]);

export class Characters {
  readonly text: string;
  readonly #fault: ReaderFault | undefined;
  index = 0;
  line = 0;
  column = 0;

  constructor(text: string, fault?: ReaderFault) {
    this.text = text.startsWith("\uFEFF") ? text.slice(1) : text;
    this.#fault = fault;
  }

  /** Throws once the block of the text's fault is reached. */
  check(): void {
    if (this.#fault !== undefined && this.index >= this.#fault.from)
      throw new YamlError(`yaml: ${this.#fault.problem}`);
  }

  mark(): Mark {
    return { index: this.index, line: this.line, column: this.column };
  }

  /** "" behind the end. */
  at(offset = 0): string {
    return this.text[this.index + offset] ?? "";
  }

  isEnd(offset = 0): boolean {
    return this.index + offset >= this.text.length;
  }

  isSpace(offset = 0): boolean {
    const character = this.at(offset);
    return character === " " || character === "\t";
  }

  isBreak(offset = 0): boolean {
    return breaks.has(this.at(offset));
  }

  /** Space, break or end. */
  isBlank(offset = 0): boolean {
    return this.isEnd(offset) || this.isSpace(offset) || this.isBreak(offset);
  }

  skip(count = 1): void {
    this.index += count;
    this.column += count;
  }

  /** One line break, as text keeps it: "\n", but Unicode's separators of lines and paragraphs stay what they are. */
  readBreak(): string {
    const first = this.at();
    this.index += first === "\r" && this.at(1) === "\n" ? 2 : 1;
    this.line++;
    this.column = 0;
    return first === "\u2028" || first === "\u2029" ? first : "\n";
  }

  /** "---" or "..." at the start of a line, with a blank behind. */
  isDocumentIndicator(): boolean {
    if (this.column !== 0) return false;
    const three = this.text.slice(this.index, this.index + 3);
    return (three === "---" || three === "...") && this.isBlank(3);
  }
}
