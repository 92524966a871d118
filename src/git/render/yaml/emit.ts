/**
 * Prints data as YAML exactly as Kubernetes tools do (go-yaml v2): keys in natural order, block style, sequences not indented below
 * their key, long text wrapped beyond 80 columns, and each string in the first form that can hold it.
 */
import { isBreak } from "./cursor.ts";
import { numberText } from "./go-number.ts";
import { compareKeys } from "./key-order.ts";
import { resolvePlain } from "./resolve.ts";
import { blockHints } from "./reprint.ts";
import { type Analysis, analyzeScalar, isPrintable } from "./scalar-analysis.ts";
import { isPlainMap, type Plain, type PlainMap } from "./value.ts";

const columnsMax = 80;
/** Longer keys, in bytes, are written with `? ` and `: `. */
const simpleKeyBytesMax = 128;

export function emitYaml(value: Plain): string {
  const emitter = new Emitter();
  emitter.node(value, { indent: -2, isInMapping: false });
  return emitter.finish();
}

interface Place {
  readonly indent: number;
  /** A sequence directly in a mapping, begun on a new line, is not indented. */
  readonly isInMapping: boolean;
}

class Emitter {
  #out = "";
  #line = "";
  #column = 0;
  /** Nothing but indentation and indicators stands on the line so far. */
  #isIndention = true;
  #isAfterSpace = true;

  finish(): string {
    if (this.#column > 0) this.#break();
    return this.#out;
  }

  node(value: Plain, place: Place): void {
    if (Array.isArray(value)) this.#sequence(value, place);
    else if (isPlainMap(value)) this.#mapping(value, place.indent + 2);
    else this.#scalar(value, Math.max(place.indent, 0) + 2, false);
  }

  #put(text: string): void {
    this.#line += text;
    this.#column += text.length;
  }

  #break(): void {
    this.#out += `${this.#line}\n`;
    this.#line = "";
    this.#column = 0;
  }

  #newLine(indent: number): void {
    const isMisplaced = this.#column > indent || (this.#column === indent && !this.#isAfterSpace);
    if (!this.#isIndention || isMisplaced) this.#break();
    if (this.#column < indent) this.#put(" ".repeat(indent - this.#column));
    this.#isAfterSpace = true;
    this.#isIndention = true;
  }

  #indicator(text: string, needsSpace: boolean, keepsIndention: boolean): void {
    this.#put(needsSpace && !this.#isAfterSpace ? ` ${text}` : text);
    this.#isAfterSpace = false;
    this.#isIndention &&= keepsIndention;
  }

  #sequence(items: readonly Plain[], { indent, isInMapping }: Place): void {
    if (items.length === 0) return this.#indicator("[]", true, false);
    const own = isInMapping && !this.#isIndention ? indent : indent + 2;
    for (const item of items) {
      this.#newLine(own);
      this.#indicator("-", true, true);
      this.node(item, { indent: own, isInMapping: false });
    }
  }

  #mapping(map: PlainMap, indent: number): void {
    if (map.size === 0) return this.#indicator("{}", true, false);
    for (const key of [...map.keys()].sort(compareKeys)) {
      this.#newLine(indent);
      const isSimple = !analyzeScalar(key).isMultiline && Buffer.byteLength(key) <= simpleKeyBytesMax;
      if (isSimple) {
        this.#scalar(key, indent + 2, true);
        this.#indicator(":", false, false);
      } else {
        this.#indicator("?", true, true);
        this.#scalar(key, indent + 2, false);
        this.#newLine(indent);
        this.#indicator(":", true, true);
      }
      this.node(map.get(key)!, { indent, isInMapping: true });
    }
  }

  #scalar(value: string | boolean | null | number | bigint, indent: number, isKey: boolean): void {
    if (typeof value === "string") return this.#string(value, indent, isKey);
    const text = typeof value === "number" || typeof value === "bigint" ? numberText(value) : String(value);
    this.#plain(text, indent, false);
  }

  #string(text: string, indent: number, isKey: boolean): void {
    const analysis = analyzeScalar(text);
    switch (chooseStyle(text, analysis, isKey)) {
      case "plain":
        return this.#plain(text, indent, !isKey);
      case "single":
        return this.#singleQuoted(text, indent, !isKey);
      case "double":
        return this.#doubleQuoted(text, indent, !isKey);
      default:
        return this.#literal(text, indent);
    }
  }

  #plain(text: string, indent: number, canWrap: boolean): void {
    if (!this.#isAfterSpace) this.#put(" ");
    if (!canWrap || this.#column + text.length <= columnsMax || !text.includes(" ")) this.#put(text);
    else this.#wrapped(text, indent, false);
    this.#isAfterSpace = false;
    this.#isIndention = false;
  }

  /** Breaks at single spaces beyond the last column; `isQuoted` keeps the first and the last character together with the quotes. */
  #wrapped(text: string, indent: number, isQuoted: boolean): void {
    let wasSpace = false;
    const last = text.length - 1;
    for (let index = 0; index <= last; index += 1) {
      const character = text[index]!;
      if (character === " ") {
        const isInside = !isQuoted || (index > 0 && index < last);
        if (!wasSpace && this.#column > columnsMax && isInside && text[index + 1] !== " ") this.#newLine(indent);
        else this.#put(character);
        wasSpace = true;
      } else {
        this.#put(character === "'" && isQuoted ? "''" : character);
        this.#isIndention = false;
        wasSpace = false;
      }
    }
  }

  #singleQuoted(text: string, indent: number, canWrap: boolean): void {
    this.#indicator("'", true, false);
    if (/[\n\r\x85\u2028\u2029]/.test(text)) this.#singleQuotedLines(text, indent);
    else if (canWrap) this.#wrapped(text, indent, true);
    else this.#put(text.replaceAll("'", "''"));
    this.#indicator("'", false, false);
    this.#isAfterSpace = false;
    this.#isIndention = false;
  }

  /** Text with line separators other than line feed that is printed in single quotes. */
  #singleQuotedLines(text: string, indent: number): void {
    let wasBreak = false;
    for (const character of text) {
      if (isBreak(character.charCodeAt(0))) {
        this.#line += character;
        this.#column = 0;
        this.#isIndention = true;
        wasBreak = true;
        continue;
      }
      if (wasBreak) this.#newLine(indent);
      this.#put(character === "'" ? "''" : character);
      this.#isIndention = false;
      wasBreak = false;
    }
  }

  #doubleQuoted(text: string, indent: number, canWrap: boolean): void {
    this.#indicator('"', true, false);
    const areAllEscaped = text.startsWith("\ufeff");
    let wasSpace = false;
    let index = 0;
    for (const character of text) {
      const code = character.codePointAt(0)!;
      const end = index + character.length;
      if (areAllEscaped || isEscaped(code)) {
        this.#put(escapeOf(code));
        wasSpace = false;
      } else if (code === 0x20) {
        const isInside = index > 0 && end < text.length;
        if (canWrap && !wasSpace && this.#column > columnsMax && isInside) {
          this.#newLine(indent);
          if (text[end] === " ") this.#put("\\");
        } else this.#put(" ");
        wasSpace = true;
      } else {
        this.#put(character);
        wasSpace = false;
      }
      index = end;
    }
    this.#indicator('"', false, false);
    this.#isAfterSpace = false;
    this.#isIndention = false;
  }

  #literal(text: string, indent: number): void {
    this.#indicator("|", true, false);
    this.#put(blockHints(text));
    this.#break();
    const margin = " ".repeat(indent);
    for (const line of text.split(/(?<=[\n\u2028\u2029])/)) {
      const end = /[\n\u2028\u2029]$/.exec(line)?.[0] ?? "";
      const body = line.slice(0, line.length - end.length);
      if (body !== "") this.#put(margin + body);
      if (end === "\n") this.#break();
      else if (end !== "") {
        this.#line += end;
        this.#column = 0;
      }
    }
    this.#isIndention = this.#column === 0;
    this.#isAfterSpace = this.#column === 0;
  }
}

