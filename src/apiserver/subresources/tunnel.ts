/**
 * Port forwarding over a WebSocket whose binary messages carry the bytes of a SPDY connection: to the node it is that SPDY
 * connection. Upstream: apiserver/pkg/util/proxy/streamtunnel.go.
 */
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import type { IncomingMessage } from "node:http";
import { failure } from "#api/status-error.ts";
import type { HijackedAnswer } from "#apiserver/answer.ts";
import type { ServerRequest } from "#apiserver/request.ts";
import { answerHead, upgradeHead } from "./upgrade.ts";

export const tunnelPrefix = "SPDY/3.1+";
const messageBytesMax = 16 * 1024 * 1024;
/** What may wait for a slow client before the node is paused. */
const waitingBytesMax = 1024 * 1024;

/** The protocol inside the tunnel that the client asks for, if it asks for one. */
export function tunnelledProtocol(request: ServerRequest): string | undefined {
  if ((request.header("upgrade") ?? "").toLowerCase() !== "websocket") return undefined;
  const offered = (request.header("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
  return offered.find((name) => name.startsWith(tunnelPrefix))?.slice(tunnelPrefix.length);
}

export async function openTunnel(
  request: ServerRequest,
  protocol: string,
  backend: Duplex,
  path: string,
  host: string,
): Promise<HijackedAnswer> {
  const replaced = {
    upgrade: "SPDY/3.1",
    connection: "Upgrade",
    "x-stream-protocol-version": protocol,
    "sec-websocket-key": "",
    "sec-websocket-version": "",
    "sec-websocket-protocol": "",
    "sec-websocket-extensions": "",
  };
  backend.write(upgradeHead(request, path, host, replaced).replace(/^GET /, "POST "));
  const { code, text, rest } = await answerHead(backend);
  if (code !== 101) {
    backend.destroy();
    throw failure(code >= 400 ? code : 502, "", `the node refused the upgrade: ${text.split("\r\n")[0] ?? ""}`);
  }
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: messageBytesMax,
    handleProtocols: () => `${tunnelPrefix}${protocol}`,
  });
  const { socket, head } = request.upgrade!;
  const message = { method: "GET", headers: request.headers(), url: request.path } as unknown as IncomingMessage;
  server.handleUpgrade(message, socket, head, (client) => carry(client, backend, rest));
  return { type: "hijacked" };
}

function carry(client: WebSocket, backend: Duplex, first: Buffer): void {
  if (first.length > 0) client.send(first, { binary: true });
  backend.on("data", (piece: Buffer) => {
    client.send(piece, { binary: true }, () => {
      if (backend.isPaused() && client.bufferedAmount < waitingBytesMax) backend.resume();
    });
    if (client.bufferedAmount >= waitingBytesMax) backend.pause();
  });
  backend.on("close", () => client.close());
  backend.on("error", () => client.terminate());
  client.on("message", (data: Buffer) => {
    if (backend.write(data)) return;
    client.pause();
    backend.once("drain", () => client.resume());
  });
  client.on("close", () => backend.destroy());
  client.on("error", () => backend.destroy());
  backend.resume();
}
