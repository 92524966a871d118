/**
 * What of a client's request reaches a backend behind this server: its headers without those of this connection and of
 * the client's own identity, and its body, always framed, so that no byte of it can pass for a request of its own.
 * Upstream: apimachinery/pkg/util/proxy, net/http/httputil.
 */
import type { Writable } from "node:stream";
import type { ServerRequest } from "#apiserver/request.ts";

/** Headers that belong to one connection (RFC 9110, 7.6.1), and those that say who the client is to this server alone. */
const dropped: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "authorization",
  "host",
  "http2-settings",
]);

/** Whether a header stays on this side, in requests and in answers. */
export const staysHere = (name: string): boolean => dropped.has(name);

const bodiless = new Set(["GET", "HEAD"]);

/** The headers for a backend. A body of unknown length is announced as chunks: Node's client would send it bare after a DELETE. */
export function passedHeaders(request: ServerRequest): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  const named = new Set((request.header("connection") ?? "").split(",").map((name) => name.trim().toLowerCase()));
  for (const [name, value] of Object.entries(request.headers())) {
    if (value === undefined || name.startsWith(":") || staysHere(name) || named.has(name)) continue;
    if (name.startsWith("impersonate-") || name.startsWith("x-remote-")) continue;
    headers[name] = typeof value === "string" ? value : [...value];
  }
  const length = request.header("content-length");
  delete headers["content-length"];
  if (bodiless.has(request.method)) return headers;
  if (length === undefined) headers["transfer-encoding"] = "chunked";
  else headers["content-length"] = length;
  return headers;
}

/** Sends the body on as it comes; the request is then still to be ended. Rejects when the client or the backend goes away. */
export async function passBody(request: ServerRequest, outgoing: Writable): Promise<void> {
  if (bodiless.has(request.method)) return;
  if (request.bodyStream === undefined) {
    outgoing.write(await request.body());
    return;
  }
  for await (const piece of request.bodyStream()) if (!outgoing.write(piece)) await roomIn(outgoing);
}

function roomIn(outgoing: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    const onDrain = () => {
      outgoing.removeListener("close", onClose);
      resolve();
    };
    const onClose = () => {
      outgoing.removeListener("drain", onDrain);
      reject(new Error("the backend takes no more"));
    };
    if (outgoing.destroyed) return onClose();
    outgoing.once("drain", onDrain);
    outgoing.once("close", onClose);
  });
}
