/** Cuts a Go template into text and actions, and an action into tokens. */
export class TemplateError extends Error {}

export type Part = { type: "text"; text: string } | { type: "action"; text: string; line: number };

export type Token =
  | { type: "dot" | "pipe" | "open" | "close" | "comma" | "declare" | "assign" }
  | { type: "word" | "variable"; text: string }
  | { type: "literal"; value: unknown }
  /** ".a.b" that stands alone, or right behind an operand. */
  | { type: "fields" | "chain"; names: string[] };

const actionEnd = /^(?:"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)*'|(?!\}\})[^])*?(?:\}\}|$)/;

export function splitActions(text: string): Part[] {
  const parts: Part[] = [];
  let rest = text;
  let line = 1;
  let trimNext = false;
  const lines = (cut: string) => cut.split("\n").length - 1;
  const addText = (raw: string, trimEnd: boolean) => {
    const start = trimNext ? raw.replace(/^[ \t\r\n]+/, "") : raw;
    const shown = trimEnd ? start.replace(/[ \t\r\n]+$/, "") : start;
    if (shown !== "") parts.push({ type: "text", text: shown });
    line += lines(raw);
  };
  for (;;) {
    const open = rest.indexOf("{{");
    if (open < 0) {
      addText(rest, false);
      return parts;
    }
    const trimsBefore = /^\{\{-[ \t\r\n]/.test(rest.slice(open));
    addText(rest.slice(0, open), trimsBefore);
    const inner = rest.slice(open + 2 + (trimsBefore ? 2 : 0));
    const comment = inner.match(/^\s*\/\*[^]*?\*\//)?.[0];
    const found = comment ?? "";
    const end = inner.slice(found.length).match(actionEnd)![0];
    if (!end.endsWith("}}"))
      throw new TemplateError(
        `template: output:${line}: ${comment === undefined && inner.includes("/*") ? "unclosed comment" : "unclosed action"}`,
      );
    const whole = found + end;
    trimNext = /[ \t\r\n]-\}\}$/.test(whole);
    if (comment === undefined) parts.push({ type: "action", text: whole.slice(0, trimNext ? -4 : -2), line });
    line += lines(whole);
    rest = inner.slice(whole.length);
  }
}

const patterns: readonly (readonly [RegExp, (match: RegExpExecArray) => Token])[] = [
  [/"(?:[^"\\\n]|\\.)*"/y, ([text]) => ({ type: "literal", value: unquote(text) })],
  [/`([^`]*)`/y, ([, text]) => ({ type: "literal", value: text })],
  [/'((?:[^'\\\n]|\\.)+)'/y, ([, text]) => ({ type: "literal", value: unquote(`"${text}"`).codePointAt(0) })],
  [
    /[+-]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)/y,
    ([text]) => ({ type: "literal", value: Number(text) }),
  ],
  [/:=/y, () => ({ type: "declare" })],
  [/=/y, () => ({ type: "assign" })],
  [/\|/y, () => ({ type: "pipe" })],
  [/\(/y, () => ({ type: "open" })],
  [/\)/y, () => ({ type: "close" })],
  [/,/y, () => ({ type: "comma" })],
  [/\$\w*/y, ([text]) => ({ type: "variable", text })],
  [/(?:\.[\p{L}_][\p{L}\p{N}_]*)+/uy, ([text]) => ({ type: "fields", names: text.slice(1).split(".") })],
  [/\./y, () => ({ type: "dot" })],
  [/[\p{L}_][\p{L}\p{N}_]*/uy, ([text]) => wordToken(text)],
];

const words: Readonly<Record<string, unknown>> = { true: true, false: false, nil: null };
const wordToken = (text: string): Token =>
  Object.hasOwn(words, text) ? { type: "literal", value: words[text] } : { type: "word", text };

export function actionTokens(text: string, line: number): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let afterSpace = true;
  while (at < text.length) {
    const space = /\s+/y;
    space.lastIndex = at;
    const skipped = space.exec(text)?.[0].length ?? 0;
    at += skipped;
    afterSpace = skipped > 0 || tokens.length === 0;
    if (at >= text.length) break;
    const token = nextToken(text, at);
    if (token === undefined)
      throw new TemplateError(
        text[at] === '"'
          ? `template: output:${line}: unterminated quoted string`
          : `template: output:${line}: unexpected ${JSON.stringify(text[at])} in command`,
      );
    at = token.end;
    tokens.push(
      token.token.type === "fields" && !afterSpace && mayHaveFields(tokens.at(-1))
        ? { ...token.token, type: "chain" }
        : token.token,
    );
  }
  return tokens;
}

const mayHaveFields = (token: Token | undefined): boolean =>
  token !== undefined && (token.type === "variable" || token.type === "close" || token.type === "word");

function nextToken(text: string, at: number): { token: Token; end: number } | undefined {
  for (const [pattern, make] of patterns) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) return { token: make(match), end: at + match[0].length };
  }
  return undefined;
}

const escapes: Readonly<Record<string, string>> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

function unquote(text: string): string {
  return text
    .slice(1, -1)
    .replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/g, (_, code: string) => {
      if (/^[xuU]./.test(code)) return String.fromCodePoint(Number.parseInt(code.slice(1), 16));
      if (/^[0-7]{3}$/.test(code)) return String.fromCodePoint(Number.parseInt(code, 8));
      return escapes[code] ?? code;
    });
}
