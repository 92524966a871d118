/**
 * YAML text as tokens: indentation becomes block starts and ends, and a name turns out to be a key when its colon comes.
 * Linear in the text. Upstream: go-yaml's scannerc.go, whose texts these are.
 */
import { nestingDepthMax } from "./json-value.ts";
import { Characters } from "./yaml-characters.ts";
import type { ReaderFault } from "./yaml-reader.ts";
import { scanBlock, scanPlain, scanQuoted } from "./yaml-scalars.ts";
import { type Mark, type Token, type TokenType, YamlError, scannerFault } from "./yaml-token.ts";

/** A token that is a key if a colon follows on the same line. */
interface SimpleKey {
  /** The token's number, counted from the start. */
  number: number;
  mark: Mark;
  /** Nothing but a key can stand here. */
  isRequired: boolean;
}

/** How far behind its key a colon may come. */
const simpleKeyCharactersMax = 1024;

const singleTokens: Readonly<Record<string, TokenType>> = {
  "[": "flow-sequence-start",
  "{": "flow-mapping-start",
  "]": "flow-sequence-end",
  "}": "flow-mapping-end",
};
const noPlainStarts = new Set("-?:,[]{}#&*!|>'\"%@`");

export class YamlScanner {
  readonly #input: Characters;
  readonly #queue: Token[] = [];
  #head = 0;
  #taken = 0;
  #isDone = false;
  #indent = -1;
  readonly #indents: number[] = [];
  /** One for each flow level and one for the block context. */
  readonly #keys: (SimpleKey | undefined)[] = [undefined];
  #isKeyAllowed = true;

  constructor(text: string, fault?: ReaderFault) {
    this.#input = new Characters(text, fault);
  }

  peek(): Token {
    while (!this.#isReady()) this.#fetch();
    return this.#queue[this.#head]!;
  }

  next(): Token {
    const token = this.peek();
    this.#head++;
    this.#taken++;
    if (this.#head > 256) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    return token;
  }

  get #isFlow(): boolean {
    return this.#keys.length > 1;
  }

  /** The first token is certain: no key will be put before it. */
  #isReady(): boolean {
    if (this.#isDone) return true;
    if (this.#head === this.#queue.length) return false;
    this.#dropStaleKey();
    // Keys of outer flow levels come before those of inner ones: the outermost that is open decides.
    for (const key of this.#keys) if (key !== undefined) return key.number !== this.#taken;
    return true;
  }

  #push(type: TokenType, mark: Mark, text = "", isPlain = false): void {
    this.#queue.push({ type, mark, text, isPlain });
  }

  #insert(number: number, type: TokenType, mark: Mark): void {
    const at = this.#head + number - this.#taken;
    this.#queue.splice(at, 0, { type, mark, text: "", isPlain: false });
  }

  #fetch(): void {
    const input = this.#input;
    this.#skipToToken();
    input.check();
    this.#dropStaleKey();
    this.#unroll(input.column);
    if (input.isEnd()) return this.#streamEnd();
    const character = input.at();
    if (input.column === 0 && character === "%") return this.#directive();
    if (input.isDocumentIndicator())
      return this.#documentIndicator(character === "-" ? "document-start" : "document-end");
    if (character === "[" || character === "{") return this.#flowStart(singleTokens[character]!);
    if (character === "]" || character === "}") return this.#flowEnd(singleTokens[character]!);
    if (character === ",") return this.#flowEntry();
    if (character === "-" && input.isBlank(1)) return this.#blockEntry();
    if (character === "?" && (this.#isFlow || input.isBlank(1))) return this.#key();
    if (character === ":" && (this.#isFlow || input.isBlank(1))) return this.#value();
    if (character === "*" || character === "&") return this.#anchor(character === "*" ? "alias" : "anchor");
    if (character === "!") return this.#tag();
    if ((character === "|" || character === ">") && !this.#isFlow) return this.#blockScalar();
    if (character === "'" || character === '"') return this.#quotedScalar();
    if (this.#startsPlain(character)) return this.#plainScalar();
    throw scannerFault("found character that cannot start any token", input.mark());
  }

  #startsPlain(character: string): boolean {
    const input = this.#input;
    if (!input.isBlank() && !noPlainStarts.has(character)) return true;
    if (character === "-") return !input.isSpace(1);
    return !this.#isFlow && (character === "?" || character === ":") && !input.isBlank(1);
  }

  #skipToToken(): void {
    const input = this.#input;
    for (;;) {
      while (input.at() === " " || ((this.#isFlow || !this.#isKeyAllowed) && input.at() === "\t")) input.skip();
      if (input.at() === "#") while (!input.isEnd() && !input.isBreak()) input.skip();
      if (!input.isBreak()) return;
      input.readBreak();
      if (!this.#isFlow) this.#isKeyAllowed = true;
    }
  }

  #dropStaleKey(): void {
    const at = this.#keys.length - 1;
    const key = this.#keys[at];
    if (key === undefined) return;
    const { line, index } = this.#input;
    if (key.mark.line === line && key.mark.index + simpleKeyCharactersMax >= index) return;
    this.#dropKey();
  }

  #dropKey(): void {
    const at = this.#keys.length - 1;
    const key = this.#keys[at];
    if (key?.isRequired === true) throw scannerFault("could not find expected ':'", this.#input.mark(), key.mark);
    this.#keys[at] = undefined;
  }

  #saveKey(): void {
    if (!this.#isKeyAllowed) return;
    this.#dropKey();
    this.#keys[this.#keys.length - 1] = {
      number: this.#taken + this.#queue.length - this.#head,
      mark: this.#input.mark(),
      isRequired: !this.#isFlow && this.#indent === this.#input.column,
    };
  }

  #roll(column: number, type: TokenType, mark: Mark, number?: number): void {
    if (this.#isFlow || this.#indent >= column) return;
    this.#indents.push(this.#indent);
    this.#checkDepth();
    this.#indent = column;
    if (number === undefined) this.#push(type, mark);
    else this.#insert(number, type, mark);
  }

  #unroll(column: number): void {
    if (this.#isFlow) return;
    while (this.#indent > column) {
      this.#push("block-end", this.#input.mark());
      this.#indent = this.#indents.pop()!;
    }
  }

  #checkDepth(): void {
    if (this.#indents.length + this.#keys.length <= nestingDepthMax) return;
    throw new YamlError(`yaml: exceeded max depth of ${nestingDepthMax}`);
  }

  #streamEnd(): void {
    const input = this.#input;
    if (input.column !== 0) {
      input.column = 0;
      input.line++;
    }
    this.#unroll(-1);
    this.#dropKey();
    this.#isKeyAllowed = false;
    this.#push("stream-end", input.mark());
    this.#isDone = true;
  }

  #directive(): void {
    const input = this.#input;
    this.#unroll(-1);
    this.#dropKey();
    this.#isKeyAllowed = false;
    const mark = input.mark();
    const from = input.index;
    while (!input.isEnd() && !input.isBreak()) input.skip();
    this.#push("directive", mark, input.text.slice(from, input.index));
  }

  #documentIndicator(type: TokenType): void {
    this.#unroll(-1);
    this.#dropKey();
    this.#isKeyAllowed = false;
    this.#push(type, this.#input.mark());
    this.#input.skip(3);
  }

  #flowStart(type: TokenType): void {
    this.#saveKey();
    this.#keys.push(undefined);
    this.#checkDepth();
    this.#isKeyAllowed = true;
    this.#single(type);
  }

  #flowEnd(type: TokenType): void {
    this.#dropKey();
    if (this.#isFlow) this.#keys.pop();
    this.#isKeyAllowed = false;
    this.#single(type);
  }

  #flowEntry(): void {
    this.#dropKey();
    this.#isKeyAllowed = true;
    this.#single("flow-entry");
  }

  #single(type: TokenType): void {
    this.#push(type, this.#input.mark());
    this.#input.skip();
  }

