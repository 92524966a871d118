/**
 * The TLS front: HTTP/2 and HTTP/1.1 on one port, chosen by ALPN. It knows who proved which certificate, and limits what
 * one connection may ask for; all else is the handler's.
 */
import type { ServerResponse } from "node:http";
import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream, type Settings } from "node:http2";
import { createServer, type Server } from "node:https";
import { type AddressInfo } from "node:net";
import { constants } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { type Authorities, certificatesIn, proofOf } from "./client-certificate.ts";
import { type ConnectionFacts, type Exchange, Http1Exchange, Http2Exchange, UpgradeExchange } from "./exchange.ts";

export const headerBytesMax = 64 * 1024;
export const streamsPerConnectionMax = 1000;
export const connectionsMax = 20_000;
/** What waits to be sent counts, also bytes that other watchers share: a slow watch must not get new requests refused. */
const sessionMemoryMegabytesMax = 1024;

/** How long a connection may keep the server waiting, by what it waits for. */
export interface Patience {
  readonly handshakeMs: number;
  /** The head of a request over HTTP/1.1. */
  readonly headMs: number;
  /** A body that somebody reads. */
  readonly bodyMs: number;
  /** A whole request over HTTP/1.1, whether somebody reads its body or not. */
  readonly requestMs: number;
  /** Traffic of any kind, unless an answer is still being made and all that there is of it has been taken. */
  readonly silenceMs: number;
}

export const usualPatience: Patience = {
  handshakeMs: 15_000,
  headMs: 30_000,
  bodyMs: 60_000,
  requestMs: 300_000,
  silenceMs: 180_000,
};

export interface TlsFiles {
  cert: string;
  key: string;
  /** The CAs whose client certificates count. */
  clientCa: string;
  /** The CAs whose certificates show that a client speaks for others. */
  frontProxyCa?: string;
}

export interface ListenOptions {
  port: number;
  host?: string;
  tls: TlsFiles;
  patience?: Patience;
}

export interface Listener {
  readonly port: number;
  /** Serves another certificate from the next connection on. */
  setTls(tls: TlsFiles): void;
  close(): Promise<void>;
}

/** How often it is looked for connections whose requests take too long. */
const connectionsCheckMs = 30_000;

/** How long clients have for the last bytes when the server closes. */
const farewellMs = 500;

const http2Settings: Settings = {
  maxConcurrentStreams: streamsPerConnectionMax,
  maxHeaderListSize: headerBytesMax,
  initialWindowSize: 1024 * 1024,
};

export async function listen(options: ListenOptions, handle: (exchange: Exchange) => void): Promise<Listener> {
  const { patience = usualPatience } = options;
  const facts = new WeakMap<object, ConnectionFacts>();
  const answers = new WeakMap<object, ServerResponse>();
  const sessions = new Map<ServerHttp2Session, TLSSocket>();
  let authorities = authoritiesOf(options.tls);
  const server = createServer({
    ...tlsOptions(options.tls),
    ALPNProtocols: ["h2", "http/1.1"],
    requestCert: true,
    rejectUnauthorized: false,
    // A resumed session would keep a client certificate that has ended meanwhile.
    secureOptions: constants.SSL_OP_NO_TICKET,
    minVersion: "TLSv1.2",
    handshakeTimeout: patience.handshakeMs,
    maxHeaderSize: headerBytesMax,
    headersTimeout: patience.headMs,
    requestTimeout: patience.requestMs,
    keepAliveTimeout: patience.silenceMs,
    connectionsCheckingInterval: Math.min(patience.headMs, connectionsCheckMs),
    noDelay: true,
  });
  server.maxConnections = connectionsMax;
  server.timeout = patience.silenceMs;
  server.on("timeout", (socket: TLSSocket) => {
    if (!isBeingMade(answers.get(socket), socket.writableLength)) socket.destroy();
  });
  const [serveHttp1] = server.listeners("secureConnection");
  server.removeAllListeners("secureConnection");
  server.on("secureConnection", (socket: TLSSocket) => {
    facts.set(socket, {
      ...proofOf(socket, authorities),
      remoteAddress: socket.remoteAddress,
      bodyMs: patience.bodyMs,
      unreadMs: patience.silenceMs,
    });
    socket.on("error", () => socket.destroy());
    if (socket.alpnProtocol === "h2") serveHttp2(socket, facts.get(socket)!, patience, sessions, handle);
    else serveHttp1!.call(server, socket);
  });
  server.on("request", (message, response) => {
    answers.set(message.socket, response);
    handle(new Http1Exchange(message, response, facts.get(message.socket)!));
  });
  server.on("upgrade", (message, socket, head) => {
    message.socket.setTimeout(0);
    socket.on("error", () => socket.destroy());
    handle(new UpgradeExchange(message, { socket, head }, facts.get(message.socket)!));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(
      { port: options.port, ...(options.host === undefined ? {} : { host: options.host }), backlog: 4096 },
      resolve,
    );
  });
  return {
    port: (server.address() as AddressInfo).port,
    setTls: (tls) => {
      authorities = authoritiesOf(tls);
      server.setSecureContext(tlsOptions(tls));
    },
    close: () => closeAll(server, sessions),
  };
}

function tlsOptions({ cert, key, clientCa, frontProxyCa }: TlsFiles) {
  return { cert, key, ca: frontProxyCa === undefined ? clientCa : [clientCa, frontProxyCa] };
}

const authoritiesOf = ({ clientCa, frontProxyCa = "" }: TlsFiles): Authorities => ({
  clients: certificatesIn(clientCa),
  frontProxies: certificatesIn(frontProxyCa),
});

function serveHttp2(
  socket: TLSSocket,
  facts: ConnectionFacts,
  { silenceMs }: Patience,
  sessions: Map<ServerHttp2Session, TLSSocket>,
  handle: (exchange: Exchange) => void,
): void {
  const session = performServerHandshake(socket, {
    settings: http2Settings,
    maxSessionMemory: sessionMemoryMegabytesMax,
  });
  sessions.set(session, socket);
  session.setLocalWindowSize(4 * 1024 * 1024);
  const end = () => {
    session.destroy();
    // A session waits for what it was writing, and hears nothing of a client that is gone: its socket must go by itself.
    socket.destroy();
  };
  socket.once("close", () => sessions.delete(session));
  session.on("error", end);
  const streams = new Set<ServerHttp2Stream>();
  session.setTimeout(silenceMs, () => {
    if (![...streams].some((stream) => isBeingMade(stream, stream.writableLength))) end();
  });
  session.on("stream", (stream, headers, _flags, rawHeaders) => {
    streams.add(stream);
    stream.once("close", () => streams.delete(stream));
    handle(new Http2Exchange(stream, headers, rawHeaders, facts));
  });
}

/** A silent connection may wait for the rest of an answer (a watch without events), but not leave what there is of it unread. */
function isBeingMade(answer: { writableEnded: boolean } | undefined, unreadBytes: number): boolean {
  return answer !== undefined && !answer.writableEnded && unreadBytes === 0;
}

async function closeAll(server: Server, sessions: Map<ServerHttp2Session, TLSSocket>): Promise<void> {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  for (const session of sessions.keys()) session.destroy();
  const force = setTimeout(() => [...sessions.values()].forEach((socket) => socket.destroy()), farewellMs);
  server.closeAllConnections();
  await closed;
  clearTimeout(force);
}
