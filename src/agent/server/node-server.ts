/** The node's own API over TLS (the kubelet's): what the API server and monitoring ask a node directly. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { answer, refuse, type NodeRequest, type NodeServerOptions } from "./node-request.ts";
import { createNodeAuthorizer } from "./node-authorizer.ts";
import { nodeConfig } from "./node-config.ts";
import { serveLogs } from "./serve-logs.ts";
import { serveNodeLogs } from "./serve-node-logs.ts";
import { resourceMetrics, summary } from "./node-stats.ts";
import { serveStream, serveUpgrade } from "./serve-stream.ts";

export interface NodeServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function startNodeServer(options: NodeServerOptions): Promise<NodeServer> {
  const { servingCert: cert, servingKey: key, clientCa: ca } = options.identity;
  const authorize = createNodeAuthorizer(options.client, options.nodeName);
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false, minVersion: "TLSv1.2" });
  server.on("request", (request, response) => {
    void handle(request, response).catch((error: unknown) => {
      options.log.warn("node request failed", { path: request.url?.split("?")[0], error });
      if (!response.headersSent) answer(response, 500, error instanceof Error ? error.message : String(error));
      else response.destroy();
    });
  });
  server.on("upgrade", (request, socket: Duplex, head) => {
    socket.on("error", () => socket.destroy());
    void upgrade(request, socket, head).catch((error: unknown) => {
      options.log.warn("node upgrade failed", { path: request.url?.split("?")[0], error });
      refuse(socket, 500, error instanceof Error ? error.message : String(error));
    });
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parsed = parse(request, options);
    if (parsed === undefined) return answer(response, 400, "bad path");
    const verdict = await authorize(request, parsed.parts);
    if (!verdict.allowed) return answer(response, verdict.code, verdict.message);
    await route(request, response, parsed);
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const parsed = parse(request, options);
    if (parsed === undefined) return refuse(socket, 400, "bad path");
    const verdict = await authorize(request, parsed.parts);
    if (!verdict.allowed) return refuse(socket, verdict.code, verdict.message);
    await serveUpgrade(request, socket, head, parsed);
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, () => resolve());
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function parse(request: IncomingMessage, options: NodeServerOptions): NodeRequest | undefined {
  try {
    const url = new URL(request.url ?? "/", "https://node");
    const parts = url.pathname
      .split("/")
      .filter((part) => part !== "")
      .map((part) => decodeURIComponent(part));
    // No part may name another place of a path that is put together later.
    if (parts.some((part) => part === ".." || part === "." || part.includes("/") || part.includes("\0")))
      return undefined;
    return { url, parts, options };
  } catch {
    return undefined;
  }
}

async function route(request: IncomingMessage, response: ServerResponse, parsed: NodeRequest): Promise<void> {
  const { parts, options } = parsed;
  switch (parts[0]) {
    case "healthz":
      return answer(response, 200, "ok");
    case "pods":
    case "runningpods":
      return json(response, { kind: "PodList", apiVersion: "v1", metadata: {}, items: options.pods.list() });
    case "configz":
      return json(response, nodeConfig(options));
    case "logs":
      return await serveNodeLogs(request, response, parsed);
    case "containerLogs":
      return await serveLogs(request, response, parsed);
    case "exec":
    case "attach":
    case "portForward":
    case "run":
      return await serveStream(request, response, parsed);
    case "stats":
      return json(response, await summary(options));
    case "metrics":
      response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8");
      return void response.end(await resourceMetrics(options));
    default:
      return answer(response, 404, "404 page not found\n");
  }
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
