/** Sends one request over HTTP/2 or HTTP/1.1, whichever the server offered first; bytes in, bytes out. */
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";
import { LostConnectionError, NotSentError } from "./lost-connection.ts";
import { bodyOf } from "./stream-body.ts";

export interface ConnectionConfig {
  /** "https://127.0.0.1:6443"; a path in it goes before every request's path. */
  server: string;
  /** PEM texts. Without `ca` the system's authorities count. */
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  token?: string | undefined;
  /** Read again from time to time. */
  tokenFile?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
  insecureSkipTlsVerify?: boolean | undefined;
  /** The name that the server's certificate must have, if it is not the host. */
  serverName?: string | undefined;
}

export interface Outgoing {
  method: string;
  path: string;
  headers: Record<string, string | string[]>;
  body: string | Uint8Array | undefined;
  signal: AbortSignal | undefined;
}

export interface Answer {
  code: number;
  headers: Readonly<Record<string, string | undefined>>;
  body: AsyncIterable<Uint8Array>;
}

export interface Connection {
  send(request: Outgoing): Promise<Answer>;
  close(): void;
}

/** An HTTP/2 connection that does not answer a ping within `pingTimeoutMs` is dead. */
const pingEveryMs = 30_000;
const pingTimeoutMs = 15_000;
const connectTimeoutMs = 15_000;
const socketsMax = 64;

/** TLS options of a configuration, also for WebSocket clients. */
export function tlsOptions(config: ConnectionConfig): tls.ConnectionOptions {
  const { ca, cert, key, insecureSkipTlsVerify, serverName } = config;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    rejectUnauthorized: insecureSkipTlsVerify !== true,
  };
}

/** Finds out with the first request what the server speaks. */
export function createConnection(config: ConnectionConfig): Connection {
  const url = new URL(config.server);
  const prefix = url.pathname.replace(/\/+$/, "");
  const http1 = createHttp1(url, config);
  const http2 = url.protocol === "https:" ? createHttp2(url, config) : undefined;
  return {
    async send(request) {
      const prefixed = { ...request, path: `${prefix}${request.path}` };
      const session = await http2?.session();
      return session === undefined ? await http1.send(prefixed) : await sendHttp2(session, url, prefixed);
    },
    close() {
      http1.close();
      http2?.close();
    },
  };
}

function createHttp1(url: URL, config: ConnectionConfig): Connection {
  const secure = url.protocol === "https:";
  const options = { keepAlive: true, maxSockets: socketsMax };
  const agent = secure ? new https.Agent({ ...options, ...tlsOptions(config) }) : new http.Agent(options);
  return {
    send: ({ method, path, headers, body, signal }) =>
      new Promise((resolve, reject) => {
        const where = { hostname: hostOf(url), port: portOf(url), method, path, headers, agent };
        const request = (secure ? https : http).request({ ...where, ...(signal === undefined ? {} : { signal }) });
        request.once("error", reject);
        request.once("response", (response) => {
          const answered = { ...response.headers, warning: response.headersDistinct["warning"]?.join(", ") };
          resolve({ code: response.statusCode ?? 0, headers: flat(answered), body: bodyOf(response) });
        });
        request.end(body);
      }),
    close: () => agent.destroy(),
  };
}

interface Http2 {
  /** The live session, made if there is none; undefined if the server does not speak HTTP/2. */
  session(): Promise<http2.ClientHttp2Session | undefined>;
  close(): void;
}

function createHttp2(url: URL, config: ConnectionConfig): Http2 {
  let current: Promise<http2.ClientHttp2Session | undefined> | undefined;
  let live: http2.ClientHttp2Session | undefined;
  let spoken = true;
  const forget = (session: http2.ClientHttp2Session): void => {
    if (live === session) live = current = undefined;
  };
  return {
    async session() {
      if (!spoken) return undefined;
      if (live !== undefined && (live.closed || live.destroyed)) live = current = undefined;
      current ??= connectHttp2(url, config, forget).then(
        (session) => {
          spoken = session !== undefined;
          live = session;
          return session;
        },
        (error: unknown) => {
          current = undefined;
          throw error;
        },
      );
      return await current;
    },
    close() {
      spoken = false;
      live?.destroy();
    },
  };
}

