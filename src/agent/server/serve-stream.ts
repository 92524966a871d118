/** exec, attach and port-forward. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { answer, refuse, type NodeRequest } from "./node-request.ts";

export async function serveStream(
  _request: IncomingMessage,
  response: ServerResponse,
  _parsed: NodeRequest,
): Promise<void> {
  answer(response, 400, "Upgrade request required");
}

export async function serveUpgrade(
  _request: IncomingMessage,
  socket: Duplex,
  _head: Buffer,
  _parsed: NodeRequest,
): Promise<void> {
  refuse(socket, 400, "Upgrade request required");
}