type ScalarStyle = "plain" | "single" | "double" | "literal";

function chooseStyle(text: string, analysis: Analysis, isKey: boolean): ScalarStyle {
  if (text.includes("\n")) return analysis.isBlockAllowed && !isKey ? "literal" : "double";
  if (!isPlainWord(text)) return "double";
  if (isKey && analysis.isMultiline) return "double";
  if (analysis.isPlainAllowed && !(text === "" && isKey)) return "plain";
  return analysis.isSingleQuotedAllowed ? "single" : "double";
}

const base60Pattern = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

const isPlainWord = (text: string): boolean => resolvePlain(text, "v2").tag === "!!str" && !base60Pattern.test(text);

const isEscaped = (code: number): boolean =>
  code === 0x22 || code === 0x5c || code > 0xffff || !isPrintable(code) || isBreak(code);

const shortEscapes: Readonly<Record<number, string>> = {
  0x00: "0",
  0x07: "a",
  0x08: "b",
  0x09: "t",
  0x0a: "n",
  0x0b: "v",
  0x0c: "f",
  0x0d: "r",
  0x1b: "e",
  0x22: '"',
  0x5c: "\\",
  0x85: "N",
  0xa0: "_",
  0x2028: "L",
  0x2029: "P",
};

function escapeOf(code: number): string {
  const short = shortEscapes[code];
  if (short !== undefined) return `\\${short}`;
  const [letter, width] = code <= 0xff ? ["x", 2] : code <= 0xffff ? ["u", 4] : ["U", 8];
  return `\\${letter}${code
    .toString(16)
    .toUpperCase()
    .padStart(width as number, "0")}`;
}

/** Text in double quotes on one line. */
export function doubleQuoted(text: string): string {
  let quoted = "";
  for (const character of text) {
    const code = character.codePointAt(0)!;
    quoted += isEscaped(code) ? escapeOf(code) : character;
  }
  return `"${quoted}"`;
}
