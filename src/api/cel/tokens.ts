/** The text of a CEL expression as tokens, and what in it is none. Upstream: google/cel-go parser/gen/CEL.g4. */

export interface Token {
  /** As the grammar names it: "(", "in", "true", "NUM_INT", "IDENTIFIER", "<EOF>". */
  type: string;
  text: string;
  offset: number;
  /** Of texts and bytes. */
  value?: string | Uint8Array;
}

const operators = ["&&", "||", "==", "!=", "<=", ">=", ...".,:?[](){}<>+-*/%!"];
const words = new Set(["in", "true", "false", "null"]);

const number =
  /^(?:(0x[0-9a-fA-F]+|\d+)([uU])|(\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)|(0x[0-9a-fA-F]+|\d+))/;
const name = /^(?:[A-Za-z_][A-Za-z0-9_]*|`[A-Za-z0-9_.\-/ ]+`)/;
const escape = String.raw`\\(?:[abfnrtv"'\\?\x60]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})`;
const cooked = String.raw`"""(?:[^\\]|${escape})*?"""|'''(?:[^\\]|${escape})*?'''|"(?:[^"\\\n\r]|${escape})*"|'(?:[^'\\\n\r]|${escape})*'`;
const uncooked = String.raw`"""[^]*?"""|'''[^]*?'''|"[^"\n\r]*"|'[^'\n\r]*'`;
const quoted = new RegExp(`^([bB]?)(?:([rR])(${uncooked})|(${cooked}))`);
/** A text that does not end: up to what cannot be in it. */
const unended = new RegExp(
  String.raw`^(?:"(?:[^"\\\n\r]|${escape})*|'(?:[^'\\\n\r]|${escape})*)(?:\\(?:[xX][0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|U[0-9a-fA-F]{0,7}|[0-3][0-7]?)?)?`,
);

/** `faults` takes what is no token. */
export function tokensOf(text: string, faults: { offset: number; text: string }[]): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length;) {
    const rest = text.slice(at);
    const space = /^(\s+|\/\/[^\n]*)/.exec(rest);
    if (space !== null) {
      at += space[0].length;
      continue;
    }
    const token = tokenAt(rest, at);
    if (token === undefined) {
      const bad = noToken(rest);
      faults.push({ offset: at, text: `Syntax error: token recognition error at: '${shown(bad)}'` });
      at += bad.length;
    } else {
      tokens.push(token);
      at += token.text.length;
    }
  }
  tokens.push({ type: "<EOF>", text: "<EOF>", offset: text.length });
  return tokens;
}

function tokenAt(rest: string, offset: number): Token | undefined {
  const [whole, bytes, raw, inner, plain] = quoted.exec(rest) ?? [];
  if (whole !== undefined) {
    const value = unquoted((inner ?? plain)!, raw !== undefined, bytes !== "");
    return { type: bytes === "" ? "STRING" : "BYTES", text: whole, offset, value };
  }
  const [digits, , unsigned, fraction] = number.exec(rest) ?? [];
  if (digits !== undefined) {
    const type = unsigned !== undefined ? "NUM_UINT" : fraction !== undefined ? "NUM_FLOAT" : "NUM_INT";
    return { type, text: digits, offset };
  }
  const [word] = name.exec(rest) ?? [];
  if (word !== undefined) {
    const type = words.has(word) ? word : word.startsWith("`") ? "ESC_IDENTIFIER" : "IDENTIFIER";
    return { type, text: word, offset };
  }
  const operator = operators.find((one) => rest.startsWith(one));
  return operator === undefined ? undefined : { type: operator, text: operator, offset };
}

/** What could have become a token, and the character that made it none. */
function noToken(rest: string): string {
  const begun = /^[&|=]/.exec(rest) ?? unended.exec(rest) ?? /^`[A-Za-z0-9_.\-/ ]*/.exec(rest);
  const length = begun?.[0].length ?? 0;
  return rest.slice(0, length) + (Array.from(rest.slice(length, length + 2))[0] ?? "");
}

const shown = (text: string): string => text.replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("\t", "\\t");

const escapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

function unquoted(text: string, isRaw: boolean, isBytes: boolean): string | Uint8Array {
  const width = text.startsWith('"""') || text.startsWith("'''") ? 3 : 1;
  const inner = text.slice(width, -width);
  if (isRaw) return isBytes ? Buffer.from(inner) : inner;
  const parts: Buffer[] = [];
  let plain = "";
  const pattern = /\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([^]))|([^\\]+)/g;
  for (const [, hex, short, long, octal, one, rest] of inner.matchAll(pattern)) {
    const byte = hex ?? octal;
    if (isBytes && byte !== undefined) {
      parts.push(Buffer.from(plain), Buffer.from([Number.parseInt(byte, hex === undefined ? 8 : 16)]));
      plain = "";
    } else if (byte !== undefined) plain += String.fromCodePoint(Number.parseInt(byte, hex === undefined ? 8 : 16));
    else if (short ?? long) plain += String.fromCodePoint(Number.parseInt((short ?? long)!, 16));
    else plain += rest ?? escapes[one!] ?? one!;
  }
  return isBytes ? Buffer.concat([...parts, Buffer.from(plain)]) : plain;
}
