/**
 * How fast a whole server gives pods their nodes: 1,000 hollow nodes, 2,000 pods that are created while it schedules.
 * Starts a server of its own in a temporary directory. Prints how fast pods were created and how fast bound.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { V1Node, V1Pod } from "#api/generated/types.ts";
import { Client, type ResourceRef } from "#client/client.ts";
import { HttpTransport } from "#client/http-transport.ts";
import { loadKubeconfig } from "#client/kubeconfig.ts";

const nodes = Number(process.argv[2] ?? 1000);
const pods = Number(process.argv[3] ?? 2000);
const port = Number(process.argv[4] ?? 17945);
const inFlight = 32;
const namespace = "default";

const nodeRef: ResourceRef<V1Node> = { group: "", version: "v1", kind: "Node", plural: "nodes", scope: "Cluster" };
const podRef: ResourceRef<V1Pod> = { group: "", version: "v1", kind: "Pod", plural: "pods", scope: "Namespaced" };

const directory = mkdtempSync(join(tmpdir(), "capstan-bench-"));
const kubeconfig = join(directory, "kubeconfig");
const main = new URL("../../src/main.ts", import.meta.url).pathname;
const flags = ["--disable-agent", "--data-dir", join(directory, "data"), "--write-kubeconfig", kubeconfig];
const server = spawn(process.execPath, [main, "server", ...flags, "--https-listen-port", String(port)], {
  stdio: ["ignore", "ignore", "inherit"],
});
server.once("exit", (code, signal) => console.error(`the server ended: ${code ?? signal}`));
try {
  while (!existsSync(kubeconfig) || readFileSync(kubeconfig).length === 0) await pause(100);
  await pause(2000);
  const client = new Client(new HttpTransport(loadKubeconfig(kubeconfig).connection));
  await each(nodes, (at) => makeNode(client, at));
  console.log(`${nodes} nodes are there`);
  const start = performance.now();
  const bound = allBound(client);
  await each(pods, (at) => client.create(podRef, podOf(at)));
  report("created", start);
  await bound;
  report("bound", start);
} finally {
  server.kill("SIGKILL");
  rmSync(directory, { recursive: true, force: true });
}
process.exit(0);

function report(what: string, start: number): void {
  const seconds = (performance.now() - start) / 1000;
  console.log(`${pods} pods ${what} in ${seconds.toFixed(1)} s: ${(pods / seconds).toFixed(0)} pods/s`);
}

async function makeNode(client: Client, at: number): Promise<void> {
  const name = `node-${at}`;
  await client.create(nodeRef, {
    metadata: { name, labels: { "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": `zone-${at % 10}` } },
    spec: {},
    status: {
      allocatable: { cpu: "32", memory: "128Gi", pods: "110" },
      conditions: [{ type: "Ready", status: "True" }],
    },
  });
  await client.patch(nodeRef, { name }, "merge", { spec: { taints: null } });
}

function podOf(at: number): V1Pod {
  return {
    metadata: { name: `pod-${at}`, namespace, labels: { app: "a" } },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: "c", image: "pause", resources: { requests: { cpu: "100m", memory: "128Mi" } } }],
    },
  };
}

async function allBound(client: Client): Promise<void> {
  const seen = new Set<string>();
  for await (const batch of client.watch(podRef, { namespace, resourceVersion: "0" })) {
    for (const { object } of batch) if (object.spec?.nodeName) seen.add(object.metadata.name ?? "");
    if (seen.size >= pods) return;
  }
}

async function each(count: number, work: (at: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
