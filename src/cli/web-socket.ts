/** A streaming subresource (exec, attach, port-forward) over a WebSocket, authenticated as the session is. */
import WebSocket from "ws";
import { tlsOptions } from "#client/http-connection.ts";
import { queryText } from "#client/http-transport.ts";
import { statusError } from "#client/client.ts";
import type { Session } from "./session.ts";

export const openTimeoutMs = 30_000;

/** Resolves with an open socket; rejects with the server's own words when it refuses. */
export function openWebSocket(
  { kubeconfig }: Session,
  path: string,
  query: Record<string, string | string[]>,
  protocols: string[],
): Promise<WebSocket> {
  const { connection } = kubeconfig;
  const url = `${connection.server.replace(/^http/, "ws")}${path}${queryText(query)}`;
  const headers = connection.token === undefined ? {} : { authorization: `Bearer ${connection.token}` };
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocols, {
      ...(tlsOptions(connection) as object),
      headers,
      handshakeTimeout: openTimeoutMs,
      perMessageDeflate: false,
    });
    socket.binaryType = "nodebuffer";
    socket.once("open", () => resolve(socket));
    socket.once("error", reject);
    socket.once("unexpected-response", (_request, response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => reject(refusal(response.statusCode ?? 0, Buffer.concat(chunks).toString("utf8"))));
    });
  });
}

function refusal(code: number, text: string): Error {
  try {
    return statusError(JSON.parse(text), code);
  } catch {
    return new Error(text.trim() === "" ? `the server answered ${code}` : text.trim());
  }
}
