/** API services against a real server behind this one. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { createLogger } from "#lib/log.ts";
import { createMemoryStore } from "#store/memory-store.ts";
import { openPki } from "#apiserver/pki.ts";
import { type ApiServer, createApiServer } from "#apiserver/server.ts";
import type { LocalRequest, LocalTransport } from "#apiserver/transport.ts";
import { type HttpsBackend, type Seen, sendJson, startHttpsBackend } from "#test/support/https-backend.ts";
import { obstacle, withVerdict } from "./availability.ts";
import { userHeaders } from "./front-proxy.ts";
import { type ApiService, localApiServices, managedLabel } from "./priorities.ts";
import { registrationChanges } from "./registration.ts";

type Loose = Record<string, never> & { [key: string]: Loose & string & Loose[] };

const folder = mkdtempSync(join(tmpdir(), "capstan-aggregation-"));
const services = "/apis/apiregistration.k8s.io/v1/apiservices";
const list = {
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion: "far.example.com/v1",
  resources: [
    { name: "birds", singularName: "bird", namespaced: true, kind: "Bird", verbs: ["get", "list"], shortNames: ["b"] },
    { name: "birds/status", singularName: "", namespaced: true, kind: "Bird", verbs: ["get"] },
  ],
};
let server: ApiServer;
let admin: LocalTransport;
let backend: HttpsBackend;

beforeAll(async () => {
  const pki = await openPki(folder, systemClock);
  const log = createLogger({ level: "error" });
  server = await createApiServer({ store: createMemoryStore(), clock: systemClock, log, pki });
  admin = server.transport(
    { name: "jane", uid: "7", groups: ["system:masters", "staff"], extra: { "Team/Name": ["a", "b"] } },
    "test",
  );
  backend = await startHttpsBackend(reply, { hosts: ["far.default.svc"], clientCa: pki.frontProxyCa.cert });
});
afterAll(async () => {
  await server.close();
  await backend.close();
  rmSync(folder, { recursive: true });
});

function reply({ url, method, body }: Seen, response: Parameters<typeof sendJson>[0]): void {
  if (url === "/apis/far.example.com/v1") sendJson(response, list);
  else if (url.includes("watch=true")) {
    response.writeHead(200, { "content-type": "application/json" });
    response.write('{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n');
    response.end('{"type":"DELETED","object":{"metadata":{"name":"a"}}}\n');
  } else if (url.endsWith("/moved")) response.writeHead(302, { location: "https://127.0.0.1/" }).end();
  else sendJson(response, { kind: "Echo", method, body }, method === "POST" ? 201 : 200);
}

const send = async (method: LocalRequest["method"], path: string, body?: unknown, more: Partial<LocalRequest> = {}) => {
  const answer = await admin.request({ method, path, ...(body === undefined ? {} : { body }), ...more });
  return { code: answer.code, body: answer.body as Loose };
};

/** Asks until the answer is as wished; the test's own time is the limit. */
async function until(path: string, isThere: (body: Loose) => boolean): Promise<Loose> {
  for (;;) {
    const { body } = await send("GET", path);
    if (isThere(body)) return body;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
const listOf = (body: Loose, field: string) =>
  body[field] as unknown as { name?: string; metadata?: { name?: string }; versions?: unknown }[];
const reasonOf = (body: Loose): string | undefined => body["status"]?.["conditions"]?.[0]?.["reason"];

describe("an aggregated API server", () => {
  it("is unavailable, for a reason, until its Service is there and it answers", async () => {
    const service = { namespace: "default", name: "far", port: backend.port };
    const spec = { group: "far.example.com", version: "v1", groupPriorityMinimum: 2000, versionPriority: 10 };
    const created = await send("POST", services, {
      metadata: { name: "v1.far.example.com" },
      spec: { ...spec, service, caBundle: backend.caBundle },
    });
    expect(created.code).toBe(201);
    const missing = await until(`${services}/v1.far.example.com`, (body) => reasonOf(body) !== undefined);
    expect(missing["status"]?.["conditions"]).toMatchObject([
      {
        type: "Available",
        status: "False",
        reason: "ServiceNotFound",
        message: `service/far in "default" is not present`,
      },
    ]);
    expect(await send("GET", "/apis/far.example.com/v1/birds")).toEqual({ code: 503, body: "service unavailable\n" });
    await send("POST", "/api/v1/namespaces/default/services", {
      metadata: { name: "far" },
      spec: { type: "ExternalName", externalName: "localhost" },
    });
    const there = await until(`${services}/v1.far.example.com`, (body) => reasonOf(body) === "Passed");
    expect(there["status"]?.["conditions"]?.[0]).toMatchObject({ status: "True", message: "all checks passed" });
  });

  it("is found in discovery, by its priority", async () => {
    const groups = await until("/apis", (body) => JSON.stringify(body).includes("far.example.com"));
    const names = listOf(groups, "groups").map(({ name }) => name);
    expect(names.at(-1)).toBe("far.example.com");
    const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    const { body } = await send("GET", "/apis", undefined, { accept: aggregated });
    const found = listOf(body, "items").find(({ metadata }) => metadata?.name === "far.example.com");
    expect(found?.versions).toMatchObject([
      {
        version: "v1",
        freshness: "Current",
        resources: [{ resource: "birds", shortNames: ["b"], subresources: [{}] }],
      },
    ]);
    expect((await send("GET", "/apis/far.example.com/v1")).body).toEqual(list);
  });

  it("says itself what its OpenAPI is; the index says where", async () => {
    const { body } = await send("GET", "/openapi/v3");
    const address = "/openapi/v3/apis/far.example.com/v1";
    expect(body["paths"]?.["apis/far.example.com/v1"]).toEqual({ serverRelativeURL: address });
    expect((await send("GET", address)).body).toMatchObject({ kind: "Echo" });
  });

  it("gets requests with who they are from, and nothing that proves it to this server", async () => {
    backend.seen.length = 0;
    const answer = await send("POST", "/apis/far.example.com/v1/namespaces/default/birds", { a: 1 });
    expect(answer).toEqual({ code: 201, body: { kind: "Echo", method: "POST", body: '{"a":1}' } });
    const [seen] = backend.seen;
    expect(seen!.client).toBe("front-proxy-client");
    expect(seen!.headers).toMatchObject({
      "x-remote-user": "jane",
      "x-remote-uid": "7",
      "x-remote-group": "system:masters, staff",
      "x-remote-extra-team%2fname": "a, b",
    });
    expect(seen!.headers.authorization).toBeUndefined();
  });

  it("never takes a part of a body for a request, which would have an author of the client's choice", async () => {
    backend.seen.length = 0;
    const body = "GET /apis/far.example.com/v1/other HTTP/1.1\r\nhost: x\r\nx-remote-user: root\r\n\r\n";
    const answer = await send("DELETE", "/apis/far.example.com/v1/birds", body);
    expect(answer).toEqual({ code: 200, body: { kind: "Echo", method: "DELETE", body } });
    await send("GET", "/apis/far.example.com/v1/birds");
    expect(backend.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "DELETE /apis/far.example.com/v1/birds",
      "GET /apis/far.example.com/v1/birds",
    ]);
  });

  it("has its watches passed through", async () => {
    const events: string[] = [];
    const path = "/apis/far.example.com/v1/birds";
    for await (const batch of admin.watch({ method: "GET", path })) events.push(...batch.map(({ type }) => type));
    expect(events).toEqual(["ADDED", "DELETED"]);
  });

  it("may not send clients elsewhere", async () => {
    const { code, body } = await send("GET", "/apis/far.example.com/v1/birds/moved");
    expect([code, body]).toEqual([502, "the backend attempted to redirect this request, which is not permitted"]);
  });

  it("is gone with its API service", async () => {
    await send("DELETE", `${services}/v1.far.example.com`);
    await until("/apis", (body) => !JSON.stringify(body).includes("far.example.com"));
    expect((await send("GET", "/apis/far.example.com/v1/birds")).code).toBe(404);
  });
});

describe("the registration of what is served here", () => {
  it("has every built-in version, and cannot be taken away", async () => {
    const { body } = await send("GET", `${services}/v1.apps`);
    expect(body["spec"]).toEqual({ group: "apps", version: "v1", groupPriorityMinimum: 17_800, versionPriority: 15 });
    await send("DELETE", `${services}/v1.apps`);
    await until(`${services}/v1.apps`, ({ kind }) => (kind as unknown) === "APIService");
  });

  it("is empty once it has been carried out, and leaves alone what has no label", () => {
    const name = fc.constantFrom("a.io", "b.io", "c.io");
    const version = fc.record({ group: name, version: fc.constantFrom("v1", "v2") });
    const label = fc.constantFrom("true", "onstart", undefined);
    fc.assert(
      fc.property(fc.array(version), fc.array(version), fc.array(fc.tuple(version, label)), (one, two, there) => {
        const wished = localApiServices(one, two);
        const live = new Map<string, ApiService>();
        for (const [gv, managed] of there) {
          const [service] = localApiServices([gv], []).values();
          service!.metadata.labels = managed === undefined ? {} : { [managedLabel]: managed };
          live.set(service!.metadata.name!, { ...service!, spec: { ...service!.spec!, versionPriority: 3 } });
        }
        const own = [...live.values()].filter(({ metadata }) => metadata.labels?.[managedLabel] === undefined);
        for (const change of registrationChanges(wished, [...live.values()]))
          if (change.type === "delete") live.delete(change.name);
          else live.set(change.service.metadata.name!, change.service);
        expect(registrationChanges(wished, [...live.values()])).toEqual([]);
        for (const service of own) expect(live.get(service.metadata.name!)).toBe(service);
      }),
    );
  });
});

describe("an obstacle", () => {
  const service: ApiService = {
    apiVersion: "apiregistration.k8s.io/v1",
    kind: "APIService",
    metadata: { name: "v1.x.io" },
    spec: {
      group: "x.io",
      version: "v1",
      groupPriorityMinimum: 1,
      versionPriority: 1,
      service: { namespace: "n", name: "s", port: 443 },
    },
  };
  const slice = (ready: boolean | undefined, name: string) => ({
    metadata: {},
    addressType: "IPv4",
    endpoints: [{ addresses: ["1.2.3.4"], conditions: ready === undefined ? {} : { ready } }],
    ports: [{ name, port: 8443 }],
  });
  const withPort = { metadata: {}, spec: { ports: [{ name: "https", port: 443 }] } };
  it.each([
    ["no Service", undefined, [], "ServiceNotFound", 'service/s in "n" is not present'],
    [
      "a Service without the port",
      { metadata: {}, spec: { ports: [{ port: 80 }] } },
      [],
      "ServicePortError",
      'service/s in "n" is not listening on port 443',
    ],
    ["no slices", withPort, [], "EndpointsNotFound", 'cannot find endpointslices for service/s in "n"'],
    [
      "no ready endpoint",
      withPort,
      [slice(false, "https")],
      "MissingEndpoints",
      'endpointslices for service/s in "n" have no addresses with port name "https"',
    ],
    [
      "another port",
      withPort,
      [slice(true, "http")],
      "MissingEndpoints",
      'endpointslices for service/s in "n" have no addresses with port name "https"',
    ],
  ])("is %s", (_, found, slices, reason, message) =>
    expect(obstacle(service, found, slices)).toEqual({ status: "False", reason, message }),
  );
  it("is not there with a ready endpoint, one of unknown state, or a Service of another type", () => {
    expect(obstacle(service, withPort, [slice(true, "https")])).toBeUndefined();
    expect(obstacle(service, withPort, [slice(undefined, "https")])).toBeUndefined();
    expect(obstacle(service, { metadata: {}, spec: { type: "ExternalName" } }, [])).toBeUndefined();
  });
});

it("a condition keeps its time while its status stays", () => {
  const first = withVerdict([], { status: "False", reason: "A", message: "a" }, "t1");
  const second = withVerdict(first, { status: "False", reason: "B", message: "b" }, "t2");
  expect(second).toMatchObject([{ reason: "B", lastTransitionTime: "t1" }]);
  expect(withVerdict(second, { status: "False", reason: "B", message: "b" }, "t3")).toBe(second);
  expect(withVerdict(second, { status: "True", reason: "C", message: "c" }, "t3")[0]!.lastTransitionTime).toBe("t3");
});

it("a user's extra keys become header names", () =>
  expect(userHeaders({ name: "u", groups: [], extra: { "A b/ü": ["1"] } })).toEqual({
    "x-remote-user": "u",
    "x-remote-extra-a%20b%2F%C3%BC": ["1"],
  }));
