/** A JSON parser that keeps what JSON.parse loses: repeated keys, the text of numbers, and Go's words for a syntax error. */
import {
  type DuplicateKey,
  type JsonDocument,
  JsonNumber,
  JsonSyntaxError,
  nestingDepthMax,
  setMember,
} from "./json-value.ts";

export function parseExactly(text: string): JsonDocument {
  return new ExactParser(text).document();
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

class ExactParser {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #duplicates: Map<object, DuplicateKey[]> | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonDocument {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) this.#fail("after top-level value");
    return { value, duplicates: this.#duplicates };
  }

  /** Go names the character that it could not take, and where it stood. */
  #fail(where: string): never {
    if (this.#at >= this.#text.length) throw new JsonSyntaxError("unexpected end of JSON input");
    throw new JsonSyntaxError(`invalid character ${quotedCharacter(this.#text, this.#at)} ${where}`);
  }

  #space(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) return;
    }
  }

  #value(): unknown {
    this.#space();
    switch (this.#text[this.#at]) {
      case "{":
        return this.#nested(() => this.#object());
      case "[":
        return this.#nested(() => this.#array());
      case '"':
        return this.#string();
      case "t":
        return this.#literal("true", true);
      case "f":
        return this.#literal("false", false);
      case "n":
        return this.#literal("null", null);
      default:
        return this.#number();
    }
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > nestingDepthMax) this.#fail("exceeded max depth");
    const value = read();
    this.#depth--;
    return value;
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === "}") {
      this.#at++;
      return object;
    }
    for (let members = 0; ; members++) {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#fail("looking for beginning of object key string");
      const key = this.#string();
      this.#space();
      if (this.#text[this.#at] !== ":") this.#fail("after object key");
      this.#at++;
      if (Object.hasOwn(object, key)) this.#repeated(object, { key, at: members--, earlier: object[key] });
      setMember(object, key, this.#value());
      this.#space();
      const after = this.#text[this.#at];
      if (after !== "," && after !== "}") this.#fail("after object key:value pair");
      this.#at++;
      if (after === "}") return object;
    }
  }

  #repeated(object: object, duplicate: DuplicateKey): void {
    this.#duplicates ??= new Map();
    const known = this.#duplicates.get(object);
    if (known === undefined) this.#duplicates.set(object, [duplicate]);
    else known.push(duplicate);
  }

  #array(): unknown[] {
    const array: unknown[] = [];
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === "]") {
      this.#at++;
      return array;
    }
    for (;;) {
      array.push(this.#value());
      this.#space();
      const after = this.#text[this.#at];
      if (after !== "," && after !== "]") this.#fail("after array element");
      this.#at++;
      if (after === "]") return array;
    }
  }

  #literal<T>(word: string, value: T): T {
    for (let i = 1; i < word.length; i++) {
      this.#at++;
      if (this.#text[this.#at] !== word[i]) this.#fail(`in literal ${word} (expecting '${word[i]}')`);
    }
    this.#at++;
    return value;
  }

  /** Half of a surrogate pair, which UTF-8 cannot say, becomes U+FFFD. */
  #string(): string {
    let value = "";
    let from = this.#at + 1;
    for (this.#at++; ; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (this.#at >= this.#text.length || code < 0x20) this.#fail("in string literal");
      if (code === 0x22) break;
      if (code !== 0x5c) continue;
      value += this.#text.slice(from, this.#at) + this.#escape();
      from = this.#at + 1;
    }
    value += this.#text.slice(from, this.#at);
    this.#at++;
    return value.toWellFormed();
  }

  #escape(): string {
    this.#at++;
    const letter = this.#text[this.#at];
    if (letter !== undefined && Object.hasOwn(escapes, letter)) return escapes[letter]!;
    if (letter !== "u") this.#fail("in string escape code");
    for (let i = 0; i < 4; i++) {
      this.#at++;
      if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? "")) this.#fail("in \\u hexadecimal character escape");
    }
    return String.fromCharCode(Number.parseInt(this.#text.slice(this.#at - 3, this.#at + 1), 16));
  }

  #isDigit(): boolean {
    const code = this.#text.charCodeAt(this.#at);
    return code >= 0x30 && code <= 0x39;
  }

  #number(): number | JsonNumber {
    const from = this.#at;
    const negative = this.#text[this.#at] === "-";
    if (negative) this.#at++;
    if (!this.#isDigit()) this.#fail(negative ? "in numeric literal" : "looking for beginning of value");
    if (this.#text[this.#at] === "0") this.#at++;
    else while (this.#isDigit()) this.#at++;
    let plain = this.#at - from <= 15;
    if (this.#text[this.#at] === ".") {
      plain = false;
      this.#at++;
      if (!this.#isDigit()) this.#fail("after decimal point in numeric literal");
      while (this.#isDigit()) this.#at++;
    }
    if (this.#text[this.#at] === "e" || this.#text[this.#at] === "E") {
      plain = false;
      this.#at++;
      if (this.#text[this.#at] === "+" || this.#text[this.#at] === "-") this.#at++;
      if (!this.#isDigit()) this.#fail("in exponent of numeric literal");
      while (this.#isDigit()) this.#at++;
    }
    const number = this.#text.slice(from, this.#at);
    return plain ? Number(number) : new JsonNumber(number);
  }
}

/** Go shows single bytes: a character beyond ASCII as the first byte of its UTF-8. */
function quotedCharacter(text: string, at: number): string {
  const character = String.fromCodePoint(text.codePointAt(at)!);
  if (character === "'") return "'\\''";
  if (character === '"') return "'\"'";
  return quotedByte(Buffer.from(character)[0]!);
}

export function quotedByte(byte: number): string {
  const character = String.fromCharCode(byte);
  const named: Record<string, string> = {
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
    "\v": "\\v",
    "\x07": "\\a",
    "\\": "\\\\",
  };
  if (named[character] !== undefined) return `'${named[character]}'`;
  if (byte < 0x20 || byte === 0x7f) return `'\\x${byte.toString(16).padStart(2, "0")}'`;
  if (byte < 0x7f) return `'${character}'`;
  return byte >= 0xa1 && byte !== 0xad
    ? `'${String.fromCharCode(byte)}'`
    : `'\\u${byte.toString(16).padStart(4, "0")}'`;
}
