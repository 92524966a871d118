/**
 * A stream of bytes as messages of a WebSocket, for clients that ask for one where others get a plain body: logs. Upstream:
 * apimachinery/pkg/util/httpstream/wsstream/stream.go.
 */
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import type { HijackedAnswer } from "#apiserver/answer.ts";
import type { ServerRequest } from "#apiserver/request.ts";

/** Text of base64, or bytes as they are: also when the client names no protocol. */
const base64Protocol = "base64.binary.k8s.io";
const protocols = ["binary.k8s.io", base64Protocol];
/** The client has nothing to say but that it is still there. */
const messageBytesMax = 4096;
/** What may wait for a slow client before the source is paused. */
const waitingBytesMax = 1024 * 1024;

export function isWebSocketRequest(request: ServerRequest): boolean {
  return request.upgrade !== undefined && (request.header("upgrade") ?? "").toLowerCase() === "websocket";
}

export function streamToWebSocket(request: ServerRequest, body: Readable): HijackedAnswer {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: messageBytesMax,
    handleProtocols: (offered) => protocols.find((name) => offered.has(name)) ?? false,
  });
  const { socket, head } = request.upgrade!;
  const message = { method: "GET", headers: request.headers(), url: request.path } as unknown as IncomingMessage;
  server.once("wsClientError", () => body.destroy());
  server.handleUpgrade(message, socket, head, (client) => carry(client, body));
  return { type: "hijacked" };
}

function carry(client: WebSocket, body: Readable): void {
  const encoded = client.protocol === base64Protocol;
  body.on("data", (piece: Buffer) => {
    client.send(encoded ? piece.toString("base64") : piece, { binary: !encoded }, () => {
      if (body.isPaused() && client.bufferedAmount < waitingBytesMax) body.resume();
    });
    if (client.bufferedAmount >= waitingBytesMax) body.pause();
  });
  body.on("end", () => client.close(1000));
  body.on("error", () => client.terminate());
  client.on("close", () => body.destroy());
  client.on("error", () => body.destroy());
}
