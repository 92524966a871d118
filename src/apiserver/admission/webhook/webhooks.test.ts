/** Admission webhooks over real TLS: what they are asked, and what their answers do. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { createLogger } from "#lib/log.ts";
import { createMemoryStore } from "#store/memory-store.ts";
import { openPki } from "#apiserver/pki.ts";
import { type ApiServer, createApiServer } from "#apiserver/server.ts";
import type { LocalRequest, LocalTransport } from "#apiserver/transport.ts";
import { type HttpsBackend, sendJson, startHttpsBackend } from "#test/support/https-backend.ts";

interface Review {
  apiVersion: string;
  kind: string;
  request: { uid: string } & Record<string, unknown>;
}
interface Body {
  message?: string;
  reason?: string;
  data?: Record<string, string>;
  metadata?: Record<string, unknown>;
  spec?: Record<string, unknown>;
}

const folder = mkdtempSync(join(tmpdir(), "capstan-webhooks-"));
const registration = "/apis/admissionregistration.k8s.io/v1";
const maps = "/api/v1/namespaces/default/configmaps";
let server: ApiServer;
let admin: LocalTransport;
let backend: HttpsBackend;
let reviews: Review["request"][] = [];
/** What the webhook at a path answers, beside the uid. */
let answers: Record<string, (request: Review["request"]) => object> = {};
let configured: string[] = [];

