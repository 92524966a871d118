/** What proves who somebody is, and what Secrets hold, shows up nowhere else: no log, no metric, no refusal. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { createLogger } from "#lib/log.ts";
import { createMemoryStore } from "#store/memory-store.ts";
import { openPki } from "./pki.ts";
import { type ApiServer, createApiServer } from "./server.ts";

const folder = mkdtempSync(join(tmpdir(), "capstan-secrets-"));
const secrets = "/api/v1/namespaces/default/secrets";
const reviews = "/apis/authentication.k8s.io/v1/tokenreviews";
const word = "hunter2hunter2";
const encoded = Buffer.from(word).toString("base64");
const said: string[] = [];
let server: ApiServer;
let port = 0;
let keys: { ca: string; cert: string; key: string };

beforeAll(async () => {
  const pki = await openPki(folder, systemClock);
  const log = createLogger({ level: "debug", write: (line) => void said.push(line) });
  const user = { name: "somebody", groups: ["system:authenticated"] };
  const store = createMemoryStore();
  server = await createApiServer({ store, clock: systemClock, log, pki, tokens: [{ token: word, user }] });
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

interface Asked {
  path: string;
  /** In place of the administrator's certificate. */
  authorization?: string;
  /** Sent as JSON, with POST. */
  body?: object;
}

async function ask({ path, authorization, body }: Asked): Promise<{ code: number; heard: string }> {
  const client = connect(`https://localhost:${port}`, authorization === undefined ? keys : { ca: keys.ca });
  const stream = client.request(
    {
      ":method": body === undefined ? "GET" : "POST",
      ":path": path,
      "content-type": "application/json",
      ...(authorization === undefined ? {} : { authorization }),
    },
    { endStream: body === undefined },
  );
  if (body !== undefined) stream.end(JSON.stringify(body));
  const [headers] = (await once(stream, "response")) as [Record<string, number>];
  const heard = await text(stream);
  client.destroy();
  return { code: Number(headers[":status"]), heard };
}

const secret = (fields: object): Asked => ({ path: secrets, body: { metadata: { name: "s" }, ...fields } });
const data = { k: encoded };

it.each<[string, Asked]>([
  ["a token that is good, and may not do this", { path: secrets, authorization: `Bearer ${word}` }],
  ["a token that is none", { path: secrets, authorization: `Bearer ${word}x` }],
  ["a password", { path: secrets, authorization: `Basic ${Buffer.from(`a:${word}`).toString("base64")}` }],
  ["a token where none belongs", { path: `${secrets}?access_token=${word}`, authorization: "Bearer x" }],
  ["a Secret under a bad name", secret({ metadata: { name: "A" }, data })],
  ["a Secret under a bad key", secret({ data: { "a b": encoded } })],
  ["a Secret of a type that it does not fit", secret({ type: "kubernetes.io/tls", data })],
  ["a Secret that is too large", secret({ stringData: { k: word.repeat(100_000) } })],
  ["a Secret whose data are text", secret({ data: { k: `${word}!` } })],
  ["a token to review that is none", { path: reviews, body: { spec: { token: "" }, status: { error: word } } }],
])("%s is not told back", async (_, asked) => {
  const { code, heard } = await ask(asked);
  expect(code).toBeGreaterThanOrEqual(400);
  expect(heard).not.toContain(word);
  expect(heard).not.toContain(encoded);
});

it("neither logs nor metrics know any of it", async () => {
  expect((await ask(secret({ data }))).code).toBe(201);
  const metrics = (await ask({ path: "/metrics" })).heard;
  expect(metrics).toContain("apiserver_storage_objects");
  for (const where of [said.join("\n"), metrics]) {
    expect(where).not.toContain(word);
    expect(where).not.toContain(encoded);
  }
});

it.each(["/debug/pprof/", "/debug/pprof/heap", "/debug/flags/v", "/logs/", "/configz"])(
  "%s tells nobody anything",
  async (path) => {
    expect((await ask({ path })).code).toBe(404);
    expect((await ask({ path, authorization: `Bearer ${word}` })).code).toBe(403);
  },
);
