/**
 * From commit to running container on one real node, with its time line; pod start and bursts beside what the very same
 * containerd and low-level runtime need by themselves in the same run; start-up, idle CPU and memory.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Pod } from "#api/core/pod.ts";
import type { V1Pod } from "#api/generated/types.ts";
import { TestCluster } from "#test/support/cluster.ts";
import { GitWork } from "#test/support/git-work.ts";
import { eventually } from "#test/support/process.ts";
import { RuntimeAlone } from "./support/runtime-alone.ts";

const image = "localhost/busybox:1";
const singles = 10;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

let relay: Promise<number> | undefined;
let creator: ReturnType<typeof inNamespaceClient> | undefined;
const startedAt = performance.now();
const cluster = await TestCluster.create({ nodes: 1 });
const readyMs = performance.now() - startedAt;
try {
  line(
    "server from nothing to Node Ready (with making the namespaces)",
    `${(readyMs / 1000).toFixed(2)} s`,
    "8.4 s + 1.9 s",
  );
  await run();
} catch (error) {
  console.error(cluster.log().split("\n").slice(-15).join("\n"));
  throw error;
} finally {
  await cluster.remove();
}

async function run(): Promise<void> {
  const kubectl = async (...args: string[]) => (await cluster.kubectl(args)).stdout;
  await eventually(async () => (await cluster.kubectl(["get", "sa", "default"])).code === 0);
  await commitToRunning();
  await create([podManifest("warm")]);
  await kubectl("wait", "--for=jsonpath={.status.phase}=Running", "pod/warm", "--timeout=60s");
  const alone: number[] = [];
  const ours: number[] = [];
  const runtime = await RuntimeAlone.like(join(cluster.nodes[0]!.dataDir, "agent/containerd/containerd.sock"), "warm");
  for (let at = 0; at < singles; at += 1) {
    alone.push(await runtime.start(`alone-${at}`, 1));
    ours.push(await startPods([`one-${at}`]));
  }
  const ratio = median(ours) / median(alone);
  line(
    "pod start, median of 10 (create → Running seen by kubectl's watch)",
    `${median(ours).toFixed(0)} ms; the runtime alone ${median(alone).toFixed(0)} ms (${ratio.toFixed(2)}x)`,
    "kubelet 908 ms",
  );
  for (const count of [50, 100]) {
    const aloneMs = await runtime.start(`alone-burst-${count}`, count);
    const oursMs = await startPods(Array.from({ length: count }, (_, at) => `burst-${count}-${at}`));
    const [aloneRate, ourRate] = [count / (aloneMs / 1000), count / (oursMs / 1000)];
    line(
      `${count} pods at once`,
      `${ourRate.toFixed(1)} pods/s; the runtime alone ${aloneRate.toFixed(1)} (${(ourRate / aloneRate).toFixed(2)})`,
      "kubelet 2.7 pods/s (50)",
    );
    if (count === 50) await kubectl("delete", "pods", "--all", "--grace-period=0", "--force");
    await sleep(5000);
  }
  const before = cpuSeconds();
  await sleep(10_000);
  line(
    "idle CPU of server + agent with 100 pods",
    `${(((cpuSeconds() - before) / 10) * 100).toFixed(1)} % of a core`,
    "",
  );
  line(
    "resident memory of server + agent with 100 pods",
    `${megabytes("Rss").join(" + ")} MB; what both map counted once ${megabytes("Pss").join(" + ")} MB`,
    "609 MB idle (all Go parts)",
  );
  runtime.close();
}

/** A commit in a local repository, and when each step was done. */
async function commitToRunning(): Promise<void> {
  const work = new GitWork(join(cluster.folder, "fleet"));
  work.commit("begin", { "apps/readme.md": "x" });
  await cluster.apply(`
apiVersion: v1
kind: Namespace
metadata: { name: flux-system }
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: { name: fleet, namespace: flux-system }
spec: { url: "file://${work.folder}", interval: 1h, ref: { branch: main } }
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: fleet, namespace: flux-system }
spec: { interval: 1h, path: apps, prune: true, sourceRef: { kind: GitRepository, name: fleet } }
`);
  await eventually(
    async () =>
      (
        await cluster.kubectl([
          "get",
          "kustomization",
          "fleet",
          "-n",
          "flux-system",
          "-o",
          "jsonpath={.status.lastAppliedRevision}",
        ])
      ).stdout !== "",
  );
  await sleep(500);
  const manifest = `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: timed, namespace: default }\nspec:\n  replicas: 1\n  selector: { matchLabels: { app: timed } }\n  template:\n    metadata: { labels: { app: timed } }\n    spec: { terminationGracePeriodSeconds: 0, containers: [{ name: c, image: "${image}", command: [sleep, "3600"] }] }\n`;
  const watch = watchUntilRunning(new Set(), (pod) => pod.metadata.labels?.["app"] === "timed", 1);
  await sleep(300);
  const at = Date.now();
  work.commit("deploy", { "apps/timed.yaml": manifest });
  const committed = Date.now();
  const { seen } = await watch;
  const total = Date.now() - committed;
  const log = cluster.log();
  const when = (pattern: RegExp) => Date.parse([...log.matchAll(pattern)].at(-1)?.[1] ?? "");
  const fetched = when(/^(\S+) INFO .*new commit/gm);
  const applied = when(/^(\S+) INFO .*: applied/gm);
  const steps = [
    ["commit seen and fetched", fetched - committed],
    ["rendered and applied", applied - fetched],
    ["scheduled", (seen.get("scheduled") ?? 0) - applied],
    ["running, seen by a watch", (seen.get("running") ?? 0) - (seen.get("scheduled") ?? 0)],
  ] as const;
  line("commit → first container running", `${total} ms (git commit itself ${committed - at} ms)`, "");
  line("  time line", steps.map(([name, ms]) => `${name} ${Number.isNaN(ms) ? "?" : ms} ms`).join(", "), "");
}