  #blockEntry(): void {
    const mark = this.#input.mark();
    if (!this.#isFlow) {
      if (!this.#isKeyAllowed) throw scannerFault("block sequence entries are not allowed in this context", mark);
      this.#roll(mark.column, "block-sequence-start", mark);
    }
    this.#dropKey();
    this.#isKeyAllowed = true;
    this.#single("block-entry");
  }

  #key(): void {
    const mark = this.#input.mark();
    if (!this.#isFlow) {
      if (!this.#isKeyAllowed) throw scannerFault("mapping keys are not allowed in this context", mark);
      this.#roll(mark.column, "block-mapping-start", mark);
    }
    this.#dropKey();
    this.#isKeyAllowed = !this.#isFlow;
    this.#single("key");
  }

  #value(): void {
    const at = this.#keys.length - 1;
    const key = this.#keys[at];
    if (key === undefined) {
      const mark = this.#input.mark();
      if (!this.#isFlow) {
        if (!this.#isKeyAllowed) throw scannerFault("mapping values are not allowed in this context", mark);
        this.#roll(mark.column, "block-mapping-start", mark);
      }
      this.#isKeyAllowed = !this.#isFlow;
    } else {
      this.#insert(key.number, "key", key.mark);
      this.#roll(key.mark.column, "block-mapping-start", key.mark, key.number);
      this.#keys[at] = undefined;
      this.#isKeyAllowed = false;
    }
    this.#single("value");
  }

  #anchor(type: "alias" | "anchor"): void {
    const input = this.#input;
    this.#saveKey();
    this.#isKeyAllowed = false;
    const mark = input.mark();
    input.skip();
    const from = input.index;
    while (/^[\w-]$/.test(input.at())) input.skip();
    const text = input.text.slice(from, input.index);
    if (text === "" || !(input.isBlank() || "?:,]}%@`".includes(input.at()))) {
      throw scannerFault("did not find expected alphabetic or numeric character", input.mark(), mark);
    }
    this.#push(type, mark, text);
  }

  #tag(): void {
    const input = this.#input;
    this.#saveKey();
    this.#isKeyAllowed = false;
    const mark = input.mark();
    const from = input.index;
    while (!input.isBlank() && !(this.#isFlow && ",[]{}".includes(input.at()))) input.skip();
    this.#push("tag", mark, input.text.slice(from, input.index));
  }

  #blockScalar(): void {
    this.#dropKey();
    this.#isKeyAllowed = true;
    const mark = this.#input.mark();
    this.#push("scalar", mark, scanBlock(this.#input, this.#indent));
  }

  #quotedScalar(): void {
    this.#saveKey();
    this.#isKeyAllowed = false;
    const mark = this.#input.mark();
    this.#push("scalar", mark, scanQuoted(this.#input));
  }

  #plainScalar(): void {
    this.#saveKey();
    this.#isKeyAllowed = false;
    const mark = this.#input.mark();
    const { text, isBroken } = scanPlain(this.#input, this.#indent + 1, this.#isFlow);
    if (isBroken) this.#isKeyAllowed = true;
    this.#push("scalar", mark, text, true);
  }
}
