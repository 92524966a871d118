/**
 * HTTP for isomorphic-git on Node's own client: TLS options of the source, a time limit, a limit of what an answer may
 * weigh, and no redirect to another scheme or with credentials to another host.
 */
import { type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { GitHttpRequest, GitHttpResponse, HttpClient } from "isomorphic-git";

export interface GitHttpOptions {
  timeoutMs: number;
  /** PEM; instead of the system's authorities. */
  ca?: string | undefined;
  /** PEM client certificate and key. */
  cert?: string | undefined;
  key?: string | undefined;
}

/** More than this in one answer is refused: a pack of a repository that holds manifests is far smaller. */
export const answerBytesMax = 512 * 1024 * 1024;
const redirectsMax = 5;

export function createGitHttp(options: GitHttpOptions): HttpClient {
  return { request: async (request) => await send(request, await collect(request.body), options, redirectsMax) };
}

async function collect(body: AsyncIterableIterator<Uint8Array> | undefined): Promise<Buffer | undefined> {
  if (body === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function send(
  request: GitHttpRequest,
  body: Buffer | undefined,
  options: GitHttpOptions,
  redirects: number,
): Promise<GitHttpResponse> {
  const url = new URL(request.url);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw new Error(`unsupported scheme in ${url.protocol}//`);
  const response = await exchange(url, request, body, options);
  const location = response.headers.location;
  const isRedirect = [301, 302, 303, 307, 308].includes(response.statusCode ?? 0) && location !== undefined;
  if (isRedirect && request.method === "GET") {
    response.resume();
    const target = new URL(location, url);
    if (redirects === 0) throw new Error(`too many redirects at ${url.origin}`);
    if (target.protocol !== url.protocol && target.protocol !== "https:")
      throw new Error(`redirect from ${url.origin} to ${target.protocol}// refused`);
    const headers = target.host === url.host ? request.headers : without(request.headers, "authorization");
    return send({ ...request, url: target.href, headers: headers ?? {} }, body, options, redirects - 1);
  }
  return {
    url: url.href,
    method: request.method ?? "GET",
    statusCode: response.statusCode ?? 0,
    statusMessage: response.statusMessage ?? "",
    headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
    body: limited(response),
  };
}

function exchange(
  url: URL,
  request: GitHttpRequest,
  body: Buffer | undefined,
  options: GitHttpOptions,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const start = url.protocol === "https:" ? httpsRequest : httpRequest;
    const { ca, cert, key, timeoutMs } = options;
    const outgoing = start(url, {
      method: request.method ?? "GET",
      headers: { ...request.headers, ...(body === undefined ? {} : { "content-length": String(body.length) }) },
      timeout: timeoutMs,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert, key }),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer from ${url.host} in ${timeoutMs} ms`)));
    outgoing.on("error", reject);
    outgoing.on("response", resolve);
    outgoing.end(body);
  });
}

async function* limited(response: IncomingMessage): AsyncIterableIterator<Uint8Array> {
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > answerBytesMax) {
      response.destroy();
      throw new Error(`the answer is larger than ${answerBytesMax} bytes`);
    }
    yield chunk;
  }
}

function without(headers: Record<string, string> | undefined, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).filter(([key]) => key.toLowerCase() !== name));
}
