/**
 * The durable store: writes of 1 KiB with 1, 16 and 256 in flight, and how long it takes to open with 100,000 keys, beside
 * etcd on the same disk. Ours is called in process, as the API server calls it; etcd over gRPC by h2load, as it is used.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "#store/durable-store.ts";
import { message, startEtcd } from "./support/etcd.ts";
import { count, percentile } from "./support/report.ts";

const seconds = Number(process.argv[2] ?? 3);
const keysToOpen = Number(process.argv[3] ?? 100_000);
const valueBytes = 1024;
const keys = 10_000;

const directory = mkdtempSync(join(tmpdir(), "capstan-bench-"));
const path = join(directory, "store");
let store = await openStore({ directory: path });
const etcd = await startEtcd(directory);
const put = message({ 1: Buffer.from("/registry/pods/default/pod-1"), 2: Buffer.alloc(valueBytes, 1) });
for (const inFlight of [1, 16, 256]) {
  const ours = await measureWrites(inFlight);
  const theirs = etcd?.call("Put", put, inFlight, seconds);
  console.log(`write 1 KiB, ${inFlight} in flight`.padEnd(34), text(ours));
  if (theirs === undefined) continue;
  console.log("  etcd".padEnd(34), text(theirs), `(ours ${(ours.perSecond / theirs.perSecond).toFixed(1)}x)`);
}
const range = message({ 1: Buffer.from("/registry/pods/default/pod-1") });
if (etcd !== undefined)
  console.log("  etcd, get, 16 in flight".padEnd(34), text(etcd.call("Range", range, 16, seconds)));
await etcd?.stop();
await fill();
await store.close();
for (const again of ["", ", again"]) {
  const from = performance.now();
  store = await openStore({ directory: path });
  console.log(`open with ${count(keysToOpen)} keys${again}`.padEnd(34), `${count(performance.now() - from)} ms`);
  await store.close();
}
rmSync(directory, { recursive: true });

interface Figures {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  maxMs?: number;
}

function text({ perSecond, p50Ms, p99Ms, maxMs }: Figures): string {
  const most = maxMs === undefined ? "" : `  max ${maxMs.toFixed(2)} ms`;
  return `${count(perSecond).padStart(7)}/s  p50 ${p50Ms.toFixed(2)} ms  p99 ${p99Ms.toFixed(2)} ms${most}`;
}

async function measureWrites(inFlight: number): Promise<Figures> {
  const until = performance.now() + seconds * 1000;
  const latencies: number[] = [];
  let written = 0;
  const writer = async () => {
    while (performance.now() < until) {
      const start = performance.now();
      const value = new Uint8Array(valueBytes).fill(written);
      await store.write([{ key: `/registry/pods/default/pod-${(written++ * 7919) % keys}`, value }]);
      latencies.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, writer));
  const sorted = Float64Array.from(latencies).sort();
  return {
    perSecond: written / seconds,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    maxMs: sorted.at(-1)!,
  };
}

async function fill(): Promise<void> {
  let next = 0;
  const writer = async () => {
    for (let at = next++; at < keysToOpen; at = next++)
      await store.write([{ key: `/registry/pods/filled/pod-${at}`, value: new Uint8Array(valueBytes).fill(at) }]);
  };
  await Promise.all(Array.from({ length: 256 }, writer));
}
