/** Where the next page of a list begins. Upstream: apiserver/pkg/storage/continue.go. Tokens are checked, not signed. */
import { badRequest } from "#api/status-catalogue.ts";

const version = "meta.k8s.io/v1";
export const tokenCharactersMax = 4096;

export interface ContinueToken {
  /** The revision that the pages show; -1: whatever is current. */
  revision: number;
  /** The last key of the page before, as in the cache. */
  after: string;
}

export function encodeContinue({ revision, after }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: version, rv: revision, start: `${after}\u0000` })).toString("base64url");
}

/** Throws 400 for anything that no server of this kind gave out. */
export function decodeContinue(text: string): ContinueToken {
  if (text.length > tokenCharactersMax) throw invalid("the token is too long");
  const bad = /[^A-Za-z0-9_-]/.exec(text);
  if (bad !== null) throw invalid(`illegal base64 data at input byte ${bad.index}`);
  let token: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    token = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as typeof token;
  } catch {
    throw invalid(`${syntaxFault(Buffer.from(text, "base64url"))}`);
  }
  if (token === null || typeof token !== "object" || token.v !== version)
    throw invalid(`server does not recognize this encoded version ${String(token?.v ?? "")}`);
  if (typeof token.rv !== "number" || !Number.isSafeInteger(token.rv) || token.rv === 0 || token.rv < -1)
    throw invalid(`incorrect encoded start resourceVersion (version ${version})`);
  if (typeof token.start !== "string" || token.start === "")
    throw invalid(`empty encoded start key (version ${version})`);
  const after = token.start.replace(/^\//, "");
  // Upstream keeps keys inside the collection by path rules; here a key outside it just matches nothing.
  if (after.split("/").some((part) => part === "..")) throw invalid(`"${token.start}"`);
  return { revision: token.rv, after: after.endsWith("\u0000") ? after.slice(0, -1) : before(after) };
}

/** The greatest text below a key, so that a page that starts at the key has it. */
const before = (key: string) => `${key.slice(0, -1)}${String.fromCharCode(key.charCodeAt(key.length - 1) - 1)}\uffff`;

const invalid = (fault: string) => badRequest(`invalid continue token: continue key is not valid: ${fault}`);

/** Go's encoding/json on the first byte that cannot begin a value. */
function syntaxFault(bytes: Buffer): string {
  if (bytes.length === 0) return "unexpected end of JSON input";
  const first = bytes[0]!;
  const shown =
    first >= 0x20 && first < 0x7f ? `'${String.fromCharCode(first)}'` : `'\\u00${first.toString(16).padStart(2, "0")}'`;
  return `invalid character ${shown} looking for beginning of value`;
}
