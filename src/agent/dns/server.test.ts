import { connect } from "node:net";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { silentLogger } from "#lib/log.ts";
import { startDnsServer } from "./server.ts";
import { withLength } from "./upstream.ts";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test("a connection may carry many questions, in pieces, and is answered in the order of answers", async () => {
  const port = await freePort();
  const slow = Promise.withResolvers<void>();
  const server = await startDnsServer(
    "127.0.0.1",
    port,
    async (message, transport) => {
      if (message.toString() === "slow") await slow.promise;
      return Buffer.from(`${transport} ${message.toString()}`);
    },
    silentLogger,
  );
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const replies: string[] = [];
  const three = Promise.withResolvers<void>();
  let received = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= received.readUInt16BE(0) + 2) {
      replies.push(received.subarray(2, received.readUInt16BE(0) + 2).toString());
      received = received.subarray(received.readUInt16BE(0) + 2);
      if (replies.length === 2) slow.resolve();
      if (replies.length === 3) three.resolve();
    }
  });
  const bytes = Buffer.concat(["slow", "a", "b"].map((text) => withLength(Buffer.from(text))));
  socket.write(bytes.subarray(0, 7));
  socket.write(bytes.subarray(7));
  await three.promise;
  expect(replies).toEqual(["tcp a", "tcp b", "tcp slow"]);
  socket.destroy();
  await server.stop();
});

test("an address that is taken is an error", async () => {
  const port = await freePort();
  const first = await startDnsServer("127.0.0.1", port, async () => undefined, silentLogger);
  await expect(startDnsServer("127.0.0.1", port, async () => undefined, silentLogger)).rejects.toThrow("EADDRINUSE");
  await first.stop();
});
