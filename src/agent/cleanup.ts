/**
 * Takes away what an agent of a data directory left on this machine: containers and their processes, mounts, groups,
 * network. What is not there is no failure; everything is tried, and at the end one error says what did not work.
 */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { silentLogger, type Logger } from "#lib/log.ts";
import { agentPaths, type AgentPaths } from "./agent-paths.ts";
import { cleanupNetwork } from "./network/cleanup.ts";
import { Cgroups } from "./node/cgroups.ts";
import { startContainerd } from "./runtime/containerd-process.ts";
import { isGone } from "./runtime/grpc-connection.ts";
import { RuntimeClient } from "./runtime/runtime-client.ts";
import { endProcesses, processesNaming } from "./system/processes.ts";
import { unmountBelow } from "./system/mounts.ts";

export interface CleanupOptions {
  readonly dataDirectory: string;
  readonly nodeName: string;
  /** Addresses that the node answered on itself: the cluster's DNS. */
  readonly servedIps?: readonly string[];
  /** Removes the agent's files too: images, logs, volumes. */
  readonly data?: boolean;
  readonly log?: Logger;
  /** Told before each step. */
  progress?(what: string): void;
}

export async function cleanupAgent(options: CleanupOptions): Promise<void> {
  const { dataDirectory, nodeName, servedIps = [], log = silentLogger } = options;
  const paths = agentPaths(dataDirectory);
  const failures: unknown[] = [];
  const step = async (what: string, work: () => Promise<void>): Promise<void> => {
    options.progress?.(what);
    await work().catch((error: unknown) => void failures.push(new Error(what, { cause: error })));
  };
  if (existsSync(paths.runtimeConfig)) {
    await step("containers", () => removeContainers(paths, log));
    await step("processes", () => endRuntime(paths));
  }
  await step("control groups", () => new Cgroups(`/capstan/${nodeName}`).remove(`/capstan/${nodeName}`));
  await step("network", () =>
    cleanupNetwork({ cniConfigDirectory: paths.cniConfig, cniStateDirectory: paths.cniState, servedIps }),
  );
  await step("mounts", () => unmountBelow(paths.root));
  if (options.data === true) await step("files", () => rm(paths.root, { recursive: true, force: true }));
  if (failures.length > 0) throw new AggregateError(failures, "cleanup is not complete");
}

/** By the runtime itself, so that networks and mounts go in order. */
async function removeContainers(paths: AgentPaths, log: Logger): Promise<void> {
  const containerd = await startContainerd(paths, { log });
  const runtime = new RuntimeClient(containerd.socket);
  try {
    for (const { id } of await runtime.listPodSandboxes()) {
      try {
        await runtime.stopPodSandbox(id);
        await runtime.removePodSandbox(id);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }
  } finally {
    runtime.close();
    await containerd.stop();
  }
}

const endMs = 2_000;

/** Shims, and a containerd that no agent minds any more: whatever names this data directory's runtime. */
async function endRuntime({ runtimeConfig, runtimeSocket }: AgentPaths): Promise<void> {
  for (const word of [runtimeConfig, runtimeSocket]) await endProcesses(await processesNaming(word), endMs);
}
