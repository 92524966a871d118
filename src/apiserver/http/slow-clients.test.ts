/** Connections that make the server wait: each wait has a limit, and the connection ends with it. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { silentLogger } from "#lib/log.ts";
import { createMemoryStore } from "#store/memory-store.ts";
import { openPki } from "#apiserver/pki.ts";
import { type ApiServer, createApiServer } from "#apiserver/server.ts";
import type { LocalTransport } from "#apiserver/transport.ts";
import { type Patience } from "./listener.ts";
import { watcherPendingBytesMax } from "./write-answer.ts";

const folder = mkdtempSync(join(tmpdir(), "capstan-slow-"));
const space = "/api/v1/namespaces/default/configmaps";
const onlyNews = "watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan";
const patience: Patience = { handshakeMs: 1_000, headMs: 150, bodyMs: 150, requestMs: 300, silenceMs: 400 };
let server: ApiServer;
let admin: LocalTransport;
let port = 0;
let keys: { ca: string; cert: string; key: string };
const open: { destroy(): void }[] = [];

beforeAll(async () => {
  const pki = await openPki(folder, systemClock);
  server = await createApiServer({ store: createMemoryStore(), clock: systemClock, log: silentLogger, pki });
  admin = server.transport({ name: "admin", groups: ["system:masters", "system:authenticated"] }, "test");
  const serving = await pki.keep("serving", { commonName: "kube-apiserver", hosts: ["127.0.0.1", "localhost"] });
  const pair = await pki.keep("admin", { commonName: "admin", organizations: ["system:masters"] });
  const tls = { cert: serving.cert, key: serving.key, clientCa: pki.ca.cert };
  port = (await server.listen({ port: 0, host: "127.0.0.1", tls, patience })).port;
  keys = { ca: pki.ca.cert, ...pair };
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  for (const one of open.splice(0)) one.destroy();
});

async function secure(protocol: "h2" | "http/1.1"): Promise<Socket> {
  const { ca, cert, key } = keys;
  const options = { port, host: "127.0.0.1", ca, cert, key, servername: "localhost", ALPNProtocols: [protocol] };
  const socket = connectTls(options);
  open.push(socket);
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

async function session(settings: { initialWindowSize?: number } = {}): Promise<ClientHttp2Session> {
  const client = connectHttp2(`https://localhost:${port}`, { ...keys, settings });
  open.push(client);
  client.on("error", () => {});
  await once(client, "connect");
  return client;
}

/** What came before the server closed; nothing of it is waited for. */
async function untilClosed(socket: Socket): Promise<string> {
  let heard = "";
  socket.on("data", (piece: Buffer) => (heard += piece.toString("latin1")));
  socket.resume();
  if (!socket.destroyed) await once(socket, "close");
  return heard;
}

const post = (...more: string[]): string =>
  [`POST ${space} HTTP/1.1`, "Host: localhost", "Content-Type: application/json", ...more, "", ""].join("\r\n");

describe("a connection ends on which nobody", () => {
  it("ever begins TLS", async () => {
    const socket = connectTcp({ port, host: "127.0.0.1" });
    open.push(socket);
    socket.on("error", () => {});
    expect(await untilClosed(socket)).toBe("");
  });

  it.each<[string, string, RegExp]>([
    ["asks for anything", "", /^$|^HTTP\/1\.1 408 /],
    ["comes to the end of a request's head", "GET /version HTTP/1.1\r\nHost: x\r\nX-A: ", /^HTTP\/1\.1 408 /],
    ["comes to the end of a body", `${post("Content-Length: 100")}{"a"`, /^HTTP\/1\.1 408 /],
    ["comes to the end of a chunk", `${post("Transfer-Encoding: chunked")}ff\r\n{"a"`, /^HTTP\/1\.1 408 /],
  ])("%s over HTTP/1.1", async (_, said, answer) => {
    const socket = await secure("http/1.1");
    socket.write(said);
    expect(await untilClosed(socket)).toMatch(answer);
  });

  it.each<[string, string]>([
    ["says what version it speaks", ""],
    ["asks for anything", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"],
    [
      "comes to the end of a request's head",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x01\0\0\0\x01\x82",
    ],
  ])("%s over HTTP/2", async (_, said) => {
    const socket = await secure("h2");
    socket.write(Buffer.from(said, "latin1"));
    await untilClosed(socket);
  });

  it("comes to the end of a body over HTTP/2, though it says something all the time", async () => {
    const client = await session();
    const stream = client.request({ ":path": space, ":method": "POST", "content-type": "application/json" });
    stream.on("error", () => {});
    const trickle = setInterval(() => stream.destroyed || stream.write(" "), 20);
    const [headers] = (await once(stream, "response")) as [Record<string, number>];
    clearInterval(trickle);
    expect(headers[":status"]).toBe(408);
  });
});

describe("answers that nobody reads", () => {
  const large = "x".repeat(900 * 1024);
  const maps = ["a", "b", "c", "d", "e", "f"];
  const answers = 8;
  beforeAll(async () => {
    for (const name of maps)
      await admin.request({ method: "POST", path: space, body: { metadata: { name }, data: { large } } });
  });

  it("end with the connection over HTTP/1.1", async () => {
    const socket = await secure("http/1.1");
    socket.pause();
    // More than the buffers of both kernels take in.
    socket.write(`GET ${space} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(answers));
    // Who does not read learns of the end when it writes.
    const writing = setInterval(() => socket.write("\r\n"), 20);
    await new Promise((resolve) => socket.once("close", resolve));
    clearInterval(writing);
  });

  it("end with their stream over HTTP/2", async () => {
    const client = await session({ initialWindowSize: 1 });
    const stream = client.request({ ":path": space });
    stream.on("error", () => {});
    stream.pause();
    await expect(once(stream, "close")).rejects.toThrow("NGHTTP2_INTERNAL_ERROR");
  });

  it("are no reason to keep more than a watch may leave unread", async () => {
    const client = await session({ initialWindowSize: 1 });
    const watch = client.request({ ":path": `${space}?${onlyNews}` });
    watch.on("error", () => {});
    const closed = expect(once(watch, "close")).rejects.toThrow("NGHTTP2_INTERNAL_ERROR");
    watch.pause();
    await once(watch, "response");
    for (let at = 0; at * large.length < 2 * watcherPendingBytesMax && !watch.closed; at += 1)
      await admin.request({
        method: "PATCH",
        path: `${space}/a`,
        contentType: "application/merge-patch+json",
        body: { data: { at: String(at) } },
      });
    await closed;
  });
});

it("a watch may be silent for longer than a connection may", async () => {
  const path = `${space}?${onlyNews}`;
  const stream = (await session()).request({ ":path": path });
  await once(stream, "response");
  const socket = await secure("http/1.1");
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await once(socket, "data");
  for (const protocol of ["http/1.1", "h2"] as const) await untilClosed(await secure(protocol));
  const events = [once(stream, "data"), once(socket, "data")];
  await admin.request({ method: "POST", path: space, body: { metadata: { name: "late" } } });
  for (const event of events) expect(String(await event)).toContain('"late"');
});