beforeAll(async () => {
  const pki = await openPki(folder, systemClock);
  const log = createLogger({ level: "error" });
  server = await createApiServer({ store: createMemoryStore(), clock: systemClock, log, pki });
  admin = server.transport({ name: "jane", groups: ["system:masters", "system:authenticated"] }, "test");
  backend = await startHttpsBackend(
    ({ url, body }, response) => {
      const { apiVersion, kind, request } = JSON.parse(body) as Review;
      reviews.push(request);
      const path = url.split("?")[0]!;
      const answer = answers[path]!(request);
      if (path === "/raw") response.writeHead(500).end("out of order\n");
      else sendJson(response, { apiVersion, kind, response: { uid: request.uid, ...answer } });
    },
    { hosts: ["hook.default.svc"] },
  );
  await send("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
});
afterAll(async () => {
  await server.close();
  await backend.close();
  rmSync(folder, { recursive: true });
});
afterEach(async () => {
  for (const path of configured) await send("DELETE", path);
  configured = [];
  reviews = [];
  answers = {};
});

async function send(method: LocalRequest["method"], path: string, body?: unknown, more: Partial<LocalRequest> = {}) {
  const answer = await admin.request({ method, path, ...(body === undefined ? {} : { body }), ...more });
  return { code: answer.code, body: answer.body as Body, warnings: answer.warnings ?? [] };
}

let names = 0;
async function configure(kind: "Mutating" | "Validating", webhooks: readonly object[]): Promise<void> {
  const plural = `${kind.toLowerCase()}webhookconfigurations`;
  const name = `w-${(names += 1)}`;
  configured.push(`${registration}/${plural}/${name}`);
  const { code, body } = await send("POST", `${registration}/${plural}`, { metadata: { name }, webhooks });
  expect([code, body.message]).toEqual([201, undefined]);
}
const configMapRule = { apiGroups: [""], apiVersions: ["v1"], operations: ["*"], resources: ["configmaps"] };
const webhook = (path: string, more: object = {}) => ({
  name: `${path.slice(1)}.example.com`,
  clientConfig: { url: `https://127.0.0.1:${backend.port}${path}`, caBundle: backend.caBundle },
  rules: [configMapRule],
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  ...more,
});
const patch = (...operations: object[]) => ({
  allowed: true,
  patchType: "JSONPatch",
  patch: Buffer.from(JSON.stringify(operations)).toString("base64"),
});
const make = (data: Record<string, string> = {}, metadata: object = {}, query: LocalRequest["query"] = {}) =>
  send("POST", maps, { metadata: { name: `m-${(names += 1)}`, ...metadata }, data }, { query });

describe("a webhook", () => {
  it("that may change a new object knows neither its identity nor a name that is to be generated", async () => {
    const both = ["Mutating", "Validating"] as const;
    for (const kind of both) await configure(kind, [webhook("/see")]);
    answers["/see"] = () => ({ allowed: true });
    const { body } = await send("POST", maps, { metadata: { generateName: "new-" }, data: { a: "1" } });
    const { name, uid } = body.metadata!;
    expect(name).toMatch(/^new-.{5}$/);
    const [before, after] = reviews as unknown as { name?: string; object: { metadata: object } }[];
    expect(before!.name).toBeUndefined();
    expect(Object.keys(before!.object.metadata).sort()).toEqual(["generateName", "managedFields", "namespace"]);
    expect(after).toMatchObject({ name, object: { metadata: { name, uid } } });
  });

  it("may name what is to be named", async () => {
    await configure("Mutating", [webhook("/name")]);
    answers["/name"] = () => patch({ op: "add", path: "/metadata/name", value: "chosen" });
    const { body } = await send("POST", maps, { metadata: { generateName: "new-" } });
    expect(body.metadata!["name"]).toBe("chosen");
    expect((await send("POST", maps, { metadata: { generateName: "new-" } })).code).toBe(409);
  });

  it("sees and changes what a token is asked for", async () => {
    const rules = [{ ...configMapRule, resources: ["serviceaccounts/token"] }];
    await configure("Mutating", [webhook("/ask", { rules })]);
    await configure("Validating", [webhook("/see", { rules })]);
    answers["/see"] = () => ({ allowed: true });
    answers["/ask"] = () => patch({ op: "add", path: "/spec/audiences", value: ["vault"] });
    await send("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "robot" } });
    const path = "/api/v1/namespaces/default/serviceaccounts/robot/token";
    const { body } = await send("POST", path, { spec: {} });
    expect(body).toMatchObject({ spec: { audiences: ["vault"] } });
    expect(reviews).toMatchObject([
      { name: "robot", object: { kind: "TokenRequest", spec: { expirationSeconds: 3600 } } },
      { name: "robot", object: { metadata: { name: "robot" }, spec: { audiences: ["vault"] } } },
    ]);
  });
});

describe("a webhook for what is never stored", () => {
  const ruleFor = (group: string, resource: string) => ({
    ...configMapRule,
    apiGroups: [group],
    resources: [resource],
  });

  it("may change a question about rights and refuse one about a token", async () => {
    await configure("Mutating", [
      webhook("/ask", { rules: [ruleFor("authorization.k8s.io", "subjectaccessreviews")] }),
    ]);
    await configure("Validating", [webhook("/no", { rules: [ruleFor("authentication.k8s.io", "tokenreviews")] })]);
    answers["/ask"] = () => patch({ op: "replace", path: "/spec/user", value: "nobody" });
    answers["/no"] = () => ({ allowed: false });
    const spec = { user: "jane", groups: ["system:masters"], nonResourceAttributes: { verb: "get", path: "/metrics" } };
    const asked = await send("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", { spec });
    expect(asked.body).toMatchObject({ spec: { user: "nobody" }, status: { allowed: true } });
    const { code } = await send("POST", "/apis/authentication.k8s.io/v1/tokenreviews", { spec: { token: "t" } });
    expect(code).toBe(400);
    expect(reviews).toMatchObject([
      { resource: { resource: "subjectaccessreviews" }, object: { kind: "SubjectAccessReview", spec } },
      { resource: { resource: "tokenreviews" }, object: { kind: "TokenReview" } },
    ]);
  });

  it("may change where a pod is to be bound and how it is evicted", async () => {
    const rules = [ruleFor("", "pods/binding"), ruleFor("", "pods/eviction")];
    await configure("Mutating", [webhook("/aim", { rules }), webhook("/ask", { rules })]);
    answers["/aim"] = ({ subResource }) =>
      subResource === "binding" ? patch({ op: "replace", path: "/target/name", value: "near" }) : { allowed: true };
    answers["/ask"] = ({ subResource }) =>
      subResource === "eviction"
        ? patch({ op: "add", path: "/deleteOptions", value: { dryRun: "All" } })
        : { allowed: true };
    const pod = { metadata: { name: "aimed" }, spec: { containers: [{ name: "c", image: "i" }] } };
    await send("POST", "/api/v1/namespaces/default/pods", pod);
    const path = "/api/v1/namespaces/default/pods/aimed";
    const binding = { metadata: { name: "aimed" }, target: { name: "far" } };
    expect((await send("POST", `${path}/binding`, binding)).code).toBe(201);
    expect((await send("GET", path)).body.spec).toMatchObject({ nodeName: "near" });
    expect((await send("POST", `${path}/eviction`, { metadata: { name: "aimed" } })).body).toMatchObject({
      code: 500,
      message: expect.stringContaining("cannot unmarshal string into Go struct field DeleteOptions") as string,
    });
  });

  it("sees a binding that is no part of a pod as such", async () => {
    await configure("Validating", [webhook("/see", { rules: [ruleFor("", "bindings")] })]);
    answers["/see"] = () => ({ allowed: true });
    const binding = { metadata: { name: "none" }, target: { name: "n" } };
    expect((await send("POST", "/api/v1/namespaces/default/bindings", binding)).code).toBe(404);
    expect(reviews).toMatchObject([{ kind: { kind: "Binding" }, name: "none", object: { target: { name: "n" } } }]);
  });
});

describe("a validating webhook", () => {
  it("is shown the object, the request and its options", async () => {
    await configure("Validating", [webhook("/see")]);
    answers["/see"] = () => ({ allowed: true, warnings: ["look out"] });
    const { code, warnings } = await make({ a: "1" }, { name: "seen" }, { dryRun: "All", fieldManager: "me" });
    expect([code, warnings]).toEqual([201, ["look out"]]);
    expect(reviews).toMatchObject([
      {
        kind: { group: "", version: "v1", kind: "ConfigMap" },
        resource: { group: "", version: "v1", resource: "configmaps" },
        requestKind: { group: "", version: "v1", kind: "ConfigMap" },
        name: "seen",
        namespace: "default",
        operation: "CREATE",
        userInfo: { username: "jane", groups: ["system:masters", "system:authenticated"] },
        object: { kind: "ConfigMap", apiVersion: "v1", data: { a: "1" } },
        oldObject: null,
        dryRun: true,
        options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1", dryRun: ["All"], fieldManager: "me" },
      },
    ]);
  });

  it.each([
    ["nothing", {}, 400, "", " without explanation"],
    ["a message", { status: { message: "no" } }, 400, "", ": no"],
    ["a reason", { status: { reason: "Busy" } }, 400, "Busy", ": Busy"],
    ["all", { status: { message: "no", reason: "Gone", code: 410 } }, 410, "Gone", ": no"],
    ["success", { status: { status: "Success", code: 200 } }, 400, "", " without explanation"],
  ])("that refuses and says %s", async (_, said, code, reason, text) => {
    await configure("Validating", [webhook("/no")]);
    answers["/no"] = () => ({ allowed: false, ...said });
    const answer = await make();
    expect([answer.code, answer.body.reason ?? ""]).toEqual([code, reason]);
    expect(answer.body.message).toBe(`admission webhook "no.example.com" denied the request${text}`);
  });

  it("sees deletions, with what is deleted, and may refuse them", async () => {
    await make({}, { name: "kept" });
    await configure("Validating", [webhook("/keep", { rules: [{ ...configMapRule, operations: ["DELETE"] }] })]);
    answers["/keep"] = () => ({ allowed: false, status: { message: "kept" } });
    const { body } = await send("DELETE", `${maps}/kept`, { propagationPolicy: "Background" });
    expect(body.message).toBe('admission webhook "keep.example.com" denied the request: kept');
    expect(reviews).toMatchObject([
      {
        operation: "DELETE",
        object: null,
        oldObject: { metadata: { name: "kept" } },
        options: { kind: "DeleteOptions", propagationPolicy: "Background" },
      },
    ]);
  });

  it("sees what connects", async () => {
    const rule = { apiGroups: [""], apiVersions: ["v1"], operations: ["CONNECT"], resources: ["pods/exec"] };
    await configure("Validating", [webhook("/connect", { rules: [rule] })]);
    answers["/connect"] = () => ({ allowed: false, status: { message: "not here" } });
    const { body } = await send("POST", "/api/v1/namespaces/default/pods/p/exec", undefined, {
      query: { command: ["sh", "-c"], stdin: "true", container: "c" },
    });
    expect(body.message).toBe('admission webhook "connect.example.com" denied the request: not here');
    expect(reviews).toMatchObject([
      {
        kind: { group: "", version: "v1", kind: "PodExecOptions" },
        subResource: "exec",
        object: { kind: "PodExecOptions", stdin: true, stdout: true, container: "c", command: ["sh", "-c"] },
      },
    ]);
  });

  it("sees an eviction, and not the deletion that it is", async () => {
    const pods = "/api/v1/namespaces/default/pods";
    const containers = [{ name: "c", image: "i" }];
    expect((await send("POST", pods, { metadata: { name: "evicted" }, spec: { containers } })).code).toBe(201);
    const rule = { apiGroups: [""], apiVersions: ["v1"], operations: ["*"], resources: ["pods", "pods/*"] };
    await configure("Validating", [webhook("/evict", { rules: [rule] })]);
    answers["/evict"] = () => ({ allowed: true });
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "evicted" } };
    expect((await send("POST", `${pods}/evicted/eviction`, eviction)).code).toBe(201);
    expect(reviews).toMatchObject([{ operation: "CREATE", subResource: "eviction", kind: { kind: "Eviction" } }]);
  });

  it("is shown the version that its rules name, unless it wants an exact match", async () => {
    const rule = {
      apiGroups: ["autoscaling"],
      apiVersions: ["v1"],
      operations: ["CREATE"],
      resources: ["horizontalpodautoscalers"],
    };
    const autoscaler = {
      metadata: { name: "h" },
      spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" } },
    };
    const path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
    const query = { dryRun: "All" };
    answers["/version"] = () => ({ allowed: true });
    await configure("Validating", [webhook("/version", { rules: [rule], matchPolicy: "Exact" })]);
    await send("POST", path, autoscaler, { query });
    expect(reviews).toEqual([]);
    await configure("Validating", [webhook("/version", { rules: [rule] })]);
    await send("POST", path, autoscaler, { query });
    expect(reviews).toMatchObject([
      {
        kind: { version: "v1" },
        requestKind: { version: "v2" },
        object: { apiVersion: "autoscaling/v1", spec: { maxReplicas: 3 } },
      },
    ]);
  });

  it("is not asked where its selectors or conditions keep it away", async () => {
    answers["/pick"] = () => ({ allowed: false });
    const objectSelector = { matchLabels: { pick: "me" } };
    const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": "default" } };
    const matchConditions = [{ name: "big", expression: "object.data.size == 'big'" }];
    await configure("Validating", [webhook("/pick", { objectSelector, namespaceSelector, matchConditions })]);
    expect((await make({ size: "big" })).code).toBe(201);
    expect((await make({ size: "small" }, { labels: { pick: "me" } })).code).toBe(201);
    expect((await make({ size: "big" }, { labels: { pick: "me" } })).code).toBe(400);
    expect(reviews).toHaveLength(1);
  });

  it.each([
    ["no response", "/absent", () => ({ uid: "other" }), /expected response\.uid="[-0-9a-f]+", got "other"$/],
    ["a patch", "/patch", () => patch(), /validating webhook may not return response\.patch$/],
  ])("that answers with %s counts as failed", async (_, path, answer, text) => {
    await configure("Validating", [webhook(path)]);
    answers[path] = answer;
    const { code, body } = await make();
    expect(code).toBe(500);
    expect(body.message).toMatch(
      /^Internal error occurred: failed calling webhook "\w+\.example\.com": received invalid/,
    );
    expect(body.message).toMatch(text);
  });

  it("that is broken refuses or not, as its policy says", async () => {
    answers["/raw"] = () => ({});
    await configure("Validating", [webhook("/raw", { failurePolicy: "Ignore" })]);
    expect((await make()).code).toBe(201);
    await configure("Validating", [webhook("/raw")]);
    expect((await make()).body.message).toBe(
      'Internal error occurred: failed calling webhook "raw.example.com": failed to call webhook: an error on the server ("out of order") has prevented the request from succeeding',
    );
  });

  it("must prove who it is", async () => {
    const clientConfig = { url: `https://127.0.0.1:${backend.port}/see` };
    await configure("Validating", [webhook("/see", { clientConfig })]);
    expect((await make()).body.message).toBe(
      `Internal error occurred: failed calling webhook "see.example.com": failed to call webhook: Post "https://127.0.0.1:${backend.port}/see?timeout=10s": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
    );
  });

  it("has only so much time", async () => {
    answers["/slow"] = () => ({ allowed: true });
    const slow = await startHttpsBackend(() => new Promise(() => {}));
    const clientConfig = { url: `https://127.0.0.1:${slow.port}/slow`, caBundle: slow.caBundle };
    await configure("Validating", [webhook("/slow", { clientConfig, timeoutSeconds: 1 })]);
    expect((await make()).body.message).toMatch(/\/slow\?timeout=1s": context deadline exceeded$/);
    await slow.close();
  });

  it("may be a Service", async () => {
    const clientConfig = {
      service: { namespace: "default", name: "hook", path: "/service", port: backend.port },
      caBundle: backend.caBundle,
    };
    await configure("Validating", [webhook("/service", { clientConfig })]);
    answers["/service"] = () => ({ allowed: true });
    expect((await make()).body.message).toBe(
      `Internal error occurred: failed calling webhook "service.example.com": failed to call webhook: Post "https://hook.default.svc:${backend.port}/service?timeout=10s": service "hook" not found`,
    );
    await send("POST", "/api/v1/namespaces/default/services", {
      metadata: { name: "hook" },
      spec: { type: "ExternalName", externalName: "localhost" },
    });
    expect((await make()).code).toBe(201);
    expect(reviews).toHaveLength(1);
  });
});

describe("a mutating webhook", () => {
  it("changes the object before it is checked and written", async () => {
    await configure("Mutating", [webhook("/add")]);
    answers["/add"] = () => patch({ op: "add", path: "/data/added", value: "yes" });
    const { body } = await make({ a: "1" });
    expect(body.data).toEqual({ a: "1", added: "yes" });
  });

  it("is asked again if it wants to, when a later one changed something", async () => {
    answers["/first"] = () => ({ allowed: true });
    answers["/second"] = () => ({ allowed: true });
    answers["/third"] = ({ object }) =>
      (object as Body).data?.["third"] === undefined
        ? patch({ op: "add", path: "/data/third", value: "3" })
        : { allowed: true };
    await configure("Mutating", [
      webhook("/first", { reinvocationPolicy: "IfNeeded" }),
      webhook("/second", { reinvocationPolicy: "Never" }),
      webhook("/third", { reinvocationPolicy: "IfNeeded" }),
    ]);
    expect((await make({ a: "1" })).body.data).toEqual({ a: "1", third: "3" });
    expect(reviews.map(({ object }) => (object as Body).data?.["third"])).toEqual([
      undefined,
      undefined,
      undefined,
      "3",
    ]);
  });

  it.each([
    [
      "that does not apply",
      patch({ op: "remove", path: "/data/none" }),
      /^Internal error occurred: error in remove for path: '\/data\/none': Unable to remove nonexistent key: none: missing value$/,
    ],
    ["without its type", { ...patch({}), patchType: undefined }, /response\.patch but not response\.patchType$/],
    ["of another type", { ...patch({}), patchType: "Merge" }, /unsupported patch type "Merge"$/],
  ])("with a patch %s refuses", async (_, answer, text) => {
    await configure("Mutating", [webhook("/bad")]);
    answers["/bad"] = () => answer;
    const { code, body } = await make({ a: "1" });
    expect(code).toBe(500);
    expect(body.message).toMatch(text);
  });

  it("cannot change what is deleted", async () => {
    await make({}, { name: "going" });
    await configure("Mutating", [webhook("/late", { rules: [{ ...configMapRule, operations: ["DELETE"] }] })]);
    answers["/late"] = () => patch({ op: "add", path: "/data", value: {} });
    expect((await send("DELETE", `${maps}/going`)).body.message).toBe(
      'Internal error occurred: admission webhook "late.example.com" attempted to modify the object, which is not supported for this operation',
    );
  });

  it("sees a Scale at the scale subresource, and may change it", async () => {
    const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
    await send("POST", "/apis/apps/v1/namespaces/default/deployments", {
      metadata: { name: "d" },
      spec: { selector: { matchLabels: { a: "b" } }, template },
    });
    const rule = {
      apiGroups: ["apps"],
      apiVersions: ["v1"],
      operations: ["UPDATE"],
      resources: ["deployments/scale"],
    };
    await configure("Mutating", [webhook("/scale", { rules: [rule] })]);
    answers["/scale"] = () => patch({ op: "replace", path: "/spec/replicas", value: 7 });
    const path = "/apis/apps/v1/namespaces/default/deployments/d";
    await send("PUT", `${path}/scale`, { metadata: { name: "d", namespace: "default" }, spec: { replicas: 3 } });
    expect(reviews).toMatchObject([
      {
        kind: { group: "autoscaling", version: "v1", kind: "Scale" },
        object: { kind: "Scale", spec: { replicas: 3 } },
      },
    ]);
    expect((await send("GET", path)).body.spec?.["replicas"]).toBe(7);
  });
});
