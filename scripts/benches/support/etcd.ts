/** Debian's etcd as the peer of the store: one member on the same disk, asked over gRPC by h2load. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { percentile } from "./report.ts";

export interface Peer {
  call(method: "Put" | "Range", message: Buffer, inFlight: number, seconds: number): PeerFigures;
  stop(): Promise<void>;
}

export interface PeerFigures {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

/** undefined where etcd is not installed. */
export async function startEtcd(parent: string): Promise<Peer | undefined> {
  const folder = mkdtempSync(join(parent, "etcd-"));
  const [client, peer] = [23_790, 23_800].map((port) => port + (process.pid % 10));
  const urls = { client: `http://127.0.0.1:${client}`, peer: `http://127.0.0.1:${peer}` };
  const child = spawn(
    "etcd",
    [
      `--data-dir=${join(folder, "data")}`,
      `--listen-client-urls=${urls.client}`,
      `--advertise-client-urls=${urls.client}`,
      `--listen-peer-urls=${urls.peer}`,
      `--initial-advertise-peer-urls=${urls.peer}`,
      `--initial-cluster=default=${urls.peer}`,
      "--quota-backend-bytes=8589934592",
    ],
    { stdio: "ignore" },
  );
  const isThere = await Promise.race([opens(client!), failed(child)]);
  if (!isThere) {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  return {
    call: (method, message, inFlight, seconds) =>
      load(folder, `${urls.client}/etcdserverpb.KV/${method}`, message, inFlight, seconds),
    async stop() {
      const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      child.kill();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

/** A protobuf message of byte fields. */
export function message(fields: Readonly<Record<number, Buffer>>): Buffer {
  return Buffer.concat(
    Object.entries(fields).flatMap(([number, bytes]) => [
      Buffer.from([(Number(number) << 3) | 2]),
      varint(bytes.length),
      bytes,
    ]),
  );
}

function varint(value: number): Buffer {
  return value < 128 ? Buffer.from([value]) : Buffer.concat([Buffer.from([(value & 127) | 128]), varint(value >> 7)]);
}

function load(folder: string, url: string, message: Buffer, inFlight: number, seconds: number): PeerFigures {
  const body = join(folder, "body");
  const log = join(folder, `log-${performance.now()}`);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  writeFileSync(body, Buffer.concat([head, message]));
  const connections = Math.min(inFlight, 16);
  const size = ["-D", String(seconds), "-c", String(connections), "-m", String(inFlight / connections)];
  const headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"];
  execFileSync("h2load", [...size, ...headers, "-d", body, `--log-file=${log}`, url], { stdio: "ignore" });
  const latencies = Float64Array.from(
    readFileSync(log, "utf8").trimEnd().split("\n"),
    (row) => Number(row.split("\t")[2]) / 1000,
  ).sort();
  return {
    perSecond: latencies.length / seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
}

async function opens(port: number): Promise<boolean> {
  for (;;) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, "127.0.0.1", () => (socket.destroy(), resolve(true)));
      socket.once("error", () => resolve(false));
    });
    if (isOpen) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const failed = (child: ChildProcess): Promise<boolean> =>
  new Promise((resolve) => child.once("error", () => resolve(false)));
