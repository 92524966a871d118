/**
 * Links of what a backend says, so that they lead through the proxy again: those to a path of the backend itself, in
 * redirects and in HTML. Links that are relative, or lead elsewhere, stay as they are.
 * Upstream: apimachinery/pkg/util/proxy/transport.go.
 */
import { posix } from "node:path";
import { escapeHtml } from "#api/go-text.ts";

export interface ProxyPlace {
  /** The path of this server below which the backend's own paths are: "…/pods/p/proxy". */
  readonly prefix: string;
  /** Where the backend was asked, with its port. */
  readonly backendHost: string;
  /** What the client calls this server, with its port. */
  readonly requestHost: string;
}

/** Scheme, host, path, the rest; a URL whose scheme is followed by no slash has no path. */
const urlParts = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/(?!\/)([^/?#]*))?([^?#]*)(.*)$/is;

export function proxiedLink(link: string, { prefix, backendHost, requestHost }: ProxyPlace): string {
  const [, scheme, host = "", path = "", rest = ""] = urlParts.exec(link) ?? [];
  if (!path.startsWith("/") || ![backendHost, requestHost, ""].includes(host)) return link;
  const origin = host !== "" && host === requestHost ? `${scheme === undefined ? "" : `${scheme}:`}//${host}` : "";
  if (path.startsWith(prefix)) return `${origin}${path}${rest}`;
  const joined = posix.join(prefix, path);
  return `${origin}${joined}${path.endsWith("/") && !joined.endsWith("/") ? "/" : ""}${rest}`;
}

/** Which attributes of which elements hold a link. */
const linkAttributes: Readonly<Record<string, readonly string[]>> = {
  a: ["href"],
  applet: ["codebase"],
  area: ["href"],
  audio: ["src"],
  base: ["href"],
  blockquote: ["cite"],
  body: ["background"],
  button: ["formaction"],
  command: ["icon"],
  del: ["cite"],
  embed: ["src"],
  form: ["action"],
  frame: ["longdesc", "src"],
  head: ["profile"],
  html: ["manifest"],
  iframe: ["longdesc", "src"],
  img: ["longdesc", "src", "usemap"],
  input: ["src", "usemap", "formaction"],
  ins: ["cite"],
  link: ["href"],
  object: ["classid", "codebase", "data", "usemap"],
  q: ["cite"],
  script: ["src"],
  source: ["src"],
  video: ["poster", "src"],
};

/** Elements whose content is text, whatever it looks like. */
const textElements: ReadonlySet<string> = new Set(
  "iframe noembed noframes plaintext script style textarea title xmp".split(" "),
);

/** `html` with every link that is one changed by `rewrite`; all else stays as it is, byte for byte. */
export function rewriteLinks(html: string, rewrite: (link: string) => string): string {
  const pieces: string[] = [];
  let done = 0;
  for (let at = html.indexOf("<"); at >= 0; at = html.indexOf("<", at)) {
    const tag = tagAt(html, at);
    if (tag === undefined) {
      at = markupEnd(html, at);
      continue;
    }
    if (tag === "unended") break;
    for (const { name, start, end } of tag.attributes) {
      if (linkAttributes[tag.name]?.includes(name) !== true) continue;
      const link = withoutReferences(withoutQuotes(html.slice(start, end)));
      const rewritten = rewrite(link);
      if (rewritten === link) continue;
      pieces.push(html.slice(done, start), `"${escapeHtml(rewritten)}"`);
      done = end;
    }
    at = textElements.has(tag.name) ? closingOf(html, tag.name, tag.end) : tag.end;
  }
  return [...pieces, html.slice(done)].join("");
}

interface Tag {
  readonly name: string;
  /** Values with their quotes. */
  readonly attributes: readonly { readonly name: string; readonly start: number; readonly end: number }[];
  readonly end: number;
}

const tagStart = /<([a-z][^\s/>]*)/iy;
const attribute = /[\s/]*([^\s/>][^\s/=>]*)(?:(\s*=\s*)("[^"]*"|'[^']*'|[^\s>]*))?/y;

/** A start tag; undefined: something else begins here; "unended": it takes all that follows. */
function tagAt(html: string, at: number): Tag | "unended" | undefined {
  tagStart.lastIndex = at;
  const found = tagStart.exec(html);
  if (found === null) return undefined;
  const attributes: { name: string; start: number; end: number }[] = [];
  let end = tagStart.lastIndex;
  for (;;) {
    attribute.lastIndex = end;
    const next = attribute.exec(html);
    if (next === null) break;
    end = attribute.lastIndex;
    const [, name = "", , value] = next;
    if (value !== undefined) attributes.push({ name: name.toLowerCase(), start: end - value.length, end });
  }
  const close = html.indexOf(">", end);
  return close < 0 ? "unended" : { name: found[1]!.toLowerCase(), attributes, end: close + 1 };
}

/** Behind a comment, or behind what is no start tag. */
function markupEnd(html: string, at: number): number {
  if (!html.startsWith("<!--", at)) return at + 1;
  const end = html.indexOf("-->", at + 4);
  return end < 0 ? html.length : end + 3;
}

function closingOf(html: string, name: string, from: number): number {
  const closing = new RegExp(`</${name}[\\s/>]`, "gi");
  closing.lastIndex = from;
  return closing.exec(html)?.index ?? html.length;
}

const withoutQuotes = (value: string): string => (/^["']/.test(value) ? value.slice(1, -1) : value);

const referenced: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function withoutReferences(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos));/gi, (all, decimal, hex, name) => {
    if (name !== undefined) return referenced[String(name).toLowerCase()]!;
    const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
    return code <= 0xff ? String.fromCodePoint(code) : String(all);
  });
}
