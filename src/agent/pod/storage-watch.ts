/** Measures the disk use of the pods that have a limit on it, now and then, and ends those that exceed it. */
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "#lib/log.ts";
import { sleep } from "#lib/sleep.ts";
import { podLogDirectory } from "#agent/agent-paths.ts";
import type { RuntimeClient } from "#agent/runtime/runtime-client.ts";
import type { NodePods } from "./node-pods.ts";
import type { PodWorker } from "./pod-worker.ts";
import { exceededStorage, hasStorageLimits, type StorageUsage } from "./storage-limits.ts";

const measureEveryMs = 10_000;
/** A volume with more files than this is not measured to its end: what was counted so far counts. */
const filesMax = 200_000;

export async function watchStorage(
  pods: NodePods,
  runtime: RuntimeClient,
  { log, signal }: { log: Logger; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    await sleep(measureEveryMs, signal);
    const limited = pods.workers().filter((worker) => hasStorageLimits(worker.pod) && !worker.isGone);
    if (limited.length === 0 || signal.aborted) continue;
    const layers = await layerBytes(runtime).catch(() => new Map<string, number>());
    for (const worker of limited) {
      const failure = exceededStorage(worker.pod, await usageOf(worker, layers, pods));
      if (failure === undefined) continue;
      log.warn("evicting a pod", { pod: worker.pod.metadata.name, why: failure.message });
      worker.evict(failure);
    }
  }
}

async function layerBytes(runtime: RuntimeClient): Promise<Map<string, number>> {
  const stats = await runtime.listContainerStats();
  return new Map(stats.map(({ attributes, writableLayer }) => [attributes.id, writableLayer?.usedBytes?.value ?? 0]));
}

async function usageOf(worker: PodWorker, layers: ReadonlyMap<string, number>, pods: NodePods): Promise<StorageUsage> {
  const { namespace = "", name = "", uid = "" } = worker.pod.metadata;
  const logs = podLogDirectory(pods.paths, { namespace, name, uid });
  const volumes = new Map<string, number>();
  for (const volume of worker.pod.spec?.volumes ?? [])
    if (volume.emptyDir !== undefined && (volume.emptyDir.medium ?? "") === "")
      volumes.set(volume.name, await bytesBelow(join(pods.paths.pods, uid, "volumes", "empty-dir", volume.name)));
  // A container can write into its hosts file and its termination message: both lie on the node's disk.
  volumes.set(
    "",
    (await bytesBelow(join(pods.paths.pods, uid, "containers"))) +
      (await sizeOf(join(pods.paths.pods, uid, "etc-hosts"))),
  );
  const containers = new Map<string, number>();
  for (const container of worker.observation.containers) {
    const known = containers.get(container.name) ?? (await bytesBelow(join(logs, container.name)));
    containers.set(container.name, known + (layers.get(container.id) ?? 0));
  }
  return { volumes, containers };
}

const sizeOf = async (path: string): Promise<number> => ((await lstat(path).catch(() => undefined))?.blocks ?? 0) * 512;

/** What the files take on disk; links are not followed. */
async function bytesBelow(directory: string): Promise<number> {
  let bytes = 0;
  let files = 0;
  const waiting = [directory];
  for (let next = waiting.pop(); next !== undefined && files < filesMax; next = waiting.pop()) {
    for (const entry of await readdir(next, { withFileTypes: true }).catch(() => [])) {
      const path = join(next, entry.name);
      files += 1;
      if (entry.isDirectory()) waiting.push(path);
      else bytes += await sizeOf(path);
    }
  }
  return bytes;
}
