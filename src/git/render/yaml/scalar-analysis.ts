/** What a piece of text allows its printed form to be: whether it can stand unquoted, in single quotes or in a block. */
import { isBreak } from "./cursor.ts";

export interface Analysis {
  readonly isMultiline: boolean;
  readonly isPlainAllowed: boolean;
  readonly isSingleQuotedAllowed: boolean;
  readonly isBlockAllowed: boolean;
}

const emptyText: Analysis = {
  isMultiline: false,
  isPlainAllowed: true,
  isSingleQuotedAllowed: true,
  isBlockAllowed: false,
};
const simpleText: Analysis = {
  isMultiline: false,
  isPlainAllowed: true,
  isSingleQuotedAllowed: true,
  isBlockAllowed: true,
};

/** Most values: no indicator can begin or end anything in them. */
const simplePattern = /^(?!---|\.\.\.)[A-Za-z0-9_./$(=+~\\;<^][A-Za-z0-9_./$()=+~\\;<>^@!%&*|'"`,?[\]{}-]*$/;

const startIndicators = new Set("#,[]{}&*!|>'\"%@`");

/** Printable without an escape; astral characters count as unprintable in Go's YAML. */
export function isPrintable(code: number): boolean {
  if (code === 0x0a || (code >= 0x20 && code <= 0x7e)) return true;
  return code >= 0xa0 && code <= 0xfffd && code !== 0xfeff && !(code >= 0xd800 && code <= 0xdfff);
}

/** `isTabSpecial`: go-yaml v3 quotes text with tabs though it does not escape it in blocks; v2 takes a tab as unprintable. */
export function analyzeScalar(text: string, isTabSpecial = true): Analysis {
  if (text === "") return emptyText;
  if (simplePattern.test(text)) return simpleText;
  return new Scan(text, isTabSpecial).result();
}

class Scan {
  readonly #text: string;
  #hasIndicator = false;
  #hasBreak = false;
  #hasTab = false;
  #hasSpecial = false;
  #hasBreakSpace = false;
  #hasSpaceBreak = false;

  constructor(text: string, isTabSpecial: boolean) {
    this.#text = text;
    this.#hasIndicator = text.startsWith("---") || text.startsWith("...");
    let previous = 0x0a;
    let wasSpace = false;
    let wasBreak = false;
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      this.#noteIndicator(text, index, code, previous);
      if (code === 0x09 && !isTabSpecial) this.#hasTab = true;
      else if (!isPrintable(code)) this.#hasSpecial = true;
      const isLineBreak = isBreak(code);
      if (code === 0x20 && wasBreak) this.#hasBreakSpace = true;
      if (isLineBreak && wasSpace) this.#hasSpaceBreak = true;
      if (isLineBreak) this.#hasBreak = true;
      wasSpace = code === 0x20;
      wasBreak = isLineBreak;
      previous = code;
    }
  }

  #noteIndicator(text: string, index: number, code: number, previous: number): void {
    const next = text.charCodeAt(index + 1);
    const isFollowedByBlank = next !== next || next === 0x20 || next === 0x09;
    if (index === 0 && startIndicators.has(text[0]!)) this.#hasIndicator = true;
    if (code === 0x3a && isFollowedByBlank) this.#hasIndicator = true;
    if (index === 0 && (code === 0x3f || code === 0x2d) && isFollowedByBlank) this.#hasIndicator = true;
    if (code === 0x23 && (previous === 0x20 || previous === 0x09 || isBreak(previous))) this.#hasIndicator = true;
  }

  result(): Analysis {
    const text = this.#text;
    const last = text.charCodeAt(text.length - 1);
    const isEdged = [text.charCodeAt(0), last].some((code) => code === 0x20 || isBreak(code));
    const isUnquotable = this.#hasSpaceBreak || this.#hasSpecial;
    return {
      isMultiline: this.#hasBreak,
      isPlainAllowed:
        !isEdged && !this.#hasBreakSpace && !isUnquotable && !this.#hasTab && !this.#hasBreak && !this.#hasIndicator,
      isSingleQuotedAllowed: !this.#hasBreakSpace && !isUnquotable && !this.#hasTab,
      isBlockAllowed: last !== 0x20 && !isUnquotable,
    };
  }
}

export const isPlainAllowed = (text: string): boolean => analyzeScalar(text, false).isPlainAllowed;
