/**
 * Many objects: LIST of 10,000 and of 100,000 pods (first byte, whole, memory), memory with 150,000 pods, and a start with
 * them. `objects.ts 0.1` does it with a tenth of them.
 */
import { execFileSync } from "node:child_process";
import { type BenchServer, startBenchServer } from "./support/bench-server.ts";
import { examplePod } from "./support/examples.ts";
import { goFigures } from "./support/go-figures.ts";
import { loadSame } from "./support/load.ts";
import { count, line } from "./support/report.ts";

const scale = Number(process.argv[2] ?? 1);
const namespaces = { ten: 10_000 * scale, hundred: 100_000 * scale, rest: 40_000 * scale };
const listRounds = 5;

const server = await startBenchServer();
line("memory idle", `${server.residentMegabytes()} MB`, goFigures.idleMegabytes);
for (const [namespace, pods] of Object.entries(namespaces)) await fill(server, namespace, pods);
line("memory after creating them", `${server.residentMegabytes()} MB`);
benchList(server, "ten", goFigures.listOf10_000PodsMs);
benchTable(server);
benchList(server, "hundred");
const total = Object.values(namespaces).reduce((sum, pods) => sum + pods, 0);
for (const again of ["", " once more"]) {
  const startMs = await server.restart();
  line(`start with ${count(total)} pods${again}`, `${count(startMs)} ms (${count(server.cpuMs())} ms CPU)`);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  line(`memory with ${count(total)} pods`, `${server.residentMegabytes()} MB`, "not measured");
}
benchList(server, "ten", goFigures.listOf10_000PodsMs);
await server.stop();
process.exit(0);

async function fill({ client }: BenchServer, namespace: string, pods: number): Promise<void> {
  const from = performance.now();
  await client.call({ method: "POST", path: "/api/v1/namespaces", body: { metadata: { name: namespace } } });
  const serviceAccounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  await client.call({ method: "POST", path: serviceAccounts, body: { metadata: { name: "default" } } });
  const path = `/api/v1/namespaces/${namespace}/pods`;
  let next = 0;
  const writer = async () => {
    for (let at = next++; at < pods; at = next++)
      await client.call({ method: "POST", path, body: examplePod({ name: `pod-${at}` }) });
  };
  await Promise.all(Array.from({ length: 64 }, writer));
  const seconds = (performance.now() - from) / 1000;
  line(`create ${count(pods)} pods, 64 in flight`, `${count(pods / seconds)}/s`);
}

function benchList(server: BenchServer, namespace: keyof typeof namespaces, theirsMs?: number): void {
  const before = server.residentMegabytes();
  const rounds = Array.from({ length: listRounds }, () => timedGet(server, `/api/v1/namespaces/${namespace}/pods`));
  const [first, total] = (["firstMs", "totalMs"] as const).map(
    (key) => rounds.map((round) => round[key]).sort((one, other) => one - other)[listRounds >> 1]!,
  );
  line(
    `LIST ${count(namespaces[namespace])} pods (${(rounds[0]!.bytes / 1e6).toFixed(0)} MB)`,
    `${count(total!)} ms, first byte ${count(first!)} ms; memory ${before} → ${server.residentMegabytes()} MB`,
    theirsMs === undefined ? "not measured" : `${count(theirsMs)} ms`,
    theirsMs === undefined ? undefined : theirsMs / total!,
  );
}

/** What `kubectl get pods` asks for. */
function benchTable(server: BenchServer): void {
  const path = "/api/v1/namespaces/ten/pods?limit=500";
  const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
  const { perSecond, p50Ms, p99Ms } = loadSame(server, { path, accept }, { protocol: "h2", inFlight: 4, seconds: 4 });
  const theirs = goFigures.tablesOf500PerSecond;
  const ours = `${count(perSecond)}/s  p50 ${count(p50Ms)} ms  p99 ${count(p99Ms)} ms`;
  line("LIST of 500 pods as a Table, 4 in flight", ours, `${theirs}/s`, perSecond / theirs);
}

interface Timed {
  firstMs: number;
  totalMs: number;
  bytes: number;
}

function timedGet({ base, token }: BenchServer, path: string): Timed {
  const figures = "%{time_starttransfer} %{time_total} %{size_download}";
  const args = [
    "-sk",
    "-A",
    "bench",
    "-o",
    "/dev/null",
    "-H",
    `authorization: Bearer ${token}`,
    "-w",
    figures,
    base + path,
  ];
  const [first = 0, total = 0, bytes = 0] = execFileSync("curl", args, { encoding: "utf8" }).split(" ").map(Number);
  return { firstMs: first * 1000, totalMs: total * 1000, bytes };
}
