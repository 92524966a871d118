/** What a cluster cannot do without is there again soon after someone deleted it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { createLogger } from "#lib/log.ts";
import { createMemoryStore } from "#store/memory-store.ts";
import { openPki } from "#apiserver/pki.ts";
import { type ApiServer, createApiServer } from "#apiserver/server.ts";
import type { LocalTransport } from "#apiserver/transport.ts";

const folder = mkdtempSync(join(tmpdir(), "capstan-kept-"));
let server: ApiServer;
let admin: LocalTransport;

beforeAll(async () => {
  const pki = await openPki(folder, systemClock);
  const log = createLogger({ level: "error" });
  const advertiseAddress = "192.0.2.1";
  server = await createApiServer({ store: createMemoryStore(), clock: systemClock, log, pki, advertiseAddress });
  admin = server.transport({ name: "admin", groups: ["system:masters"] }, "test");
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

interface Found {
  metadata: { uid: string };
  data?: Record<string, string>;
}
const read = async (path: string) => (await admin.request({ method: "GET", path })).body as Found;

it.each([
  "/api/v1/namespaces/kube-system/configmaps/kube-apiserver-legacy-service-account-token-tracking",
  "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication",
  "/api/v1/namespaces/default/services/kubernetes",
  "/api/v1/namespaces/default/endpoints/kubernetes",
  "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes",
])("%s", async (path) => {
  const { metadata } = await read(path);
  await admin.request({ method: "DELETE", path });
  await expect.poll(async () => (await read(path)).metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
  expect((await read(path)).metadata.uid).not.toBe(metadata.uid);
});

it("the namespace of node leases", async () => {
  const path = "/api/v1/namespaces/kube-node-lease";
  const { metadata } = await read(path);
  await admin.request({ method: "DELETE", path });
  const finalize = {
    method: "PUT",
    path: `${path}/finalize`,
    body: { metadata: { name: "kube-node-lease" } },
  } as const;
  await admin.request(finalize);
  await expect.poll(async () => (await read(path)).metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
  expect((await read(path)).metadata.uid).not.toBe(metadata.uid);
});

it("a day that is none is replaced", async () => {
  const path = "/api/v1/namespaces/kube-system/configmaps/kube-apiserver-legacy-service-account-token-tracking";
  const body = { data: { since: "yesterday" } };
  await admin.request({ method: "PATCH", path, contentType: "application/merge-patch+json", body });
  await expect.poll(async () => (await read(path)).data?.["since"]).toMatch(/^\d{4}-\d\d-\d\d$/);
});
