/** How fast the durable store writes 1 KiB values: writes/s and latency at 1, 16 and 256 in flight. Prints a table. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "#store/durable-store.ts";

const seconds = Number(process.argv[2] ?? 3);
const valueBytes = 1024;
const keys = 10_000;

const directory = mkdtempSync(join(process.argv[3] ?? tmpdir(), "capstan-bench-"));
const store = await openStore({ directory });
try {
  console.log("in flight   writes/s   p50 ms   p99 ms   max ms");
  for (const inFlight of [1, 16, 256]) console.log(await measure(inFlight));
} finally {
  await store.close();
  rmSync(directory, { recursive: true });
}

async function measure(inFlight: number): Promise<string> {
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
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, writer));
  const rate = written / ((performance.now() - start) / 1000);
  const sorted = Float64Array.from(latencies).toSorted();
  const at = (part: number) => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(2);
  const cells = [String(inFlight).padStart(9), rate.toFixed(0).padStart(10), at(0.5), at(0.99), at(1)];
  return cells.map((cell) => cell.padStart(8)).join(" ");
}
