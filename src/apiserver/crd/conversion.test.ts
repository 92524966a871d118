/** Versions of a custom kind, converted by a webhook over real TLS. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { createLogger } from "#lib/log.ts";
import { createMemoryStore } from "#store/memory-store.ts";
import { openPki } from "#apiserver/pki.ts";
import { type ApiServer, createApiServer } from "#apiserver/server.ts";
import type { LocalRequest, LocalTransport } from "#apiserver/transport.ts";
import { type HttpsBackend, sendJson, startHttpsBackend } from "#test/support/https-backend.ts";

interface Widget {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, unknown> } & Record<string, unknown>;
  spec?: Record<string, unknown>;
}
interface Body extends Widget {
  message?: string;
  items?: Widget[];
}
interface Review {
  apiVersion: string;
  kind: string;
  request: { uid: string; desiredAPIVersion: string; objects: Widget[] };
}

const folder = mkdtempSync(join(tmpdir(), "capstan-conversion-"));
const group = "example.com";
const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const at = (version: string) => `/apis/${group}/${version}/namespaces/default/widgets`;
let server: ApiServer;
let admin: LocalTransport;
let backend: HttpsBackend;
let reviews: Review["request"][] = [];
/** What is made of the right answer before it is sent. */
let spoil: ((answer: { uid: string; result: object; convertedObjects: Widget[] }) => object) | undefined;

beforeAll(async () => {
  const pki = await openPki(folder, systemClock);
  const log = createLogger({ level: "error" });
  server = await createApiServer({ store: createMemoryStore(), clock: systemClock, log, pki });
  admin = server.transport({ name: "jane", groups: ["system:masters", "system:authenticated"] }, "test");
  backend = await startHttpsBackend(({ body }, response) => {
    const { apiVersion, kind, request } = JSON.parse(body) as Review;
    reviews.push(request);
    const convertedObjects = request.objects.map((one) => converted(one, request.desiredAPIVersion));
    const right = { uid: request.uid, result: { status: "Success" }, convertedObjects };
    sendJson(response, { apiVersion, kind, response: spoil?.(right) ?? right });
  });
  await define("v1");
  await until(`${at("v2")}`, ({ items }) => items !== undefined);
});
afterAll(async () => {
  await server.close();
  await backend.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  reviews = [];
  spoil = undefined;
});

/** v1 has `hostPort: "a:1"`, v2 has `host: "a"` and `port: "1"`. */
function converted({ spec = {}, ...rest }: Widget, apiVersion: string): Widget {
  const [host, port] = String(spec["hostPort"] ?? "").split(":");
  const own =
    apiVersion === `${group}/v2` ? { host, port } : { hostPort: `${String(spec["host"])}:${String(spec["port"])}` };
  return { ...rest, apiVersion, spec: own };
}

const text = { type: "string" };
const version = (name: string, storage: string, properties: object) => ({
  name,
  served: true,
  storage: name === storage,
  schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties } } } },
});
const spec = (storage: string) => ({
  group,
  scope: "Namespaced",
  names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
  versions: [
    version("v1", storage, { hostPort: text }),
    version("v2", storage, { host: text, port: { ...text, default: "80" } }),
  ],
  conversion: {
    strategy: "Webhook",
    webhook: {
      conversionReviewVersions: ["v1"],
      clientConfig: { url: `https://127.0.0.1:${backend.port}/convert`, caBundle: backend.caBundle },
    },
  },
});

async function send(method: LocalRequest["method"], path: string, body?: unknown, more: Partial<LocalRequest> = {}) {
  const answer = await admin.request({ method, path, ...(body === undefined ? {} : { body }), ...more });
  return { code: answer.code, body: answer.body as Body };
}
async function until(path: string, isThere: (body: Body) => boolean): Promise<void> {
  while (!isThere((await send("GET", path)).body)) await new Promise((resolve) => setTimeout(resolve, 10));
}
const define = (storage: string) =>
  send("POST", definitions, { metadata: { name: `widgets.${group}` }, spec: spec(storage) });

let names = 0;
async function make(hostPort: string, metadata: object = {}): Promise<string> {
  const name = `w-${(names += 1)}`;
  const widget = { apiVersion: `${group}/v1`, kind: "Widget", metadata: { name, ...metadata }, spec: { hostPort } };
  expect((await send("POST", at("v1"), widget)).code).toBe(201);
  return name;
}

