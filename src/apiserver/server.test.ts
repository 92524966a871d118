/** The server as its callers see it, over a store in memory: life cycles, watches, and what bad input gets. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { createLogger } from "#lib/log.ts";
import { createMemoryStore } from "#store/memory-store.ts";
import { openPki } from "./pki.ts";
import { type ApiServer, createApiServer } from "./server.ts";
import type { LocalRequest, LocalTransport, LocalWatchEvent } from "./transport.ts";

type Loose = Record<string, never> & { [key: string]: Loose & string & number & Loose[] };

const folder = mkdtempSync(join(tmpdir(), "capstan-api-"));
const maps = "/api/v1/namespaces/default/configmaps";
let server: ApiServer;
let admin: LocalTransport;
let nobody: LocalTransport;

beforeAll(async () => {
  const pki = await openPki(folder, systemClock);
  const log = createLogger({ level: "error" });
  server = await createApiServer({ store: createMemoryStore(), clock: systemClock, log, pki });
  admin = server.transport({ name: "admin", groups: ["system:masters", "system:authenticated"] }, "test");
  nobody = server.transport({ name: "nobody", groups: ["system:authenticated"] }, "test");
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const send = async (request: LocalRequest, by = admin) => {
  const { code, body } = await by.request(request);
  return { code, body: body as Loose };
};
const get = (path: string, query: LocalRequest["query"] = {}, by = admin) => send({ method: "GET", path, query }, by);
const post = (path: string, body: unknown, by = admin) => send({ method: "POST", path, body }, by);
const configMap = (name: string, labels: Record<string, string> = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, labels },
  data: { a: "1" },
});

describe("an object's life", () => {
  it("is created, read, changed, and deleted", async () => {
    const created = await post(maps, configMap("life"));
    expect(created.code).toBe(201);
    expect(created.body["metadata"]).toMatchObject({ name: "life", namespace: "default" });
    expect((await post(maps, configMap("life"))).body["message"]).toBe('configmaps "life" already exists');
    const patch = { method: "PATCH", path: `${maps}/life`, contentType: "application/merge-patch+json" } as const;
    expect((await send({ ...patch, body: { data: { a: null, b: "2" } } })).body["data"]).toEqual({ b: "2" });
    const stale = await send({ method: "PUT", path: `${maps}/life`, body: created.body });
    expect([stale.code, stale.body["reason"]]).toEqual([409, "Conflict"]);
    expect((await send({ method: "DELETE", path: `${maps}/life` })).body["status"]).toBe("Success");
    expect((await get(`${maps}/life`)).body["message"]).toBe('configmaps "life" not found');
  });

  it("leaves nothing behind after a dry run", async () => {
    expect((await send({ method: "POST", path: maps, query: { dryRun: "All" }, body: configMap("dry") })).code).toBe(
      201,
    );
    expect((await get(`${maps}/dry`)).code).toBe(404);
  });

  it("loses no write of many at once", async () => {
    await post(maps, configMap("busy"));
    const contentType = "application/merge-patch+json";
    const writes = Array.from({ length: 20 }, (_, at) =>
      send({ method: "PATCH", path: `${maps}/busy`, contentType, body: { data: { [`k${at}`]: "x" } } }),
    );
    expect((await Promise.all(writes)).map(({ code }) => code)).toEqual(writes.map(() => 200));
    expect(Object.keys((await get(`${maps}/busy`)).body["data"]!)).toHaveLength(21);
  });

  it("waits for finalizers, and then ends", async () => {
    const held = { ...configMap("held"), metadata: { name: "held", finalizers: ["a.example.com/b"] } };
    await post(maps, held);
    await send({ method: "DELETE", path: `${maps}/held` });
    expect((await get(`${maps}/held`)).body["metadata"]!["deletionTimestamp"]).toBeDefined();
    const contentType = "application/merge-patch+json";
    await send({ method: "PATCH", path: `${maps}/held`, contentType, body: { metadata: { finalizers: null } } });
    expect((await get(`${maps}/held`)).code).toBe(404);
  });
});

describe("lists and watches", () => {
  it("pages show one moment, whatever is written meanwhile", async () => {
    const labels = { set: "pages" };
    const query = { labelSelector: "set=pages", limit: "2" };
    for (const name of ["p1", "p2", "p3", "p4"]) await post(maps, configMap(name, labels));
    const first = await get(maps, query);
    await send({ method: "DELETE", path: `${maps}/p4` });
    await post(maps, configMap("p5", labels));
    const second = await get(maps, { ...query, continue: first.body["metadata"]!["continue"]! });
    const names = [...first.body["items"]!, ...second.body["items"]!].map((item) => item["metadata"]!["name"]);
    expect(names).toEqual(["p1", "p2", "p3", "p4"]);
    expect(second.body["metadata"]!["resourceVersion"]).toBe(first.body["metadata"]!["resourceVersion"]);
  });

  it("a watch tells what comes into its selection and what leaves it", async () => {
    const { body } = await get(maps);
    const query = { labelSelector: "in=yes", resourceVersion: body["metadata"]!["resourceVersion"]! as string };
    const stop = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const events of admin.watch({ method: "GET", path: maps, query, signal: stop.signal }))
        for (const { type, object } of events as LocalWatchEvent[]) {
          seen.push(`${type} ${(object as Loose)["metadata"]!["name"]}`);
          if (seen.length === 4) stop.abort();
        }
    })();
    const contentType = "application/merge-patch+json";
    const label = (value: string | null) => ({ metadata: { labels: { in: value } } });
    const patch = (change: unknown) => send({ method: "PATCH", path: `${maps}/w1`, contentType, body: change });
    await post(maps, configMap("w1"));
    await patch(label("yes"));
    await patch({ data: { b: "2" } });
    await patch(label(null));
    await post(maps, configMap("w2", { in: "yes" }));
    await watching;
    expect(seen).toEqual(["ADDED w1", "MODIFIED w1", "DELETED w1", "ADDED w2"]);
  });
});

describe("bad input", () => {
  const deep = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;
  it.each<[string, LocalRequest, number]>([
    ["a forged continue token", { method: "GET", path: maps, query: { continue: "Zm9v" } }, 400],
    ["a negative limit", { method: "GET", path: maps, query: { limit: "-1" } }, 200],
    ["a limit that is no number", { method: "GET", path: maps, query: { limit: "many" } }, 400],
    ["a version that is no number", { method: "GET", path: maps, query: { resourceVersion: "x" } }, 400],
    ["a selector without sense", { method: "GET", path: maps, query: { labelSelector: "a in (" } }, 400],
    [
      "a very long selector",
      { method: "GET", path: maps, query: { labelSelector: `a in (${"b,".repeat(500_000)}c)` } },
      400,
    ],
    ["an unknown field selector", { method: "GET", path: maps, query: { fieldSelector: "data=x" } }, 400],
    ["a name that climbs", { method: "GET", path: `${maps}/..` }, 400],
    ["an empty body", { method: "POST", path: maps, body: "" }, 400],
    ["no JSON", { method: "POST", path: maps, body: "{" }, 400],
    ["JSON that is deep", { method: "POST", path: maps, body: deep }, 400],
    ["a list as an object", { method: "POST", path: maps, body: "[]" }, 400],
    [
      "another kind",
      { method: "POST", path: maps, body: { apiVersion: "v1", kind: "Pod", metadata: { name: "a" } } },
      400,
    ],
    ["a name with a slash", { method: "POST", path: maps, body: configMap("a/b") }, 422],
    ["a type nobody knows", { method: "POST", path: maps, body: "x", contentType: "text/plain" }, 415],
    [
      "a patch of no known type",
      { method: "PATCH", path: `${maps}/busy`, body: "{}", contentType: "application/json" },
      415,
    ],
    [
      "a patch of a pointer to nowhere",
      {
        method: "PATCH",
        path: `${maps}/busy`,
        contentType: "application/json-patch+json",
        body: '[{"op":"test","path":"/data/__proto__/x","value":1}]',
      },
      422,
    ],
    [
      "a namespace that is not there",
      { method: "POST", path: "/api/v1/namespaces/none/configmaps", body: configMap("a") },
      404,
    ],
    ["a group that is not there", { method: "GET", path: "/apis/none.example.com/v1/things" }, 404],
    ["a method that is not there", { method: "PUT", path: maps, body: configMap("a") }, 405],
  ])("%s", async (_name, request, code) => {
    const answer = await send(request);
    expect([answer.code, JSON.stringify(answer.body).slice(0, 200)]).toEqual([code, expect.anything()]);
  });

  it("keys named like an object's own parts stay data", async () => {
    const body = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"proto","annotations":{"constructor":"x"}},"data":{"__proto__":"y"}}`;
    expect((await post(maps, body)).code).toBe(201);
    const read = await get(`${maps}/proto`);
    expect(JSON.stringify(read.body["data"])).toBe('{"__proto__":"y"}');
    expect(read.body["metadata"]!["annotations"]).toEqual({ constructor: "x" });
  });
});

describe("rights", () => {
  it.each<[string, LocalRequest]>([
    ["reads", { method: "GET", path: maps }],
    ["secrets", { method: "GET", path: "/api/v1/namespaces/kube-system/secrets/any" }],
    ["writes", { method: "POST", path: maps, body: configMap("mine") }],
    ["what is not there", { method: "GET", path: "/apis/none.example.com/v1/things" }],
    ["metrics", { method: "GET", path: "/metrics" }],
  ])("nobody without them gets at %s", async (_name, request) => {
    expect((await send(request, nobody)).code).toBe(403);
  });

  it("everyone may ask for the version and what is served", async () => {
    for (const path of ["/version", "/api", "/apis", "/openapi/v3"])
      expect((await get(path, {}, nobody)).code).toBe(200);
  });

  it("nobody grants what they lack", async () => {
    const roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
    const bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings";
    const role = (name: string, verbs: string[], resources: string[], apiGroups: string[]) => ({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: { name },
      rules: [{ verbs, resources, apiGroups }],
    });
    await post(roles, role("maker", ["create"], ["roles", "rolebindings"], ["rbac.authorization.k8s.io"]));
    await post(bindings, {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name: "maker" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "maker" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "maker" }],
    });
    const maker = server.transport({ name: "maker", groups: ["system:authenticated"] }, "test");
    const more = await post(roles, role("more", ["get"], ["secrets"], [""]), maker);
    expect([more.code, more.body["message"]]).toEqual([
      403,
      expect.stringContaining("attempting to grant RBAC permissions not currently held"),
    ]);
    expect((await post(roles, role("same", ["create"], ["roles"], ["rbac.authorization.k8s.io"]), maker)).code).toBe(
      201,
    );
  });

  it("a node sees its own pods only, and one without a name nothing", async () => {
    const node = (name: string) =>
      server.transport({ name: `system:node:${name}`, groups: ["system:nodes", "system:authenticated"] }, "test");
    expect((await get("/api/v1/pods", {}, node("n1"))).code).toBe(403);
    expect((await get("/api/v1/pods", { fieldSelector: "spec.nodeName=n1" }, node("n1"))).code).toBe(200);
    expect((await get("/api/v1/pods", { fieldSelector: "spec.nodeName=n2" }, node("n1"))).code).toBe(403);
    expect((await get("/api/v1/pods", { fieldSelector: "spec.nodeName=" }, node(""))).code).toBe(403);
    expect((await get("/api/v1/nodes", {}, node(""))).code).toBe(403);
  });
});
