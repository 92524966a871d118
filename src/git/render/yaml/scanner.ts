/**
 * Turns YAML text into tokens, accepting and refusing what libyaml's scanner does: an indentation stack makes block collections,
 * and a "simple key" remembered per flow level lets a `:` turn what came before it into a key.
 */
import type { Dialect } from "./resolve.ts";
import { Cursor, isBlank, isBlankOrEnd, isBreak, isEnd, isWordCharacter } from "./cursor.ts";
import { scanDirective, scanTag } from "./tag-scanner.ts";
import { scanBlock, scanPlain, scanQuoted } from "./scalar-scanner.ts";
import { Style } from "./yaml-node.ts";

export type TokenKind =
  | "stream-end"
  | "directive"
  | "document-start"
  | "document-end"
  | "block-sequence-start"
  | "block-mapping-start"
  | "block-end"
  | "flow-sequence-start"
  | "flow-sequence-end"
  | "flow-mapping-start"
  | "flow-mapping-end"
  | "block-entry"
  | "flow-entry"
  | "key"
  | "value"
  | "alias"
  | "anchor"
  | "tag"
  | "scalar";

export interface Token {
  readonly kind: TokenKind;
  readonly line: number;
  /** Scalar text, anchor or alias name, tag handle, directive name. */
  readonly value: string;
  /** Tag suffix, directive arguments. */
  readonly suffix: string;
  readonly style: number;
}

export interface Comment {
  readonly line: number;
  readonly text: string;
  /** Nothing but space stands before it on its line. */
  readonly isAlone: boolean;
}

interface SimpleKey {
  isPossible: boolean;
  isRequired: boolean;
  tokenNumber: number;
  index: number;
  line: number;
  column: number;
}

const simpleKeyLengthMax = 1024;
/** Deeper nesting of flow or block collections is refused. */
export const nestingMax = 1000;

const noKey = (): SimpleKey => ({
  isPossible: false,
  isRequired: false,
  tokenNumber: 0,
  index: 0,
  line: 0,
  column: 0,
});

export class Scanner {
  /** Every comment between tokens, in order. */
  readonly comments: Comment[] = [];
  readonly #cursor: Cursor;
  readonly #lookahead: number;
  readonly #tokens: Token[] = [];
  #head = 0;
  #taken = 0;
  #indent = -1;
  readonly #indents: number[] = [];
  readonly #keys: SimpleKey[] = [noKey()];
  #flowLevel = 0;
  #isKeyAllowed = true;
  #isDone = false;

  constructor(text: string, dialect: Dialect) {
    this.#cursor = new Cursor(text);
    this.#lookahead = dialect === "v3" ? 3 : 1;
  }

  peek(): Token {
    while (!this.#isDone && this.#needsMore()) this.#fetch();
    return this.#tokens[this.#head] ?? this.#token("stream-end");
  }

  take(): Token {
    const token = this.peek();
    this.#head += 1;
    this.#taken += 1;
    if (this.#head > 256) this.#tokens.splice(0, this.#head).length = this.#head = 0;
    return token;
  }

  /** More text is needed while the first token may still turn out to begin a key. */
  #needsMore(): boolean {
    if (this.#tokens.length - this.#head < this.#lookahead) return true;
    return this.#keys.some((key) => key.isPossible && key.tokenNumber === this.#taken && this.#isKeyValid(key));
  }

  #token(kind: TokenKind, value = "", suffix = "", style: number = Style.plain, line = this.#cursor.line): Token {
    return { kind, line, value, suffix, style };
  }

  #push(kind: TokenKind, value = "", suffix = "", style: number = Style.plain, line = this.#cursor.line): void {
    this.#tokens.push(this.#token(kind, value, suffix, style, line));
  }