describe("an object of a kind with a conversion webhook", () => {
  it("is not sent there in the version in which it is stored", async () => {
    const name = await make("a:1");
    expect((await send("GET", `${at("v1")}/${name}`)).body.spec).toEqual({ hostPort: "a:1" });
    expect(reviews).toEqual([]);
  });

  it("is read in another version as the webhook has it, its metadata as they were", async () => {
    const name = await make("a:1", { labels: { l: "1" }, finalizers: ["example.com/f"] });
    const { body } = await send("GET", `${at("v2")}/${name}`);
    expect(body).toMatchObject({ apiVersion: `${group}/v2`, spec: { host: "a", port: "1" } });
    expect(body.metadata).toMatchObject({ name, labels: { l: "1" }, finalizers: ["example.com/f"] });
    await send("PATCH", `${at("v1")}/${name}`, { metadata: { finalizers: null } }, merge);
    await send("DELETE", `${at("v2")}/${name}`);
  });

  it("is written in another version with that version's defaults, and stored in its own", async () => {
    const widget = { apiVersion: `${group}/v2`, kind: "Widget", metadata: { name: "from-v2" }, spec: { host: "b" } };
    const { code, body } = await send("POST", at("v2"), widget);
    expect([code, body.spec]).toEqual([201, { host: "b", port: "80" }]);
    expect(reviews.map(({ desiredAPIVersion }) => desiredAPIVersion)).toEqual([`${group}/v1`, `${group}/v2`]);
    expect((await send("GET", `${at("v1")}/from-v2`)).body.spec).toEqual({ hostPort: "b:80" });
  });

  it("is patched and applied through another version, whoever owns its fields", async () => {
    const name = await make("c:3");
    const patched = await send("PATCH", `${at("v2")}/${name}`, { spec: { port: "4" } }, merge);
    expect(patched.body.spec).toEqual({ host: "c", port: "4" });
    expect((await send("GET", `${at("v1")}/${name}`)).body.spec).toEqual({ hostPort: "c:4" });
    const applied = { apiVersion: `${group}/v2`, kind: "Widget", metadata: { name }, spec: { host: "d" } };
    const answer = await send("PATCH", `${at("v2")}/${name}`, applied, {
      contentType: "application/apply-patch+yaml",
      query: { fieldManager: "me", force: "true" },
    });
    expect([answer.code, answer.body.spec]).toEqual([200, { host: "d", port: "4" }]);
  });

  it("is listed with all others in one call, and once", async () => {
    await make("e:5");
    await make("f:6");
    reviews = [];
    const { body } = await send("GET", at("v2"));
    expect(body.items!.every(({ apiVersion }) => apiVersion === `${group}/v2`)).toBe(true);
    expect(reviews.length).toBeLessThanOrEqual(1);
    await send("GET", at("v2"));
    expect(reviews.length).toBeLessThanOrEqual(1);
  });

  it("is watched in another version, in order", async () => {
    const seen: string[] = [];
    const { body } = await send("GET", at("v2"));
    const resourceVersion = String((body.metadata as Record<string, unknown>)["resourceVersion"]);
    const name = await make("g:7");
    await send("PATCH", `${at("v1")}/${name}`, { spec: { hostPort: "g:8" } }, merge);
    await send("DELETE", `${at("v1")}/${name}`);
    for await (const batch of admin.watch({ method: "GET", path: at("v2"), query: { resourceVersion } })) {
      for (const { type, object } of batch) seen.push(`${type} ${String((object as Widget).spec?.["port"])}`);
      if (seen.length >= 3) break;
    }
    expect(seen).toEqual(["ADDED 7", "MODIFIED 8", "DELETED 8"]);
  });

  type Right = Parameters<NonNullable<typeof spoil>>[0];
  const prefix = `conversion webhook for ${group}/v1, Kind=Widget`;
  it.each<[string, (right: Right) => object, string]>([
    ["another uid", (right) => ({ ...right, uid: "x" }), `failed: expected response.uid=`],
    ["a failure", (right) => ({ ...right, result: { status: "Failure", message: "cannot" } }), "failed: cannot"],
    ["no result", (right) => ({ ...right, result: {} }), "failed: response.result.status was '', not 'Success'"],
    [
      "no list",
      (right) => ({ ...right, convertedObjects: { length: 1 } }),
      "failed: response.convertedObjects is no list",
    ],
    [
      "null",
      (right) => ({ ...right, convertedObjects: [null] }),
      "failed: response.convertedObjects is no list of objects",
    ],
    ["too few objects", (right) => ({ ...right, convertedObjects: [] }), "returned 0 objects, expected 1"],
    [
      "another version",
      (right) => ({
        ...right,
        convertedObjects: right.convertedObjects.map((one) => ({ ...one, apiVersion: "x/v9" })),
      }),
      `returned invalid object at index 0: invalid groupVersion (expected ${group}/v2, received x/v9)`,
    ],
    [
      "another name",
      (right) => ({
        ...right,
        convertedObjects: right.convertedObjects.map((one) => ({ ...one, metadata: { ...one.metadata, name: "x" } })),
      }),
      "returned invalid object: must have the same name: ",
    ],
    [
      "labels that are no texts",
      (right) => ({
        ...right,
        convertedObjects: right.convertedObjects.map((one) => ({
          ...one,
          metadata: { ...one.metadata, labels: { a: 1 } },
        })),
      }),
      "returned invalid metadata: metadata.labels[a] must be a string, but is int64 in converted object",
    ],
    [
      "bad labels",
      (right) => ({
        ...right,
        convertedObjects: right.convertedObjects.map((one) => ({
          ...one,
          metadata: { ...one.metadata, labels: { a: "!" } },
        })),
      }),
      'returned invalid metadata: metadata.labels: Invalid value: "!": a valid label must be',
    ],
  ])("cannot be read when the webhook answers with %s", async (_, wrong, message) => {
    const name = await make("h:9");
    spoil = wrong;
    const answer = await send("GET", `${at("v2")}/${name}`);
    expect(answer.code).toBe(500);
    expect(answer.body.message).toContain(`${prefix} ${message}`);
  });

  it("is still read when another version becomes the stored one", async () => {
    const name = await make("i:1");
    const path = `${definitions}/widgets.${group}`;
    await send("PATCH", path, { spec: { versions: spec("v2").versions } }, merge);
    await until(path, (body) => JSON.stringify(body).includes('"storedVersions":["v1","v2"]'));
    reviews = [];
    expect((await send("GET", `${at("v1")}/${name}`)).body.spec).toEqual({ hostPort: "i:1" });
    expect(reviews).toEqual([]);
    expect((await send("GET", `${at("v2")}/${name}`)).body.spec).toEqual({ host: "i", port: "1" });
    await send("PATCH", `${at("v2")}/${name}`, { spec: { port: "2" } }, merge);
    reviews = [];
    expect((await send("GET", `${at("v2")}/${name}`)).body.spec).toEqual({ host: "i", port: "2" });
    expect(reviews).toEqual([]);
  });
});

const merge = { contentType: "application/merge-patch+json" };
