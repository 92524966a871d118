/** What the built-in plugins make of requests, over a store in memory. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { createLogger } from "#lib/log.ts";
import type { KubernetesObject } from "#api/object.ts";
import { createMemoryStore } from "#store/memory-store.ts";
import { openPki } from "#apiserver/pki.ts";
import { type ApiServer, createApiServer } from "#apiserver/server.ts";
import type { LocalRequest, LocalTransport } from "#apiserver/transport.ts";

type Answer = KubernetesObject & {
  message?: string;
  spec?: Record<string, unknown>;
  status?: { used?: Record<string, string> };
};

const folder = mkdtempSync(join(tmpdir(), "capstan-admission-"));
let server: ApiServer;
let admin: LocalTransport;
let names = 0;

beforeAll(async () => {
  const pki = await openPki(folder, systemClock);
  const log = createLogger({ level: "error" });
  server = await createApiServer({ store: createMemoryStore(), clock: systemClock, log, pki });
  admin = server.transport({ name: "admin", groups: ["system:masters", "system:authenticated"] }, "test");
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

async function send(method: LocalRequest["method"], path: string, body?: unknown, more: Partial<LocalRequest> = {}) {
  const { code, body: answer } = await admin.request({
    method,
    path,
    ...(body === undefined ? {} : { body }),
    ...more,
  });
  return { code, body: answer as Answer };
}

async function namespace(labels: Record<string, string> = {}): Promise<string> {
  names += 1;
  const name = `space-${names}`;
  await send("POST", "/api/v1/namespaces", { metadata: { name, labels } });
  const path = `/api/v1/namespaces/${name}`;
  await send("POST", `${path}/serviceaccounts`, { metadata: { name: "default" } });
  return path;
}

const container = (more: object = {}) => ({ name: "c", image: "i", ...more });
const pod = (name: string, more: object = {}, spec: object = {}) => ({
  metadata: { name },
  spec: { containers: [container(more)], ...spec },
});

async function quota(space: string, hard: Record<string, string>, used: Record<string, string>): Promise<void> {
  await send("POST", `${space}/resourcequotas`, { metadata: { name: "q" }, spec: { hard } });
  await send(
    "PATCH",
    `${space}/resourcequotas/q/status`,
    { status: { hard, used } },
    { contentType: "application/merge-patch+json" },
  );
}
const usedOf = async (space: string) => (await send("GET", `${space}/resourcequotas/q`)).body.status?.used;

describe("ServiceAccount", () => {
  it("waits a moment for a new namespace's default account", async () => {
    const space = "/api/v1/namespaces/just-made";
    await send("POST", "/api/v1/namespaces", { metadata: { name: "just-made" } });
    const made = send("POST", `${space}/pods`, pod("p"));
    await send("POST", `${space}/serviceaccounts`, { metadata: { name: "default" } });
    expect((await made).code).toBe(201);
  });

  it("mounts a volume that is named as its own instead of one of its own", async () => {
    const space = await namespace();
    const volumes = [{ name: "kube-api-access-mine", emptyDir: {} }];
    const { body } = await send("POST", `${space}/pods`, pod("p", {}, { volumes }));
    expect(body.spec).toMatchObject({
      volumes,
      containers: [{ volumeMounts: [{ name: "kube-api-access-mine", readOnly: true }] }],
    });
  });
});

describe("ResourceQuota", () => {
  it("lets in exactly as many as it has room for, however many come at once", async () => {
    const space = await namespace();
    await quota(space, { pods: "5" }, { pods: "0" });
    const codes = await Promise.all(
      Array.from({ length: 20 }, async (_, at) => (await send("POST", `${space}/pods`, pod(`p-${at}`))).code),
    );
    expect(codes.filter((code) => code === 201)).toHaveLength(5);
    expect(codes.filter((code) => code === 403)).toHaveLength(15);
    expect(await usedOf(space)).toEqual({ pods: "5" });
  });

  it("charges nothing for what is refused, known already, or a dry run", async () => {
    const space = await namespace();
    await quota(space, { "count/configmaps": "2" }, { "count/configmaps": "0" });
    const map = { metadata: { name: "m" } };
    expect((await send("POST", `${space}/configmaps`, map, { query: { dryRun: "All" } })).code).toBe(201);
    expect((await send("POST", `${space}/configmaps`, { metadata: { name: "M!" } })).code).toBe(422);
    expect((await send("POST", `${space}/configmaps`, map)).code).toBe(201);
    expect((await send("POST", `${space}/configmaps`, map)).code).toBe(409);
    expect(await usedOf(space)).toEqual({ "count/configmaps": "1" });
  });

  it("charges a change for what it adds", async () => {
    const space = await namespace();
    await quota(space, { "services.nodeports": "1" }, { "services.nodeports": "0" });
    const service = { metadata: { name: "s" }, spec: { ports: [{ port: 80 }] } };
    await send("POST", `${space}/services`, service);
    const patch = { contentType: "application/merge-patch+json" };
    const ports = [
      { name: "a", port: 80 },
      { name: "b", port: 81 },
    ];
    const much = await send("PATCH", `${space}/services/s`, { spec: { type: "NodePort", ports } }, patch);
    expect(much.body.message).toBe(
      'services "s" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1',
    );
    expect((await send("PATCH", `${space}/services/s`, { spec: { type: "NodePort" } }, patch)).code).toBe(200);
    expect(await usedOf(space)).toEqual({ "services.nodeports": "1" });
  });

  it("holds nobody while it has no status, and everybody while its use is not known", async () => {
    const space = await namespace();
    await send("POST", `${space}/resourcequotas`, { metadata: { name: "q" }, spec: { hard: { pods: "0" } } });
    expect((await send("POST", `${space}/pods`, pod("a"))).code).toBe(201);
    const patch = { contentType: "application/merge-patch+json" };
    await send("PATCH", `${space}/resourcequotas/q/status`, { status: { hard: { pods: "9" } } }, patch);
    expect((await send("POST", `${space}/pods`, pod("b"))).body.message).toBe(
      'pods "b" is forbidden: status unknown for quota: q, resources: pods',
    );
  });
});

describe("LimitRanger", () => {
  it("fills in what containers leave open, and says so", async () => {
    const space = await namespace();
    const limits = [{ type: "Container", default: { cpu: "2" }, defaultRequest: { cpu: "1", memory: "1Mi" } }];
    await send("POST", `${space}/limitranges`, { metadata: { name: "l" }, spec: { limits } });
    const { body } = await send("POST", `${space}/pods`, pod("p", { resources: { requests: { memory: "2Mi" } } }));
    expect(body.metadata.annotations).toEqual({
      "kubernetes.io/limit-ranger": "LimitRanger plugin set: cpu request for container c; cpu limit for container c",
    });
    expect(body.spec?.["containers"]).toMatchObject([
      { resources: { limits: { cpu: "2" }, requests: { cpu: "1", memory: "2Mi" } } },
    ]);
  });

  it("says each fault once", async () => {
    const space = await namespace();
    const limits = [{ type: "Container", max: { cpu: "1" }, maxLimitRequestRatio: { cpu: "2" } }];
    await send("POST", `${space}/limitranges`, { metadata: { name: "l" }, spec: { limits } });
    const resources = { requests: { cpu: "500m" }, limits: { cpu: "2" } };
    const two = { containers: [container({ resources }), container({ name: "d", resources })] };
    expect((await send("POST", `${space}/pods`, { metadata: { name: "p" }, spec: two })).body.message).toBe(
      'pods "p" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000]',
    );
  });
});

describe("PodSecurity", () => {
  it("refuses what the level forbids and warns of templates", async () => {
    const space = await namespace({ "pod-security.kubernetes.io/enforce": "baseline" });
    const privileged = { securityContext: { privileged: true } };
    const refused = await send("POST", `${space}/pods`, pod("p", privileged, { hostNetwork: true }));
    expect(refused.body.message).toBe(
      'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true), privileged (container "c" must not set securityContext.privileged=true)',
    );
    const template = { metadata: { labels: { a: "b" } }, spec: { containers: [container(privileged)] } };
    const job = {
      metadata: { name: "j" },
      spec: { template: { ...template, spec: { ...template.spec, restartPolicy: "Never" } } },
    };
    const path = `${space}/jobs`.replace("/api/v1", "/apis/batch/v1");
    expect((await send("POST", path, job)).code).toBe(201);
  });

  it("refuses labels that say nothing", async () => {
    const metadata = { name: "odd", labels: { "pod-security.kubernetes.io/warn-version": "1.24" } };
    const { code, body } = await send("POST", "/api/v1/namespaces", { metadata });
    expect([code, body.message]).toEqual([
      422,
      'Namespace "odd" is invalid: metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "1.24": must be "latest" or "v1.x"',
    ]);
  });
});

describe("DefaultTolerationSeconds", () => {
  it("adds its tolerations again to a replacement that leaves them out", async () => {
    const space = await namespace();
    const { body } = await send("POST", `${space}/pods`, pod("p"));
    const { tolerations, ...rest } = body.spec!;
    expect(tolerations).toHaveLength(2);
    const replaced = await send("PUT", `${space}/pods/p`, { ...body, spec: rest });
    expect([replaced.code, replaced.body.spec?.["tolerations"]]).toEqual([200, tolerations]);
  });
});

describe("a deletion", () => {
  it("that is a dry run by its body deletes nothing", async () => {
    const space = await namespace();
    await send("POST", `${space}/configmaps`, { metadata: { name: "m" } });
    const options = { apiVersion: "v1", kind: "DeleteOptions", dryRun: ["All"] };
    expect((await send("DELETE", `${space}/configmaps/m`, options)).code).toBe(200);
    expect((await send("DELETE", `${space}/configmaps`, options)).code).toBe(200);
    expect((await send("GET", `${space}/configmaps/m`)).code).toBe(200);
  });
});