  #insert(tokenNumber: number, kind: TokenKind, line: number): void {
    this.#tokens.splice(this.#head + tokenNumber - this.#taken, 0, this.#token(kind, "", "", Style.plain, line));
  }

  #fetch(): void {
    const cursor = this.#cursor;
    this.#skipToToken();
    this.#unrollIndent(cursor.column);
    const code = cursor.at();
    if (isEnd(code)) return this.#fetchStreamEnd();
    if (cursor.column === 0 && code === 0x25) return this.#fetchDirective();
    if (cursor.isDocumentMark()) return this.#fetchDocumentMark(code === 0x2d ? "document-start" : "document-end");
    if (!this.#fetchIndicator(code)) this.#fetchPlain(code);
  }

  #skipToToken(): void {
    const cursor = this.#cursor;
    for (;;) {
      if (cursor.column === 0 && cursor.at() === 0xfeff) cursor.skip();
      const areTabsSkipped = this.#flowLevel > 0 || !this.#isKeyAllowed;
      for (let code = cursor.at(); code === 0x20 || (areTabsSkipped && code === 0x09); code = cursor.at())
        cursor.skip();
      if (cursor.at() === 0x23) this.#readComment();
      if (!isBreak(cursor.at())) return;
      cursor.skipLine();
      if (this.#flowLevel === 0) this.#isKeyAllowed = true;
    }
  }

  #readComment(): void {
    const { text, index, line, column } = this.#cursor;
    const isAlone = text.slice(index - column, index).trim() === "";
    this.comments.push({ line, text: this.#cursor.readToBreak(), isAlone });
  }

  /** Fetches the token that an indicator character begins; false when it begins none. */
  #fetchIndicator(code: number): boolean {
    const isInFlow = this.#flowLevel > 0;
    const standsAlone = isBlankOrEnd(this.#cursor.at(1));
    switch (code) {
      case 0x5b:
        return this.#fetchFlowStart("flow-sequence-start");
      case 0x7b:
        return this.#fetchFlowStart("flow-mapping-start");
      case 0x5d:
        return this.#fetchFlowEnd("flow-sequence-end");
      case 0x7d:
        return this.#fetchFlowEnd("flow-mapping-end");
      case 0x2c:
        return this.#fetchFlowEntry();
      case 0x2d:
        return standsAlone && this.#fetchBlockEntry();
      case 0x3f:
        return (isInFlow || standsAlone) && this.#fetchKey();
      case 0x3a:
        return (isInFlow || standsAlone) && this.#fetchValue();
      case 0x2a:
        return this.#fetchAnchor("alias");
      case 0x26:
        return this.#fetchAnchor("anchor");
      case 0x21:
        return this.#fetchTag();
      case 0x7c:
        return !isInFlow && this.#fetchBlockScalar(true);
      case 0x3e:
        return !isInFlow && this.#fetchBlockScalar(false);
      case 0x27:
      case 0x22:
        return this.#fetchQuoted(code);
      default:
        return false;
    }
  }

  #isKeyValid(key: SimpleKey): boolean {
    if (!key.isPossible) return false;
    const cursor = this.#cursor;
    if (key.line >= cursor.line && key.index + simpleKeyLengthMax >= cursor.index) return true;
    if (key.isRequired) cursor.fail("could not find expected ':'", key.line);
    key.isPossible = false;
    return false;
  }

  #saveKey(): void {
    if (!this.#isKeyAllowed) return;
    const { index, line, column } = this.#cursor;
    const isRequired = this.#flowLevel === 0 && this.#indent === column;
    this.#removeKey();
    const tokenNumber = this.#taken + this.#tokens.length - this.#head;
    this.#keys[this.#keys.length - 1] = { isPossible: true, isRequired, tokenNumber, index, line, column };
  }

  #removeKey(): void {
    const key = this.#keys[this.#keys.length - 1]!;
    if (key.isPossible && key.isRequired) this.#cursor.fail("could not find expected ':'", key.line);
    key.isPossible = false;
  }

  #rollIndent(column: number, kind: TokenKind, line: number, tokenNumber?: number): void {
    if (this.#flowLevel > 0 || this.#indent >= column) return;
    this.#indents.push(this.#indent);
    if (this.#indents.length > nestingMax) this.#cursor.fail(`exceeded max depth of ${nestingMax}`);
    this.#indent = column;
    if (tokenNumber === undefined) this.#push(kind, "", "", Style.plain, line);
    else this.#insert(tokenNumber, kind, line);
  }

  #unrollIndent(column: number): void {
    if (this.#flowLevel > 0) return;
    while (this.#indent > column) {
      this.#push("block-end");
      this.#indent = this.#indents.pop()!;
    }
  }

  #fetchStreamEnd(): void {
    this.#unrollIndent(-1);
    this.#removeKey();
    this.#isKeyAllowed = false;
    this.#push("stream-end");
    this.#isDone = true;
  }

  #fetchDirective(): void {
    this.#unrollIndent(-1);
    this.#removeKey();
    this.#isKeyAllowed = false;
    const line = this.#cursor.line;
    const { name, rest } = scanDirective(this.#cursor);
    this.#push("directive", name, rest, Style.plain, line);
  }

  #fetchDocumentMark(kind: TokenKind): void {
    this.#unrollIndent(-1);
    this.#removeKey();
    this.#isKeyAllowed = false;
    this.#push(kind);
    this.#cursor.skip(3);
  }

  #fetchFlowStart(kind: TokenKind): true {
    this.#saveKey();
    this.#keys.push(noKey());
    this.#flowLevel += 1;
    if (this.#flowLevel > nestingMax) this.#cursor.fail(`exceeded max depth of ${nestingMax}`);
    this.#isKeyAllowed = true;
    this.#push(kind);
    this.#cursor.skip();
    return true;
  }

  #fetchFlowEnd(kind: TokenKind): true {
    this.#removeKey();
    if (this.#flowLevel > 0) {
      this.#flowLevel -= 1;
      this.#keys.pop();
    }
    this.#isKeyAllowed = false;
    this.#push(kind);
    this.#cursor.skip();
    return true;
  }

  #fetchFlowEntry(): true {
    this.#removeKey();
    this.#isKeyAllowed = true;
    this.#push("flow-entry");
    this.#cursor.skip();
    return true;
  }

  #fetchBlockEntry(): true {
    const { column, line } = this.#cursor;
    if (this.#flowLevel === 0) {
      if (!this.#isKeyAllowed) this.#cursor.fail("block sequence entries are not allowed in this context");
      this.#rollIndent(column, "block-sequence-start", line);
    }
    this.#removeKey();
    this.#isKeyAllowed = true;
    this.#push("block-entry");
    this.#cursor.skip();
    return true;
  }

  #fetchKey(): true {
    const { column, line } = this.#cursor;
    if (this.#flowLevel === 0) {
      if (!this.#isKeyAllowed) this.#cursor.fail("mapping keys are not allowed in this context");
      this.#rollIndent(column, "block-mapping-start", line);
    }
    this.#removeKey();
    this.#isKeyAllowed = this.#flowLevel === 0;
    this.#push("key");
    this.#cursor.skip();
    return true;
  }

  #fetchValue(): true {
    const key = this.#keys[this.#keys.length - 1]!;
    if (this.#isKeyValid(key)) {
      this.#insert(key.tokenNumber, "key", key.line);
      this.#rollIndent(key.column, "block-mapping-start", key.line, key.tokenNumber);
      key.isPossible = false;
      this.#isKeyAllowed = false;
    } else {
      if (this.#flowLevel === 0) {
        if (!this.#isKeyAllowed) this.#cursor.fail("mapping values are not allowed in this context");
        this.#rollIndent(this.#cursor.column, "block-mapping-start", this.#cursor.line);
      }
      this.#isKeyAllowed = this.#flowLevel === 0;
    }
    this.#push("value");
    this.#cursor.skip();
    return true;
  }

  #fetchAnchor(kind: "alias" | "anchor"): true {
    this.#saveKey();
    this.#isKeyAllowed = false;
    const cursor = this.#cursor;
    const line = cursor.line;
    cursor.skip();
    const start = cursor.index;
    while (isWordCharacter(cursor.at())) cursor.skip();
    const name = cursor.text.slice(start, cursor.index);
    const isEnded = isBlankOrEnd(cursor.at()) || "?:,]}%@`".includes(cursor.text[cursor.index]!);
    if (name === "" || !isEnded) cursor.fail("did not find expected alphabetic or numeric character");
    this.#push(kind, name, "", Style.plain, line);
    return true;
  }

  #fetchTag(): true {
    this.#saveKey();
    this.#isKeyAllowed = false;
    const line = this.#cursor.line;
    const { handle, suffix } = scanTag(this.#cursor);
    this.#push("tag", handle, suffix, Style.plain, line);
    return true;
  }

  #fetchBlockScalar(isLiteral: boolean): true {
    this.#removeKey();
    this.#isKeyAllowed = true;
    const line = this.#cursor.line;
    const value = scanBlock(this.#cursor, this.#indent, isLiteral);
    this.#push("scalar", value, "", isLiteral ? Style.literal : Style.folded, line);
    return true;
  }

  #fetchQuoted(quote: number): true {
    this.#saveKey();
    this.#isKeyAllowed = false;
    const line = this.#cursor.line;
    const value = scanQuoted(this.#cursor, quote);
    this.#push("scalar", value, "", quote === 0x27 ? Style.single : Style.double, line);
    return true;
  }

  #fetchPlain(code: number): void {
    const cursor = this.#cursor;
    const next = cursor.at(1);
    const canStart =
      code === 0x2d
        ? !isBlank(next)
        : code === 0x3f || code === 0x3a
          ? this.#flowLevel === 0 && !isBlankOrEnd(next)
          : !isBlankOrEnd(code) && !",[]{}#&*!|>'\"%@`".includes(String.fromCharCode(code));
    if (!canStart) cursor.fail("found character that cannot start any token");
    this.#saveKey();
    this.#isKeyAllowed = false;
    const line = cursor.line;
    const { value, endedOnNewLine } = scanPlain(cursor, this.#indent + 1, this.#flowLevel > 0);
    this.#push("scalar", value, "", Style.plain, line);
    if (endedOnNewLine) this.#isKeyAllowed = true;
  }
}
