/** Where the next page of a list begins. Upstream: apiserver/pkg/storage/continue.go. Tokens are checked, not signed. */
import { posix } from "node:path";
import { JsonNumber, JsonSyntaxError, jsonTypeName } from "#api/decode/json-value.ts";
import { parseJson } from "#api/decode/json.ts";
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
  if (text.length > tokenCharactersMax) throw invalid(": the token is too long");
  const { v, rv, start } = tokenOf(bytesOf(text));
  if (v !== version) throw invalid(`: server does not recognize this encoded version ${v}`);
  if (Number(rv) === 0) throw invalid(`: incorrect encoded start resourceVersion (version ${version})`);
  if (start === "") throw invalid(`: encoded start key empty (version ${version})`);
  const key = start.startsWith("/") ? start : `/${start}`;
  if (posix.normalize(key) !== key || (key.endsWith("/") && key !== "/")) throw invalid(`: ${start}`);
  const after = key.slice(1);
  const revision = Number(rv) < 0 ? -1 : Number(rv);
  return { revision, after: after.endsWith("\u0000") ? after.slice(0, -1) : before(after) };
}

function bytesOf(text: string): Buffer {
  const bad = /[^A-Za-z0-9_-]/.exec(text)?.index ?? (text.length % 4 === 1 ? text.length - 1 : -1);
  if (bad >= 0) throw invalid(`: illegal base64 data at input byte ${bad}`);
  return Buffer.from(text, "base64url");
}

const parts = { v: "string", rv: "int64", start: "string" } as const;

/** Go's encoding/json, into a struct of three fields. */
function tokenOf(bytes: Buffer): { v: string; rv: number | JsonNumber; start: string } {
  let value: unknown;
  try {
    ({ value } = parseJson(bytes));
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw invalid(`: ${error.message}`);
  }
  const mismatch = (one: unknown, into: string, literal = "") =>
    invalid(`: json: cannot unmarshal ${jsonTypeName(one)}${literal} into Go ${into}`);
  if (value !== null && (typeof value !== "object" || Array.isArray(value) || value instanceof JsonNumber))
    throw mismatch(value, "value of type storage.continueToken");
  const token = { v: "", rv: 0, start: "", ...value } as Record<string, unknown>;
  for (const [name, type] of Object.entries(parts)) {
    const one = (token[name] ??= type === "string" ? "" : 0);
    if (type === "string" ? typeof one !== "string" : !isInteger(one))
      throw mismatch(
        one,
        `struct field continueToken.${name} of type ${type}`,
        type === "int64" && one instanceof JsonNumber ? ` ${one.text}` : "",
      );
  }
  return token as ReturnType<typeof tokenOf>;
}

const isInteger = (value: unknown) =>
  value instanceof JsonNumber ? /^-?\d+$/.test(value.text) : typeof value === "number" && Number.isInteger(value);

/** The greatest text below a key, so that a page that starts at the key has it. */
const before = (key: string) => `${key.slice(0, -1)}${String.fromCharCode(key.charCodeAt(key.length - 1) - 1)}\uffff`;

const invalid = (fault: string) => badRequest(`invalid continue token: continue key is not valid${fault}`);
