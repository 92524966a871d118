/** What every handler of the node's API gets, and the plain answers that all of them give. */
import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "#lib/log.ts";
import type { Client } from "#client/client.ts";
import type { AgentPaths } from "#agent/agent-paths.ts";
import type { NodePods } from "#agent/pod/node-pods.ts";
import type { RuntimeClient } from "#agent/runtime/runtime-client.ts";

export interface NodeServerOptions {
  readonly port: number;
  readonly nodeName: string;
  readonly identity: { readonly servingCert: string; readonly servingKey: string; readonly clientCa: string };
  readonly client: Client;
  readonly pods: NodePods;
  readonly runtime: RuntimeClient;
  readonly paths: AgentPaths;
  readonly log: Logger;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly resolvConf?: string | undefined;
  readonly runtimeEndpoint?: string | undefined;
}

export interface NodeRequest {
  readonly url: URL;
  /** The path's parts, decoded. */
  readonly parts: readonly string[];
  readonly options: NodeServerOptions;
}

export function answer(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" });
  response.end(text);
}

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  500: "Internal Server Error",
};

/** Answers on a socket that asked for an upgrade. */
export function refuse(socket: Duplex, code: number, text: string): void {
  const body = Buffer.from(text);
  socket.end(
    `HTTP/1.1 ${code} ${reasons[code] ?? "Error"}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${text}`,
  );
}
