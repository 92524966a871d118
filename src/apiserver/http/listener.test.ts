import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, describe, expect, it } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { openPki } from "#apiserver/pki.ts";
import { listen } from "./listener.ts";

const folder = mkdtempSync(join(tmpdir(), "capstan-listener-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("listener", () => {
  it("closes, whatever clients left in the middle of an answer", async () => {
    const pki = await openPki(folder, systemClock);
    const { cert, key } = await pki.keep("serving", { commonName: "server", hosts: ["localhost"] });
    const body = [Buffer.alloc(8 * 1024 * 1024)];
    const listener = await listen(
      { port: 0, host: "127.0.0.1", tls: { cert, key, clientCa: pki.ca.cert } },
      (exchange) => exchange.respond(200, {}, body),
    );
    const leave = async () => {
      const tcp = connectTcp(listener.port, "127.0.0.1");
      await once(tcp, "connect");
      const socket = connectTls({ socket: tcp, ca: pki.ca.cert, servername: "localhost", ALPNProtocols: ["h2"] });
      const settings = { initialWindowSize: 16 * 1024 * 1024 };
      const client = connectHttp2(`https://localhost`, { createConnection: () => socket, settings });
      client.on("error", () => {});
      client.on("connect", () => client.setLocalWindowSize(64 * 1024 * 1024));
      const stream = client.request({ ":path": "/" });
      stream.on("error", () => {});
      await once(stream, "data");
      tcp.resetAndDestroy();
    };
    await Promise.all(Array.from({ length: 20 }, leave));
    await listener.close();
    expect(listener.port).toBeGreaterThan(0);
  });
});
