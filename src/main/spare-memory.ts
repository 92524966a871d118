/**
 * Gives memory back while nothing happens. V8 collects when it allocates: after a busy minute an idle process would keep
 * hundreds of megabytes of what nobody refers to.
 */
import { performance } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { sleep } from "#lib/sleep.ts";

const lookEveryMs = 10_000;
/** Busier than this (a share of the time) is not idle. */
const idleShareMax = 0.1;
/** So much more than after the last collection is worth one. */
const growthBytesMin = 12 * 1024 * 1024;
/** Collecting more than this would be felt: half a millisecond or so for each megabyte. */
const heapBytesMax = 192 * 1024 * 1024;

type Collect = (options: { type: "major"; execution: "sync"; flavor: "regular" | "last-resort" }) => void;

/** Runs until the signal fires. */
export async function spareMemory(signal: AbortSignal): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as Collect;
  let kept = 0;
  let before = performance.eventLoopUtilization();
  while (!signal.aborted) {
    await sleep(lookEveryMs, signal);
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    const used = process.memoryUsage().heapUsed;
    const isWorthIt = used > kept + growthBytesMin && used < heapBytesMax;
    if (signal.aborted || !isWorthIt || utilization > idleShareMax) continue;
    collect({ type: "major", execution: "sync", flavor: "last-resort" });
    kept = process.memoryUsage().heapUsed;
  }
}