async function connectHttp2(
  url: URL,
  config: ConnectionConfig,
  onEnd: (session: http2.ClientHttp2Session) => void,
): Promise<http2.ClientHttp2Session | undefined> {
  const socket = await connectTls(url, config);
  if (socket.alpnProtocol !== "h2") {
    socket.destroy();
    return undefined;
  }
  const session = http2.connect(url.origin, {
    createConnection: () => socket,
    settings: { initialWindowSize: 4 * 1024 * 1024 },
  });
  session.setLocalWindowSize(16 * 1024 * 1024);
  session.on("error", () => onEnd(session));
  session.on("goaway", () => onEnd(session));
  session.on("close", () => onEnd(session));
  keepAlive(session);
  session.unref();
  return session;
}

function connectTls(url: URL, config: ConnectionConfig): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const host = hostOf(url);
    const named = net.isIP(host) === 0 ? { servername: host } : {};
    const wanted = { ...named, ...tlsOptions(config), ALPNProtocols: ["h2", "http/1.1"] };
    const socket = tls.connect({ host, port: portOf(url), ...wanted });
    socket.setTimeout(connectTimeoutMs, () => socket.destroy(new Error(`no answer from ${url.host}`)));
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      socket.setTimeout(0);
      socket.off("error", reject);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** Destroys a session whose other end went away without a word. */
function keepAlive(session: http2.ClientHttp2Session): void {
  const ping = setInterval(() => {
    const timeout = setTimeout(
      () => session.destroy(new LostConnectionError("connection lost: no answer to a ping")),
      pingTimeoutMs,
    );
    timeout.unref();
    session.ping(() => clearTimeout(timeout));
  }, pingEveryMs);
  ping.unref();
  session.once("close", () => clearInterval(ping));
}

function sendHttp2(session: http2.ClientHttp2Session, url: URL, request: Outgoing): Promise<Answer> {
  const { method, path, headers, body, signal } = request;
  return new Promise((resolve, reject) => {
    const named = { ":method": method, ":path": path, ":authority": url.host, ...headers };
    const stream = session.request(named, { endStream: body === undefined, ...(signal ? { signal } : {}) });
    holdOpen(session, 1);
    stream.once("close", () => holdOpen(session, -1));
    let answered = false;
    stream.on("error", (error) => {
      if (!answered) reject(isRefused(stream) ? new NotSentError(error.message, { cause: error }) : error);
    });
    stream.once("response", (received) => {
      answered = true;
      const { ":status": code = 0, ...rest } = received;
      resolve({ code: Number(code), headers: flat(rest), body: bodyOf(stream) });
    });
    stream.once("close", () => {
      if (answered) return;
      const text = `connection to ${url.host} ended without an answer`;
      reject(isRefused(stream) ? new NotSentError(text) : new LostConnectionError(text));
    });
    if (body !== undefined) stream.end(body);
  });
}

/** RFC 9113 §8.7: the server has done nothing for a stream that it refused, or that never got a number. */
const isRefused = (stream: http2.ClientHttp2Stream): boolean =>
  stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM || stream.id === undefined;

const openStreams = new WeakMap<http2.ClientHttp2Session, number>();

/** A request keeps the process alive, an idle session does not. */
function holdOpen(session: http2.ClientHttp2Session, change: 1 | -1): void {
  const open = (openStreams.get(session) ?? 0) + change;
  openStreams.set(session, open);
  if (session.destroyed) return;
  if (open === 0) session.unref();
  else session.ref();
}

function flat(
  headers: Readonly<Record<string, string | readonly string[] | number | undefined>>,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) result[name] = typeof value === "object" ? value.join(", ") : String(value);
  return result;
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "");
const portOf = (url: URL): number => (url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port));
