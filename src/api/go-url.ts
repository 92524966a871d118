/** URLs as Go's net/url reads them, with its words for what is none. Upstream: net/url ParseRequestURI, Parse. */
import { goQuote } from "./go-text.ts";

export interface GoUrl {
  scheme: string;
  /** With its port. */
  host: string;
  /** As it was written; "" where what follows the scheme is no path. */
  path: string;
  query: string;
}

/** An absolute URL or an absolute path, or why a text is neither. */
export function parseRequestUrl(text: string): GoUrl | string {
  const fault = requestFault(text);
  return fault === undefined ? parts(text) : `parse ${goQuote(text)}: ${fault}`;
}

// oxlint-disable-next-line no-control-regex -- Go refuses them
const control = /[\x00-\x1f\x7f]/;

function requestFault(text: string): string | undefined {
  if (control.test(text)) return "net/url: invalid control character in URL";
  if (text === "") return "empty url";
  if (text === "*") return undefined;
  if (text.startsWith(":")) return "missing protocol scheme";
  const { scheme, rest } = withoutScheme(text);
  const before = rest.split("?", 1)[0]!;
  if (!before.startsWith("/")) return scheme === "" ? "invalid URI for request" : undefined;
  const hasAuthority = scheme !== "" && before.startsWith("//");
  const [, authority = ""] = hasAuthority ? /^\/\/([^/]*)/.exec(before)! : [];
  const path = hasAuthority ? before.slice(2 + authority.length) : before;
  return authorityFault(authority) ?? escapeFault(path);
}

function withoutScheme(text: string): { scheme: string; rest: string } {
  const found = /^([a-z][a-z0-9+.-]*):/i.exec(text);
  return found === null
    ? { scheme: "", rest: text }
    : { scheme: found[1]!.toLowerCase(), rest: text.slice(found[0].length) };
}

function authorityFault(authority: string): string | undefined {
  const at = authority.lastIndexOf("@");
  const fault = hostFault(authority.slice(at + 1));
  if (fault !== undefined || at === -1) return fault;
  const user = authority.slice(0, at);
  return /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user) ? escapeFault(user) : "net/url: invalid userinfo";
}

function hostFault(host: string): string | undefined {
  const closing = host.startsWith("[") ? host.lastIndexOf("]") : undefined;
  if (closing === -1) return "missing ']' in host";
  const port = closing === undefined ? (/:[^:]*$/.exec(host)?.[0] ?? "") : host.slice(closing + 1);
  if (!/^(?::\d*)?$/.test(port)) return `invalid port ${goQuote(port)} after host`;
  const escape = /%(?!25|[89a-f][0-9a-f]).{0,2}/i.exec(host)?.[0];
  if (escape !== undefined) return `invalid URL escape ${goQuote(escape)}`;
  const character = /[ \\^`{|}#?/@]/.exec(host)?.[0];
  return character === undefined ? undefined : `invalid character ${goQuote(character)} in host name`;
}

function escapeFault(text: string): string | undefined {
  const escape = /%(?![0-9a-f]{2}).{0,2}/i.exec(text)?.[0];
  return escape === undefined ? undefined : `invalid URL escape ${goQuote(escape)}`;
}

function parts(text: string): GoUrl {
  const { scheme, rest } = withoutScheme(text.split("#", 1)[0]!);
  const [before = "", ...queries] = rest.split("?");
  const query = queries.join("?");
  if (scheme !== "" && !before.startsWith("/")) return { scheme, host: "", path: "", query };
  const authority = before.startsWith("//") && !before.startsWith("///") ? /^\/\/([^/]*)/.exec(before)![1]! : undefined;
  const host = (authority ?? "").slice((authority ?? "").lastIndexOf("@") + 1);
  return { scheme, host, path: authority === undefined ? before : before.slice(2 + authority.length), query };
}

/** What a path needs not escape, and what it is let to have unescaped. */
const kept = /[A-Za-z0-9\-_.~$&+,/:;=@]/;
const isWellEscaped = (path: string): boolean => /^[A-Za-z0-9\-_.~!$&'()*+,;=:@/[\]%]*$/.test(path);

/** Upstream: URL.EscapedPath. */
export function escapedPath({ path }: GoUrl): string {
  if (isWellEscaped(path)) return path;
  const bytes = unescaped(path) ?? Buffer.from(path);
  return Array.from(bytes, (byte) => {
    const character = String.fromCodePoint(byte);
    return kept.test(character) && byte < 0x80 ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

/** undefined: an escape is none. */
function unescaped(text: string): Buffer | undefined {
  if (escapeFault(text) !== undefined) return undefined;
  const pieces = text.split(/%([0-9a-f]{2})/i);
  return Buffer.concat(pieces.map((piece, index) => Buffer.from(piece, index % 2 === 1 ? "hex" : "utf8")));
}

/** What a query says, pair by pair; those that cannot be read are left out. Upstream: net/url ParseQuery. */
export function queryValues({ query }: GoUrl): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const pair of query.split("&")) {
    if (pair === "" || pair.includes(";")) continue;
    const cut = pair.indexOf("=");
    const [name, value] = (cut === -1 ? [pair, ""] : [pair.slice(0, cut), pair.slice(cut + 1)]).map((part) =>
      unescaped(part.replaceAll("+", " "))?.toString("utf8"),
    );
    if (name === undefined || value === undefined) continue;
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  return values;
}
