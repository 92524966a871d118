/**
 * A watch whose events are messages of a WebSocket, one each, as browsers take them: text if they are JSON. Upstream:
 * apiserver/pkg/endpoints/handlers/watch.go, HandleWS.
 */
import type { IncomingMessage } from "node:http";
import { WebSocketServer, type WebSocket } from "ws";
import type { OutgoingEvent, WatchAnswer, WatchSink } from "#apiserver/answer.ts";
import { withoutTokens } from "#apiserver/authn/presented-token.ts";
import type { ServerRequest } from "#apiserver/request.ts";

/** The client has nothing to say but that it is still there. */
const messageBytesMax = 4096;

export type Message = (event: OutgoingEvent) => Buffer;

/** `waitingBytesMax`: what a client may leave unread before it is cut off. */
export function watchOverSocket(
  request: ServerRequest,
  answer: WatchAnswer,
  message: Message,
  options: { binary: boolean; waitingBytesMax: number },
): void {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: messageBytesMax,
    handleProtocols: (offered) => withoutTokens([...offered].join(",")).split(",")[0] || false,
  });
  const { socket, head } = request.upgrade!;
  const asked = { method: "GET", headers: request.headers(), url: request.path } as unknown as IncomingMessage;
  server.handleUpgrade(asked, socket, head, (client) => {
    const close = answer.open(sinkOf(client, message, options));
    client.on("close", close);
    client.on("error", close);
  });
}

function sinkOf(
  client: WebSocket,
  message: Message,
  { binary, waitingBytesMax }: { binary: boolean; waitingBytesMax: number },
): WatchSink {
  let taken = Promise.resolve();
  return {
    send(events) {
      // A client that is gone takes everything at once.
      for (const event of events)
        taken = new Promise((resolve) => client.send(message(event), { binary }, () => resolve()));
      if (client.bufferedAmount <= waitingBytesMax) return true;
      client.terminate();
      return false;
    },
    drained: () => taken,
    end: () => client.close(1000),
  };
}
