/**
 * What the wire does to those who mean harm: each gets a clean refusal or a closed connection, nothing is written, and the
 * server goes on.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { createLogger } from "#lib/log.ts";
import { createMemoryStore } from "#store/memory-store.ts";
import { openPki } from "#apiserver/pki.ts";
import { type ApiServer, createApiServer } from "#apiserver/server.ts";

const folder = mkdtempSync(join(tmpdir(), "capstan-hostile-"));
const maps = "/api/v1/namespaces/default/configmaps";
let server: ApiServer;
let port = 0;
let keys: { ca: string; cert: string; key: string };

beforeAll(async () => {
  const pki = await openPki(folder, systemClock);
  const log = createLogger({ write() {} });
  server = await createApiServer({ store: createMemoryStore(), clock: systemClock, log, pki });
  const serving = await pki.keep("serving", { commonName: "kube-apiserver", hosts: ["127.0.0.1", "localhost"] });
  const admin = await pki.keep("admin", { commonName: "admin", organizations: ["system:masters"] });
  const tls = { cert: serving.cert, key: serving.key, clientCa: pki.ca.cert };
  port = (await server.listen({ port: 0, host: "127.0.0.1", tls })).port;
  keys = { ca: pki.ca.cert, ...admin };
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

/** Everything that comes back until the server closes; `who`: with the administrator's certificate, or nobody's. */
async function speak(bytes: string, who: "admin" | "nobody" = "admin"): Promise<string> {
  const { ca, cert, key } = keys;
  const identity = who === "admin" ? { cert, key } : {};
  const socket = connectTls({ port, host: "127.0.0.1", ca, servername: "localhost", ...identity });
  await once(socket, "secureConnect");
  let answer = "";
  socket.on("data", (piece: Buffer) => (answer += piece.toString()));
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.write(bytes);
  await closed;
  return answer;
}
const codesOf = (answer: string): number[] =>
  [...answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map((match) => Number(match[1]));
const head = (line: string, ...more: string[]): string => [line, "Host: localhost", ...more, "", ""].join("\r\n");
const get = (path: string, ...more: string[]): string => head(`GET ${path} HTTP/1.1`, "Connection: close", ...more);

async function session(): Promise<ClientHttp2Session> {
  const client = connectHttp2(`https://localhost:${port}`, keys);
  client.on("error", () => {});
  await once(client, "connect");
  return client;
}

async function request(client: ClientHttp2Session, headers: Record<string, string>, body?: Buffer) {
  const stream = client.request(headers, { endStream: body === undefined });
  const answered = once(stream, "response") as Promise<[Record<string, number>]>;
  if (body !== undefined) stream.end(body);
  const [answer] = await answered;
  return { code: Number(answer[":status"]), body: await text(stream) };
}

async function isAlive(): Promise<boolean> {
  const client = await session();
  const { code } = await request(client, { ":path": "/readyz" });
  client.destroy();
  return code === 200;
}

describe("HTTP/1.1", () => {
  const smuggled = get("/api/v1/secrets");
  it.each<[string, string, readonly number[]]>([
    [
      "a length and chunks at once",
      head(`POST ${maps} HTTP/1.1`, "Content-Length: 5", "Transfer-Encoding: chunked") + `0\r\n\r\n${smuggled}`,
      [400],
    ],
    ["two lengths", head(`POST ${maps} HTTP/1.1`, "Content-Length: 5", "Content-Length: 6") + "abcdef", [400]],
    ["a length below nothing", head(`POST ${maps} HTTP/1.1`, "Content-Length: -5"), [400]],
    ["a folded header", head(`POST ${maps} HTTP/1.1`, "Transfer-Encoding:\r\n chunked") + "0\r\n\r\n", [400]],
    ["lines without returns", "GET /version HTTP/1.1\nHost: x\n\n", [400]],
    ["a path without a slash", get("version"), [400]],
    ["headers without end", get("/version", `X-A: ${"a".repeat(1024 * 1024)}`), []],
    [
      "extensions of a chunk without end",
      head(`POST ${maps} HTTP/1.1`, "Content-Type: application/json", "Transfer-Encoding: chunked") +
        `1;${"a".repeat(1024 * 1024)}\r\nx\r\n0\r\n\r\n`,
      [413],
    ],
    ["a tunnel to elsewhere", head("CONNECT 127.0.0.1:22 HTTP/1.1"), []],
    ["a method for echoes", head("TRACE /version HTTP/1.1", "Connection: close"), [405]],
    [
      "requests behind an upgrade that fails",
      head(
        "POST /api/v1/namespaces/default/pods/none/exec?command=x HTTP/1.1",
        "Connection: Upgrade",
        "Upgrade: SPDY/3.1",
        "Content-Length: 0",
      ) + smuggled,
      [404],
    ],
  ])("answers %s with a refusal only", async (_, bytes, codes) => {
    const answer = await speak(bytes);
    // A connection may be cut before a refusal of what is still being sent has arrived.
    expect(codes.length === 0 ? codesOf(answer).filter((code) => code < 400) : codesOf(answer)).toEqual([...codes]);
    expect(answer).not.toContain("SecretList");
  });

  it.each([
    `${maps}/../../kube-system/secrets`,
    `${maps}/%2e%2e`,
    "/api/v1/namespaces/default%2f..%2fkube-system/configmaps",
    `${maps}/a%2fb`,
    `${maps}/%zz`,
    `${maps}/a%00b`,
    "/api//v1//secrets",
  ])("the path %s leads nowhere", async (path) => {
    const answer = await speak(get(path));
    expect([400, 404]).toContain(codesOf(answer)[0]);
    expect(answer).not.toContain("List");
  });

  const unsigned = [
    { alg: "none" },
    {
      iss: "https://kubernetes.default.svc.cluster.local",
      sub: "system:serviceaccount:kube-system:default",
      exp: 1e10,
    },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  it.each<[string, readonly string[], number]>([
    ["names itself in headers of proxies", ["X-Remote-User: admin", "X-Remote-Group: system:masters"], 403],
    ["impersonates", ["Impersonate-User: admin", "Impersonate-Group: system:masters"], 403],
    ["impersonates a group alone", ["Impersonate-Group: system:masters"], 400],
    ["shows two tokens", ["Authorization: Bearer a", "Authorization: Bearer b"], 401],
    ["shows a token that nobody signed", [`Authorization: Bearer ${unsigned.join(".")}.`], 401],
  ])("who has no certificate and %s gets nothing", async (_, headers, code) => {
    const answer = await speak(get("/api/v1/secrets", ...headers), "nobody");
    expect(codesOf(answer)).toEqual([code]);
    expect(answer).not.toContain("SecretList");
  });

  it("headers named like an object's own parts are headers", async () => {
    expect(codesOf(await speak(get("/version", "__proto__: x", "__proto__: y", "constructor: z")))).toEqual([200]);
  });
});

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** GET https / from the table that every peer knows. */
const getRoot = Buffer.from([0x82, 0x87, 0x84]);
const cancel = Buffer.from([0, 0, 0, 8]);

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head9 = Buffer.alloc(9);
  head9.writeUIntBE(payload.length, 0, 3);
  head9.writeUInt8(type, 3);
  head9.writeUInt8(flags, 4);
  head9.writeUInt32BE(stream, 5);
  return Buffer.concat([head9, payload]);
}

describe("HTTP/2", () => {
  it.each<[string, Record<string, string>, Buffer, number]>([
    [
      "what is packed: nothing unpacks it",
      { "content-encoding": "gzip" },
      gzipSync(Buffer.alloc(50 * 1024 * 1024)),
      400,
    ],
    ["depth without end", {}, Buffer.alloc(1024 * 1024, "["), 400],
    ["depth without end in YAML", { "content-type": "application/yaml" }, Buffer.alloc(64 * 1024, "["), 400],
    ["too much", {}, Buffer.alloc(3 * 1024 * 1024 + 1, " "), 413],
    ["a mark before JSON", {}, Buffer.from('\ufeff{"metadata":{"name":"bom"}}'), 400],
    ["a number beyond all", {}, Buffer.from('{"metadata":{"name":"big","generation":1e400}}'), 400],
    ["CBOR", { "content-type": "application/cbor" }, Buffer.from([0xd9, 0xd9, 0xf7, 0x9b, 255, 255, 255, 255]), 415],
    [
      "protobuf that promises more than it holds",
      { "content-type": "application/vnd.kubernetes.protobuf" },
      Buffer.from("k8s\0\x12\xff\xff\xff\xff\x0f", "latin1"),
      400,
    ],
  ])("refuses %s", async (_, headers, body, code) => {
    const client = await session();
    const common = { ":path": maps, ":method": "POST", "content-type": "application/json" };
    expect((await request(client, { ...common, ...headers }, body)).code).toBe(code);
    client.destroy();
  });

  it.each<[string, (id: number) => Buffer]>([
    ["open streams only to reset them", (id) => Buffer.concat([frame(1, 5, id, getRoot), frame(3, 0, id, cancel)])],
    [
      "send headers that never end",
      (id) => (id === 1 ? frame(1, 1, 1, getRoot) : frame(9, 0, 1, Buffer.from([0x82, 0x87, 0x84]))),
    ],
    ["open more streams than they may", (id) => frame(1, 4, id, getRoot)],
    ["ask for pings without reading any", () => frame(6, 0, 0, Buffer.alloc(8))],
    ["change settings all the time", () => frame(4, 0, 0, Buffer.alloc(0))],
  ])("cuts off those who %s, and goes on", async (_, frameOf) => {
    const { ca, cert, key } = keys;
    const options = { port, host: "127.0.0.1", ca, cert, key, servername: "localhost", ALPNProtocols: ["h2"] };
    const socket = connectTls(options);
    await once(socket, "secureConnect");
    socket.on("error", () => {});
    socket.pause();
    const closed = once(socket, "close");
    socket.write(Buffer.concat([preface, frame(4, 0, 0, Buffer.alloc(0))]));
    const frames = Array.from({ length: 5000 }, (_unused, at) => frameOf(2 * at + 1));
    socket.write(Buffer.concat(frames));
    socket.resume();
    await closed;
    expect(await isAlive()).toBe(true);
  });
});

it("wrote nothing of all this", async () => {
  const client = await session();
  const { body } = await request(client, { ":path": maps });
  client.destroy();
  expect((JSON.parse(body) as { items: unknown[] }).items).toEqual([]);
});
