/** Listens for DNS on one address, UDP and TCP. */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, isIP, type Server, type Socket } from "node:net";
import type { Logger } from "#lib/log.ts";
import { type Transport, withLength } from "./upstream.ts";

export type Respond = (message: Buffer, transport: Transport) => Promise<Buffer | undefined>;

export interface DnsServer {
  stop(): Promise<void>;
}

const questionsMax = 4_096;
const connectionsMax = 512;
const idleMs = 10_000;
/** Bytes of questions that one connection may have unanswered. */
const pendingBytesMax = 65_537;

/** Rejects if the address cannot be bound. */
export async function startDnsServer(address: string, port: number, respond: Respond, log: Logger): Promise<DnsServer> {
  const udp = await listenUdp(address, port, respond, log);
  try {
    const tcp = await listenTcp(address, port, respond, log);
    return {
      async stop() {
        udp.close();
        for (const connection of tcp.connections) connection.destroy();
        await new Promise<void>((resolve) => tcp.server.close(() => resolve()));
      },
    };
  } catch (error) {
    udp.close();
    throw error;
  }
}

async function listenUdp(address: string, port: number, respond: Respond, log: Logger): Promise<UdpSocket> {
  const socket = createSocket({ type: isIP(address) === 6 ? "udp6" : "udp4", recvBufferSize: 1 << 20 });
  let waiting = 0;
  socket.on("message", (message, from) => {
    // Beyond the limit questions are dropped: askers try again, later.
    if (waiting >= questionsMax) return;
    waiting += 1;
    void respond(message, "udp")
      .then((reply) => reply !== undefined && socket.send(reply, from.port, from.address))
      .catch((error: unknown) => log.warn("question failed", { error }))
      .finally(() => (waiting -= 1));
  });
  socket.bind(port, address);
  await once(socket, "listening");
  socket.on("error", (error) => log.warn("UDP failed", { address, error }));
  return socket;
}

async function listenTcp(
  address: string,
  port: number,
  respond: Respond,
  log: Logger,
): Promise<{ server: Server; connections: Set<Socket> }> {
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    connections.add(socket);
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on("close", () => connections.delete(socket));
    socket.on("error", () => socket.destroy());
    serve(socket, respond, log);
  });
  server.maxConnections = connectionsMax;
  server.listen(port, address);
  await once(server, "listening");
  server.on("error", (error) => log.warn("TCP failed", { address, error }));
  return { server, connections };
}

/** Questions of one connection are answered as answers come, in any order. */
function serve(socket: Socket, respond: Respond, log: Logger): void {
  let received = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (received.length > 2 * pendingBytesMax) return void socket.destroy();
    while (received.length >= 2 && received.length >= received.readUInt16BE(0) + 2) {
      const end = received.readUInt16BE(0) + 2;
      const message = received.subarray(2, end);
      received = received.subarray(end);
      void respond(message, "tcp")
        .then((reply) => reply !== undefined && socket.writable && socket.write(withLength(reply)))
        .catch((error: unknown) => log.warn("question failed", { error }));
    }
  });
}
