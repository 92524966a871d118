/** A real HTTPS server on loopback with a certificate of a CA of its own: what a webhook or an aggregated API server is. */
import { mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import { systemClock } from "#lib/clock.ts";
import { openPki } from "#apiserver/pki.ts";

export interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
  /** The common name of the client's certificate. */
  client: string | undefined;
}

export interface HttpsBackend {
  port: number;
  /** PEM in base64. */
  caBundle: string;
  seen: Seen[];
  close(): Promise<void>;
}

export type Reply = (seen: Seen, response: ServerResponse) => void | Promise<void>;

/** `hosts`: what its certificate is for, beside 127.0.0.1 and localhost. `clientCa`: PEM; whose clients it asks for. */
export async function startHttpsBackend(
  reply: Reply,
  { hosts = [], clientCa }: { hosts?: readonly string[]; clientCa?: string } = {},
): Promise<HttpsBackend> {
  const folder = mkdtempSync(join(tmpdir(), "capstan-backend-"));
  const { ca } = await openPki(folder, systemClock);
  const { cert, key } = await ca.issue({ commonName: "backend", hosts: ["127.0.0.1", "localhost", ...hosts] });
  rmSync(folder, { recursive: true });
  const seen: Seen[] = [];
  const server = createServer(
    { cert, key, ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false }) },
    (request, response) => {
      answer(request, response).catch(() => response.destroy());
    },
  );
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const socket = request.socket as TLSSocket;
    const one: Seen = {
      method: request.method ?? "",
      url: request.url ?? "",
      headers: request.headers,
      body: await text(request),
      client: socket.authorized ? [socket.getPeerCertificate().subject.CN].flat()[0] : undefined,
    };
    seen.push(one);
    await reply(one, response);
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    caBundle: Buffer.from(ca.cert).toString("base64"),
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const sendJson = (response: ServerResponse, body: unknown, code = 200): void => {
  response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
};