/** Creates pods at once; resolves with the time until a watch has seen all of them running. */
async function startPods(names: readonly string[]): Promise<number> {
  const watch = watchUntilRunning(new Set(names), ({ metadata }) => names.includes(metadata.name ?? ""), names.length);
  await sleep(200);
  const from = performance.now();
  await create(names.map(podManifest));
  await watch;
  return performance.now() - from;
}

/** One `kubectl get -w` until `count` matching pods have run. */
async function watchUntilRunning(
  _names: ReadonlySet<string>,
  matches: (pod: V1Pod) => boolean,
  count: number,
): Promise<{ seen: Map<string, number> }> {
  const { connection } = (await import("#client/kubeconfig.ts")).loadKubeconfig(cluster.kubeconfig);
  const client = await inNamespaceClient(connection);
  const seen = new Map<string, number>();
  const running = new Set<string>();
  const stop = new AbortController();
  for await (const batch of client.watch(Pod, {
    namespace: "default",
    resourceVersion: undefined,
    signal: stop.signal,
  })) {
    for (const { object } of batch) {
      if (!matches(object)) continue;
      if (object.spec?.nodeName !== undefined && !seen.has("scheduled")) seen.set("scheduled", Date.now());
      if (object.status?.phase === "Running") running.add(object.metadata.name ?? "");
    }
    if (running.size >= count) break;
  }
  stop.abort();
  client.close();
  seen.set("running", Date.now());
  return { seen };
}

/** A client through a relay into the cluster's network namespace. */
async function inNamespaceClient(connection: {
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
}) {
  const { Client } = await import("#client/client.ts");
  const { HttpTransport } = await import("#client/http-transport.ts");
  const transport = new HttpTransport({ ...connection, server: `https://127.0.0.1:${await relayPort()}` });
  return Object.assign(new Client(transport), { close: () => transport.close() });
}

/** One long-lived relay: this process listens, a child in the namespace connects, they share a socket pair a connection. */
function relayPort(): Promise<number> {
  relay ??= startRelay();
  return relay;
}

async function startRelay(): Promise<number> {
  const { createServer } = await import("node:net");
  const { spawn } = await import("node:child_process");
  const server = createServer((socket) => {
    const child = spawn("nsenter", [`--net=/run/netns/${cluster.netns}`, "busybox", "nc", "127.0.0.1", "6443"], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    socket.pipe(child.stdin);
    child.stdout.pipe(socket);
    const end = () => {
      socket.destroy();
      child.kill();
    };
    for (const stream of [socket, child.stdin, child.stdout]) stream.on("error", end);
    socket.on("close", end);
    child.on("exit", end);
  });
  server.unref();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { port: number }).port;
}

/** Over a connection that is open already, as a controller's is. */
async function create(manifests: readonly V1Pod[]): Promise<void> {
  creator ??= (async () => {
    const { connection } = (await import("#client/kubeconfig.ts")).loadKubeconfig(cluster.kubeconfig);
    return await inNamespaceClient(connection);
  })();
  const client = await creator;
  await Promise.all(manifests.map(async (pod) => await client.create(Pod, pod)));
}

function podManifest(name: string): V1Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default" },
    spec: {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      containers: [{ name: "c", image, imagePullPolicy: "IfNotPresent", command: ["sleep", "3600"] }],
    },
  } as V1Pod;
}

function processes(): number[] {
  const children = (pid: number): number[] =>
    readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
  const server = cluster.serverPid;
  return server === undefined ? [] : [server, ...children(server)];
}

function cpuSeconds(): number {
  return processes().reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    return sum + (Number(fields[11]) + Number(fields[12])) / 100;
  }, 0);
}

/** Of each process: `Rss`, or `Pss`, where pages that several processes map (the executable) are shared out among them. */
function megabytes(kind: "Rss" | "Pss"): number[] {
  return processes().map((pid) => {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    return Math.round(Number(rollup.match(new RegExp(`^${kind}:\\s+(\\d+)`, "m"))?.[1] ?? 0) / 1024);
  });
}

function line(title: string, ours: string, theirs: string): void {
  console.log(`${title.padEnd(66)} ${ours}${theirs === "" ? "" : `   Go: ${theirs}`}`);
}
