/**
 * Keeps a number of requests in flight for some seconds and measures rate and latency. h2load sends what is the same each
 * time; what must differ each time (a write that changes something) is sent from here, each lane on an object of its own.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import http2 from "node:http2";
import { join } from "node:path";
import tls from "node:tls";
import type { BenchServer } from "./bench-server.ts";
import { percentile } from "./report.ts";

export type Protocol = "h1" | "h2";

export interface Shape {
  protocol: Protocol;
  inFlight: number;
  seconds: number;
}

export interface Measured {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** User and system time of the server for one request. */
  cpuMicroseconds: number;
  /** Answers other than 2xx. */
  bad: number;
}

export interface SameRequest {
  path: string;
  /** POSTed; without it the request is a GET. */
  body?: string;
  accept?: string;
}

export interface LaneRequest {
  method: "POST" | "PUT" | "PATCH";
  contentType: string;
  path(lane: number): string;
  /** Called once for each request: what it gives must differ from the time before. */
  body(lane: number): string;
}

/** HTTP/2 requests go out on at most so many connections; with HTTP/1.1 each needs its own. */
const h2ConnectionsMax = 16;
/** Connections are made and the server is warm when the counting begins. */
const warmUpSeconds = 1;

export function loadSame(server: BenchServer, request: SameRequest, { protocol, inFlight, seconds }: Shape): Measured {
  const log = join(server.folder, `h2load-${performance.now()}.log`);
  const connections = protocol === "h1" ? inFlight : Math.min(inFlight, h2ConnectionsMax);
  const args = [
    "-D",
    String(seconds),
    "--warm-up-time",
    String(warmUpSeconds),
    "-c",
    String(connections),
    "-m",
    String(inFlight / connections),
  ];
  args.push(`--log-file=${log}`, "-H", `authorization: Bearer ${server.token}`, "-H", "user-agent: bench");
  if (protocol === "h1") args.push("--h1");
  if (request.accept !== undefined) args.push("-H", `accept: ${request.accept}`);
  if (request.body !== undefined) {
    const file = join(server.folder, "body.json");
    writeFileSync(file, request.body);
    args.push("-H", "content-type: application/json", "-d", file);
  }
  const cpuBefore = server.cpuMs();
  execFileSync("h2load", [...args, server.base + request.path], { stdio: ["ignore", "ignore", "inherit"] });
  const cpuMs = server.cpuMs() - cpuBefore;
  const rows = readFileSync(log, "utf8").trimEnd().split("\n");
  const answers = rows
    .map((row) => row.split("\t"))
    .map(([at, code, took]) => ({ at: Number(at), code, took: Number(took) }));
  const countedFrom = answers.at(-1)!.at - seconds * 1_000_000;
  const latencies = answers.filter(({ at }) => at >= countedFrom).map(({ took }) => took / 1000);
  const bad = answers.filter(({ code = "" }) => !code.startsWith("2")).length;
  return measured(Float64Array.from(latencies), seconds, (cpuMs * 1000) / answers.length, bad);
}

export async function loadLanes(server: BenchServer, request: LaneRequest, shape: Shape): Promise<Measured> {
  const connections = await openConnections(server, shape);
  const latencies: number[] = [];
  let bad = 0;
  const cpuBefore = server.cpuMs();
  const from = performance.now();
  const until = from + shape.seconds * 1000;
  const lane = async (number: number) => {
    while (performance.now() < until) {
      const sentAt = performance.now();
      const code = await connections[number % connections.length]!.send(request, number);
      latencies.push(performance.now() - sentAt);
      if (code < 200 || code > 299) bad += 1;
    }
  };
  await Promise.all(Array.from({ length: shape.inFlight }, (_, number) => lane(number)));
  const seconds = (performance.now() - from) / 1000;
  const cpuMs = server.cpuMs() - cpuBefore;
  for (const connection of connections) connection.close();
  return measured(Float64Array.from(latencies), seconds, (cpuMs * 1000) / latencies.length, bad);
}

function measured(latencies: Float64Array, seconds: number, cpuMicroseconds: number, bad: number): Measured {
  latencies.sort();
  return {
    perSecond: latencies.length / seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    cpuMicroseconds,
    bad,
  };
}

interface LaneConnection {
  /** Resolves with the status code when the whole answer is here. */
  send(request: LaneRequest, lane: number): Promise<number>;
  close(): void;
}

function openConnections(server: BenchServer, { protocol, inFlight }: Shape): Promise<LaneConnection[]> {
  const number = protocol === "h1" ? inFlight : Math.min(inFlight, h2ConnectionsMax);
  return Promise.all(Array.from({ length: number }, () => (protocol === "h1" ? openHttp1(server) : openHttp2(server))));
}

async function openHttp2(server: BenchServer): Promise<LaneConnection> {
  const session = http2.connect(server.base, { ca: server.ca });
  await new Promise<void>((resolve, reject) => session.once("connect", () => resolve()).once("error", reject));
  return {
    send: (request, lane) =>
      new Promise((resolve, reject) => {
        const stream = session.request({
          ":method": request.method,
          ":path": request.path(lane),
          authorization: `Bearer ${server.token}`,
          "user-agent": "bench",
          "content-type": request.contentType,
        });
        let code = 0;
        stream.once("response", (headers) => (code = Number(headers[":status"])));
        stream.on("data", () => {});
        stream.once("end", () => resolve(code));
        stream.once("error", reject);
        stream.end(request.body(lane));
      }),
    close: () => session.destroy(),
  };
}

/** One request after the other on a bare socket: Node's own client would cost more than the server. */
async function openHttp1(server: BenchServer): Promise<LaneConnection> {
  const socket = tls.connect({ port: server.port, host: "127.0.0.1", ca: server.ca, ALPNProtocols: ["http/1.1"] });
  await new Promise<void>((resolve, reject) => socket.once("secureConnect", () => resolve()).once("error", reject));
  let waiting: { resolve(code: number): void; reject(error: Error): void } | undefined;
  let received = Buffer.alloc(0);
  socket.on("data", (piece) => {
    received = received.length === 0 ? piece : Buffer.concat([received, piece]);
    const headEnd = received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = received.toString("latin1", 0, headEnd);
    const length = Number(head.match(/content-length: (\d+)/i)?.[1] ?? 0);
    if (received.length < headEnd + 4 + length) return;
    received = received.subarray(headEnd + 4 + length);
    waiting?.resolve(Number(head.slice(9, 12)));
  });
  socket.on("close", () => waiting?.reject(new Error("the server closed the connection")));
  return {
    send: (request, lane) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        const body = request.body(lane);
        socket.write(
          `${request.method} ${request.path(lane)} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${server.token}\r\n` +
            `user-agent: bench\r\ncontent-type: ${request.contentType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        );
      }),
    close: () => socket.destroy(),
  };
}
