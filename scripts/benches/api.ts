/**
 * The API server under load: requests a second and latency with 1, 16 and 256 in flight (h2load, HTTP/2, service-account
 * token, every write durable before its answer), a list of 10,000 pods, a burst to 1,000 watchers, start and memory. Beside
 * each line stands what kube-apiserver 1.36.2 with etcd did on such a machine (2 cores, load on the same cores).
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http2 from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClusterRoleBinding } from "#api/rbac/cluster-role-binding.ts";
import { Pod } from "#api/core/pod.ts";
import { ServiceAccount } from "#api/core/service-account.ts";
import { Client } from "#client/client.ts";
import { HttpTransport } from "#client/http-transport.ts";
import { loadKubeconfig } from "#client/kubeconfig.ts";
import { binary, start } from "#test/support/process.ts";

const folder = mkdtempSync(join(tmpdir(), "capstan-bench-"));
const kubeconfig = join(folder, "kubeconfig");
const port = 21_000 + Math.floor(Math.random() * 1000);
const flags = [
  "--config",
  "/dev/null",
  "--data-dir",
  join(folder, "data"),
  "--write-kubeconfig",
  kubeconfig,
  "--https-listen-port",
  String(port),
  "--disable-agent",
  "--disable-scheduler",
  "--disable-controller-manager",
  "--disable",
  "git",
];
const base = `https://127.0.0.1:${port}`;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const startedAt = performance.now();
let server = start([binary, "server", ...flags]);
await until(() => existsSync(kubeconfig));
line("start from nothing", `${((performance.now() - startedAt) / 1000).toFixed(2)} s`, "8.4 s");
const { connection } = loadKubeconfig(kubeconfig);
const client = new Client(new HttpTransport(connection));
const token = await makeToken();

try {
  await run();
} catch (error) {
  console.error(server.output().split("\n").slice(-20).join("\n"));
  throw error;
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function run(): Promise<void> {
  line("memory idle", `${residentMegabytes()} MB`, "285 MB (+ etcd 45)");
  await client.create(ServiceAccount, { metadata: { namespace: "default", name: "default" } });
  const configMap = file(
    "cm.json",
    JSON.stringify({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { generateName: "c-" },
      data: { key: "v".repeat(100) },
    }),
  );
  const pod = file("pod.json", JSON.stringify(examplePod({ generateName: "p-" })));
  await client.call({
    method: "POST",
    path: "/api/v1/namespaces/default/configmaps",
    body: { metadata: { name: "one" }, data: { key: "v".repeat(100) } },
  });
  const patch = file("patch.json", JSON.stringify({ data: { key: "w".repeat(100) } }));

  const configMaps = `${base}/api/v1/namespaces/default/configmaps`;
  for (const [inFlight, requests, theirs] of [
    [1, 1500, 112],
    [16, 12_000, 674],
    [256, 20_000, 1146],
  ] as const) {
    load(`create ConfigMap (200 B), ${inFlight} in flight`, configMaps, inFlight, requests, theirs, ["-d", configMap]);
  }
  for (const [inFlight, requests, theirs] of [
    [16, 6000, 369],
    [256, 6000, 450],
  ] as const) {
    load(
      `create Pod (2.5 KiB), ${inFlight} in flight`,
      `${base}/api/v1/namespaces/default/pods`,
      inFlight,
      requests,
      theirs,
      ["-d", pod],
    );
  }
  for (const [inFlight, requests, theirs] of [
    [16, 30_000, 1177],
    [256, 40_000, 1754],
  ] as const) {
    load(`get ConfigMap, ${inFlight} in flight`, `${configMaps}/one`, inFlight, requests, theirs, []);
  }
  load("merge-patch ConfigMap, 16 in flight", `${configMaps}/one`, 16, 8000, 729, [
    "-d",
    patch,
    "-H",
    ":method: PATCH",
    "-H",
    "content-type: application/merge-patch+json",
  ]);

  const wanted = 10_000;
  const { items } = await client.list(Pod, { pageSize: 500 });
  await inParallel(
    Math.max(0, wanted - items.length),
    64,
    async (at) => void (await client.create(Pod, examplePod({ name: `list-${at}`, namespace: "default" }) as never)),
  );
  const pods = (await client.list(Pod, { pageSize: 5000 })).items.length;
  const list = [0, 1, 2, 3, 4].map(() => timedGet("/api/v1/pods"));
  const times = list.map(({ totalMs }) => totalMs).sort((a, b) => a - b);
  line(
    `LIST ${pods} pods`,
    `${times[2]!.toFixed(0)} ms (${(list[0]!.bytes / 1e6).toFixed(0)} MB, first byte ${list[2]!.firstMs.toFixed(0)} ms)`,
    "2,100 ms for 10,000",
    2100 / times[2]!,
  );
  await watchBurst(1000, 300);
  line("memory after these", `${residentMegabytes()} MB`, "1.4 GB (+ etcd 190)");
  await server.stop();
  rmSync(kubeconfig);
  const again = performance.now();
  server = start([binary, "server", ...flags]);
  await until(() => existsSync(kubeconfig));
  line("start again with these data", `${((performance.now() - again) / 1000).toFixed(2)} s`, "");
}

/** One h2load run; prints requests a second and latencies. */
function load(
  title: string,
  url: string,
  inFlight: number,
  requests: number,
  theirs: number,
  more: readonly string[],
): void {
  const clients = Math.min(inFlight, 16);
  const args = [
    "-n",
    String(requests),
    "-c",
    String(clients),
    "-m",
    String(Math.ceil(inFlight / clients)),
    "-H",
    `authorization: Bearer ${token}`,
    "-H",
    "user-agent: bench",
    ...more,
  ];
  const text = execFileSync(
    "h2load",
    [
      ...(more.includes("-d") && !more.some((one) => one.startsWith("content-type"))
        ? ["-H", "content-type: application/json"]
        : []),
      ...args,
      url,
    ],
    { encoding: "utf8" },
  );
  const rate = Number(text.match(/finished in [\d.]+\w+, ([\d.]+) req\/s/)?.[1] ?? 0);
  const codes = text.match(/status codes: (.*)/)?.[1] ?? "";
  const [, min = "", max = "", mean = ""] = text.match(/time for request:\s+(\S+)\s+(\S+)\s+(\S+)/) ?? [];
  const bad = /, 0 3xx, 0 4xx, 0 5xx/.test(codes) ? "" : ` !! ${codes}`;
  line(
    title,
    `${rate.toFixed(0)} req/s (mean ${mean}, max ${max}, min ${min})${bad}`,
    `${theirs} req/s`,
    rate / theirs,
  );
}

