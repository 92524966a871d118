/** Connections to the runtime's streaming server, which speaks plain HTTP on a loopback port. */
import type { IncomingMessage } from "node:http";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { refuse } from "./node-request.ts";

const connectMs = 10_000;

/** A connection that speaks SPDY, and what came with the answer. */
export function connectSpdy(url: URL, protocol: string): Promise<{ socket: Duplex; rest: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, {
      method: "POST",
      headers: { connection: "Upgrade", upgrade: "SPDY/3.1", "x-stream-protocol-version": protocol },
      timeout: connectMs,
    });
    request.on("upgrade", (_response, socket, rest) => {
      socket.setTimeout(0);
      resolve({ socket, rest });
    });
    request.on("response", (response) => {
      response.resume();
      reject(new Error(`the runtime's streaming server answered ${response.statusCode ?? 0}`));
    });
    request.on("timeout", () => request.destroy(new Error("the runtime's streaming server does not answer")));
    request.on("error", reject);
    request.end();
  });
}

/** The runtime knows no version 5: a client that offers only that gets version 4, which differs in nothing on SPDY. */
const withoutVersion5 = (value: string): string => {
  const known = value
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "v5.channel.k8s.io");
  return known.length === 0 ? "v4.channel.k8s.io" : known.join(", ");
};

/** Hands the client's upgrade on as it came, and then every byte of both sides. */
export function passThrough(request: IncomingMessage, client: Duplex, head: Buffer, url: URL): void {
  const server = connect({ host: url.hostname, port: Number(url.port) });
  const headers: string[] = [];
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at] ?? "";
    const value = request.rawHeaders[at + 1] ?? "";
    const lower = name.toLowerCase();
    if (lower === "host" || lower === "authorization" || lower === "content-length") continue;
    headers.push(`${name}: ${lower === "x-stream-protocol-version" ? withoutVersion5(value) : value}`);
  }
  server.once("connect", () => {
    const lines = [
      `${request.method ?? "POST"} ${url.pathname}${url.search} HTTP/1.1`,
      `Host: ${url.host}`,
      ...headers,
    ];
    server.write(`${lines.join("\r\n")}\r\n\r\n`);
    if (head.length > 0) server.write(head);
    server.pipe(client);
    client.pipe(server);
  });
  let connected = false;
  server.once("connect", () => (connected = true));
  server.on("error", () => {
    if (connected) client.destroy();
    else refuse(client, 500, "the runtime's streaming server does not answer");
  });
  server.on("close", () => client.end());
  client.on("close", () => server.destroy());
}
