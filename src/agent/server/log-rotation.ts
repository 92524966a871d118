/** Keeps container logs within their limits: a file that is full is put aside, packed, and the runtime opens a new one. */
import { createReadStream, createWriteStream } from "node:fs";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Logger } from "#lib/log.ts";
import { sleep } from "#lib/sleep.ts";
import { podLogDirectory, type AgentPaths } from "#agent/agent-paths.ts";
import type { PodObservation } from "#agent/pod/observation.ts";
import type { Pod } from "#api/core/pod.ts";
import type { RuntimeClient } from "#agent/runtime/runtime-client.ts";

export const logBytesMax = 10 * 1024 * 1024;
/** Of one container, the one that is written included. */
export const logFilesMax = 5;
const lookEveryMs = 10_000;

export interface LoggedPods {
  readonly paths: AgentPaths;
  workers(): { readonly pod: Pod; readonly observation: PodObservation }[];
}

export async function rotateLogs(
  pods: LoggedPods,
  runtime: RuntimeClient,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(lookEveryMs, signal);
    for (const { pod, observation } of pods.workers()) {
      const { namespace = "", name = "", uid = "" } = pod.metadata;
      const directory = podLogDirectory(pods.paths, { namespace, name, uid });
      for (const container of observation.containers) {
        if (container.state !== "running" || signal.aborted) continue;
        const file = join(directory, container.name, `${container.attempt}.log`);
        await rotateOne(file, () => runtime.reopenContainerLog(container.id)).catch((error: unknown) =>
          log.warn("cannot rotate a log", { file, error }),
        );
      }
    }
  }
}

export async function rotateOne(file: string, reopen: () => Promise<void>): Promise<void> {
  const { size } = await stat(file);
  if (size <= logBytesMax) return;
  const stamp = new Date().toISOString().slice(0, 19).replace(/[-:T]/g, "");
  const aside = `${file}.${stamp}`;
  await rename(file, aside);
  try {
    await reopen();
  } catch (error) {
    await rename(aside, file);
    throw error;
  }
  await pack(aside);
  await removeOldest(file);
}

async function pack(file: string): Promise<void> {
  await pipeline(createReadStream(file), createGzip(), createWriteStream(`${file}.gz.part`));
  await rename(`${file}.gz.part`, `${file}.gz`);
  await rm(file);
}

async function removeOldest(file: string): Promise<void> {
  const prefix = `${basename(file)}.`;
  const old = (await readdir(dirname(file))).filter((name) => name.startsWith(prefix)).toSorted();
  for (const name of old.slice(0, Math.max(0, old.length - (logFilesMax - 1)))) await rm(join(dirname(file), name));
}
