/** Base64 as Go's encoding/base64 reads it: newlines are skipped, faults are named by their place. */

const alphabet = /^[A-Za-z0-9+/]*={0,2}$/;

export class Base64Error extends Error {
  constructor(at: number) {
    super(`illegal base64 data at input byte ${at}`);
    this.name = "Base64Error";
  }
}

/** The same bytes in canonical base64. Throws Base64Error. */
export function canonicalBase64(text: string): string {
  if (text.length % 4 === 0 && alphabet.test(text)) {
    return text.endsWith("=") ? Buffer.from(text, "base64").toString("base64") : text;
  }
  const fault = faultOf(text);
  if (fault !== undefined) throw new Base64Error(fault);
  return Buffer.from(text.replace(/[\r\n]/g, ""), "base64").toString("base64");
}

const isNewline = (character: string | undefined) => character === "\n" || character === "\r";
const isDigit = (character: string) => /[A-Za-z0-9+/]/.test(character);

/** Where Go would stop; undefined: nowhere. */
function faultOf(text: string): number | undefined {
  const bytes = Buffer.from(text).toString("latin1");
  let inGroup = 0;
  for (let at = 0; at < bytes.length; at++) {
    const character = bytes[at]!;
    if (isNewline(character)) continue;
    if (character === "=") return paddingFault(bytes, at, inGroup);
    if (!isDigit(character)) return at;
    inGroup = (inGroup + 1) % 4;
  }
  return inGroup === 0 ? undefined : bytes.length - inGroup;
}

function paddingFault(bytes: string, at: number, inGroup: number): number | undefined {
  if (inGroup < 2) return at;
  let next = skipNewlines(bytes, at + 1);
  if (inGroup === 2) {
    if (next === bytes.length) return bytes.length;
    if (bytes[next] !== "=") return next;
    next = skipNewlines(bytes, next + 1);
  }
  return next < bytes.length ? next : undefined;
}

function skipNewlines(bytes: string, from: number): number {
  let at = from;
  while (isNewline(bytes[at])) at++;
  return at;
}
