/** Webhooks that mean harm: what they answer reaches nobody, and what they do not answer holds nobody up for long. */
import { mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { createLogger } from "#lib/log.ts";
import { createMemoryStore } from "#store/memory-store.ts";
import { openPki } from "#apiserver/pki.ts";
import { type ApiServer, createApiServer } from "#apiserver/server.ts";
import type { LocalTransport } from "#apiserver/transport.ts";
import { answerBytesMax } from "#apiserver/webhook/call.ts";

const folder = mkdtempSync(join(tmpdir(), "capstan-webhook-"));
const maps = "/api/v1/namespaces/default/configmaps";
const hooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const lines: string[] = [];
const reached: string[] = [];
let api: ApiServer;
let admin: LocalTransport;
let webhook: Server;
let ca = "";

const filler = Buffer.alloc(64 * 1024, "a");
/** By the path that the webhook is called at. */
const behaviours: Readonly<Record<string, (response: ServerResponse, request: IncomingMessage) => void>> = {
  "/never": () => {},
  "/slowly": (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const trickle = setInterval(() => response.write(" "), 50);
    response.once("close", () => clearInterval(trickle));
  },
  "/endless": (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const fill = () => {
      while (response.write(filler));
    };
    response.on("drain", fill);
    fill();
  },
  "/elsewhere": (response) => {
    response.writeHead(302, { location: "/inside" });
    response.end("the redirect's own body");
  },
  "/no-json": (response) => response.end("<html>"),
  "/another": (response) => response.end('{"response":{"uid":"another","allowed":true}}'),
  "/null": (response) => response.end("null"),
  "/number": (response) => response.end('{"response":1}'),
  "/no-bool": (response) => response.end('{"response":{"allowed":"yes"}}'),
  "/no-warnings": (response) => response.end('{"response":{"allowed":true,"warnings":{"length":1}}}'),
  "/no-message": (response) => response.end('{"response":{"allowed":false,"status":{"message":{"a":1}}}}'),
  "/nothing": (response) => response.end("{}"),
};

beforeAll(async () => {
  const pki = await openPki(folder, systemClock);
  const log = createLogger({ level: "debug", write: (line) => void lines.push(line) });
  api = await createApiServer({ store: createMemoryStore(), clock: systemClock, log, pki });
  admin = api.transport({ name: "admin", groups: ["system:masters", "system:authenticated"] }, "test");
  const { cert, key } = await pki.keep("webhook", { commonName: "webhook", hosts: ["127.0.0.1", "localhost"] });
  ca = Buffer.from(pki.ca.cert).toString("base64");
  webhook = createServer({ cert, key }, (request, response) => {
    const path = request.url?.split("?")[0] ?? "";
    reached.push(path);
    behaviours[path]?.(response, request);
  });
  await new Promise<void>((resolve) => webhook.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  webhook.closeAllConnections();
  webhook.close();
  await api.close();
  rmSync(folder, { recursive: true });
});

/** What a request hears that the webhook at `path` is asked about. */
async function ask(path: string): Promise<{ code: number; message: string }> {
  const url = `https://localhost:${(webhook.address() as AddressInfo).port}${path}`;
  const name = `w${path.replace("/", "-")}`;
  const body = {
    metadata: { name },
    webhooks: [
      {
        name: "w.example.com",
        clientConfig: { url, caBundle: ca },
        rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }],
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        timeoutSeconds: 1,
      },
    ],
  };
  await admin.request({ method: "POST", path: hooks, body });
  const answer = await admin.request({ method: "POST", path: maps, body: { metadata: { name } } });
  await admin.request({ method: "DELETE", path: `${hooks}/${name}` });
  return { code: answer.code, message: (answer.body as { message: string }).message };
}

describe("a webhook that", () => {
  it.each([
    ["/never", /context deadline exceeded/],
    ["/slowly", /context deadline exceeded/],
    ["/endless", new RegExp(`larger than ${answerBytesMax} bytes`)],
    ["/elsewhere", /failed calling webhook/],
    ["/no-json", /failed calling webhook/],
    ["/another", /expected response.uid/],
    ["/null", /failed calling webhook.*response was absent/],
    ["/number", /failed calling webhook.*cannot unmarshal/],
    ["/no-bool", /failed calling webhook.*response.allowed of type bool/],
    ["/no-warnings", /failed calling webhook.*response.warnings of type \[\]string/],
    ["/no-message", /failed calling webhook.*response.status of type Status/],
    ["/nothing", /response was absent/],
  ])("answers as %s does fails the request, which writes nothing", async (path, text) => {
    const { code, message } = await ask(path);
    expect([code, message]).toEqual([500, expect.stringMatching(text)]);
    const { body } = await admin.request({ method: "GET", path: maps });
    expect((body as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name)).toEqual(
      [],
    );
  });

  it("sends elsewhere is not followed, and what it said is not logged", () => {
    expect(reached).toContain("/elsewhere");
    expect(reached).not.toContain("/inside");
    expect(lines.join("\n")).not.toContain("the redirect's own body");
  });
});
