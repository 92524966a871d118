/** A whole API server in the process of a test, over a store in memory, with controllers or the scheduler if wanted. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#lib/clock.ts";
import { silentLogger } from "#lib/log.ts";
import type { User } from "#apiserver/request.ts";
import { type ApiServer, createApiServer } from "#apiserver/server.ts";
import { openPki } from "#apiserver/pki.ts";
import type { LocalTransport } from "#apiserver/transport.ts";
import { Client } from "#client/client.ts";
import { startReconcilers } from "#reconcilers/start-reconcilers.ts";
import { startScheduler } from "#scheduler/scheduler.ts";
import { createMemoryStore } from "#store/memory-store.ts";

export type Part = "controllers" | "scheduler";

export interface StoryServer {
  api: ApiServer;
  as(user: User): LocalTransport;
  /** A namespace that nothing has touched, with its default service account. */
  newNamespace(): Promise<string>;
  /** Serves HTTPS on a free port of the loopback; the admin's key pair and the CA come with it. */
  listen(): Promise<{ port: number; ca: string; cert: string; key: string }>;
  close(): Promise<void>;
}

export const administrator: User = { name: "admin", groups: ["system:masters", "system:authenticated"] };

/** The user agent names the field manager of writes that name none. */
const userAgent = "parity/1.0";

export async function startStoryServer(parts: readonly Part[] = []): Promise<StoryServer> {
  const folder = mkdtempSync(join(tmpdir(), "capstan-parity-"));
  const pki = await openPki(folder, systemClock);
  const store = createMemoryStore();
  const api = await createApiServer({ store, clock: systemClock, log: silentLogger, pki });
  const client = (name: string) => new Client(api.transport(administrator, name), { fieldManager: name });
  const running: { stop(): void }[] = [];
  if (parts.includes("controllers"))
    running.push(
      startReconcilers({
        client: client("kube-controller-manager"),
        log: silentLogger,
        clusterCidr: "10.42.0.0/16",
        rootCa: () => api.caCertificate,
        signForSecret: (account, secret) => api.signForSecret(account, secret),
        certify: (request, terms) => pki.ca.certify(request, terms),
      }),
    );
  if (parts.includes("scheduler"))
    running.push(startScheduler({ client: client("kube-scheduler"), log: silentLogger }));
  const admin = api.transport(administrator, userAgent);
  let namespaces = 0;
  return {
    api,
    as: (user) => api.transport(user, userAgent),
    async newNamespace() {
      namespaces += 1;
      const name = `story-${namespaces}`;
      const post = (path: string, body: unknown) => admin.request({ method: "POST", path, body });
      await post("/api/v1/namespaces", { metadata: { name } });
      await post(`/api/v1/namespaces/${name}/serviceaccounts`, { metadata: { name: "default" } });
      return name;
    },
    async listen() {
      const serving = await pki.keep("serving", { commonName: "kube-apiserver", hosts: ["127.0.0.1"] });
      const { cert, key } = await pki.keep("admin", { commonName: "admin", organizations: ["system:masters"] });
      const listener = await api.listen({
        port: 0,
        tls: { cert: serving.cert, key: serving.key, clientCa: pki.ca.cert },
      });
      return { port: listener.port, ca: pki.ca.cert, cert, key };
    },
    async close() {
      for (const part of running) part.stop();
      await api.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