/** `count` Secrets of 1.5 KiB to `watchers` watches: deliveries a second from the first write to the last delivery. */
async function watchBurst(watchers: number, count: number): Promise<void> {
  const sessions = await Promise.all(
    Array.from({ length: 10 }, async () =>
      http2.connect(base, { ca: connection.ca, settings: { initialWindowSize: 8 << 20 } }),
    ),
  );
  let deliveries = 0;
  let cut = 0;
  const ready: Promise<void>[] = [];
  for (let at = 0; at < watchers; at += 1) {
    const stream = sessions[at % sessions.length]!.request({
      ":path": "/api/v1/namespaces/default/secrets?watch=1&resourceVersion=0&labelSelector=burst",
      authorization: `Bearer ${token}`,
    });
    ready.push(new Promise((resolve) => stream.once("response", () => resolve())));
    stream.on("data", (chunk: Buffer) => {
      for (let index = chunk.indexOf(10); index >= 0; index = chunk.indexOf(10, index + 1)) deliveries += 1;
    });
    stream.on("end", () => (cut += 1));
    stream.on("error", () => (cut += 1));
  }
  await Promise.all(ready);
  await sleep(500);
  const from = performance.now();
  await inParallel(
    count,
    32,
    async (at) =>
      void (await client.call({
        method: "POST",
        path: "/api/v1/namespaces/default/secrets",
        body: { metadata: { name: `burst-${at}`, labels: { burst: "1" } }, stringData: { value: "x".repeat(1300) } },
      })),
  );
  const deadline = performance.now() + 60_000;
  while (deliveries < watchers * count && cut === 0 && performance.now() < deadline) await sleep(5);
  const seconds = (performance.now() - from) / 1000;
  line(
    `burst of ${count} Secrets to ${watchers} watchers`,
    `${(deliveries / seconds).toFixed(0)} deliveries/s, ${cut} cut off`,
    "35,000/s, all cut off",
    deliveries / seconds / 35_000,
  );
  for (const session of sessions) session.destroy();
}

function timedGet(path: string): { totalMs: number; firstMs: number; bytes: number } {
  const out = execFileSync(
    "curl",
    [
      "-sk",
      "-o",
      "/dev/null",
      "-H",
      `authorization: Bearer ${token}`,
      "-w",
      "%{time_starttransfer} %{time_total} %{size_download}",
      `${base}${path}`,
    ],
    { encoding: "utf8" },
  );
  const [first = 0, total = 0, bytes = 0] = out.split(" ").map(Number);
  return { firstMs: first * 1000, totalMs: total * 1000, bytes };
}

async function makeToken(): Promise<string> {
  const key = { namespace: "default", name: "bench" };
  await client.create(ServiceAccount, { metadata: key });
  await client.create(ClusterRoleBinding, {
    metadata: { name: "bench" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "ServiceAccount", ...key }],
  });
  const answer = await client.createSubresource(ServiceAccount, key, "token", { spec: { expirationSeconds: 7200 } });
  return (answer["status"] as { token: string }).token;
}

function examplePod(metadata: object): object {
  const env = Array.from({ length: 20 }, (_, at) => ({
    name: `VARIABLE_${at}`,
    value: `a value of some length ${at}`,
  }));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...metadata, labels: { app: "bench", tier: "load" }, annotations: { note: "n".repeat(200) } },
    spec: {
      containers: [
        {
          name: "c",
          image: "registry.example.com/team/application:1.2.3",
          env,
          resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
          ports: [{ containerPort: 8080 }],
          readinessProbe: { httpGet: { path: "/ready", port: 8080 } },
        },
      ],
      nodeSelector: { zone: "none" },
    },
  };
}

async function inParallel(count: number, width: number, work: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let at = next++; at < count; at = next++) await work(at);
    }),
  );
}

function residentMegabytes(): number {
  const status = readFileSync(`/proc/${server.child.pid}/status`, "utf8");
  return Math.round(Number(status.match(/VmRSS:\s+(\d+)/)?.[1] ?? 0) / 1024);
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function until(test: () => boolean): Promise<void> {
  while (!test()) await sleep(10);
}

function line(title: string, ours: string, theirs: string, ratio?: number): void {
  console.log(
    `${title.padEnd(42)} ${ours.padEnd(62)} Go: ${theirs}${ratio === undefined ? "" : `  (${ratio.toFixed(1)}x)`}`,
  );
}
