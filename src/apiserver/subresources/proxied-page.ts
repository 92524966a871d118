/** A page of a backend with its links led through the proxy: read whole, as far as it is not too long for that. */
import type { IncomingMessage } from "node:http";
import { deflateRawSync, gunzipSync, gzipSync, inflateRawSync } from "node:zlib";
import { proxiedLink, rewriteLinks, type ProxyPlace } from "./proxied-links.ts";

/** A longer page is passed on as it is. */
const pageBytesMax = 8 * 1024 * 1024;

interface Coding {
  decode(bytes: Buffer): Buffer;
  encode(bytes: Buffer): Buffer;
}

const limit = { maxOutputLength: pageBytesMax };
const codings: Readonly<Record<string, Coding>> = {
  "": { decode: (bytes) => bytes, encode: (bytes) => bytes },
  gzip: { decode: (bytes) => gunzipSync(bytes, limit), encode: (bytes) => gzipSync(bytes) },
  deflate: { decode: (bytes) => inflateRawSync(bytes, limit), encode: (bytes) => deflateRawSync(bytes) },
};

/** Whether an answer is a page whose links can be read. */
export function isPage({ headers }: IncomingMessage): boolean {
  const type = (headers["content-type"] ?? "").split(";", 1)[0]!.trim();
  return type === "text/html" && codings[headers["content-encoding"] ?? ""] !== undefined;
}

/** What is sent instead; `bytes` undefined: it is not known how many. */
export async function proxiedPage(
  answer: IncomingMessage,
  place: ProxyPlace,
): Promise<{ body: AsyncIterable<Uint8Array>; bytes: number | undefined }> {
  const coding = codings[answer.headers["content-encoding"] ?? ""]!;
  const pieces: Buffer[] = [];
  let size = 0;
  const iterator = (answer as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
    pieces.push(next.value);
    size += next.value.length;
    if (size > pageBytesMax) return { body: both(pieces, iterator), bytes: undefined };
  }
  const page = rewritten(Buffer.concat(pieces), coding, place);
  return { body: both([page], undefined), bytes: page.length };
}

/** As Latin-1, so that every byte stays what it is, whatever the page's own encoding. */
function rewritten(bytes: Buffer, { decode, encode }: Coding, place: ProxyPlace): Buffer {
  try {
    const html = decode(bytes).toString("latin1");
    const changed = rewriteLinks(html, (link) => proxiedLink(link, place));
    return changed === html ? bytes : encode(Buffer.from(changed, "latin1"));
  } catch {
    return bytes; // It is not coded as it says: the client may know better.
  }
}

async function* both(
  pieces: readonly Buffer[],
  rest: AsyncIterator<Buffer> | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* pieces;
  if (rest === undefined) return;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
