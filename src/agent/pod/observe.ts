/** Reads what the runtime has of a pod, and with it what an ended container left as its last words. */
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { AgentPaths } from "#agent/agent-paths.ts";
import type { RuntimeContainerStatus, Sandbox } from "#agent/runtime/cri-types.ts";
import { isGone } from "#agent/runtime/grpc-connection.ts";
import type { RuntimeClient } from "#agent/runtime/runtime-client.ts";
import { tailText } from "#agent/server/log-reader.ts";
import { annotations, labels } from "./container-config.ts";
import type { ObservedContainer, ObservedSandbox, PodObservation } from "./observation.ts";

const messageBytesMax = 4096;
const fallbackLinesMax = 80;
const fallbackBytesMax = 2048;

export function messageFile(paths: AgentPaths, podUid: string, container: string, attempt: number): string {
  return join(paths.pods, podUid, "containers", container, String(attempt));
}

export async function observeContainer(
  runtime: RuntimeClient,
  paths: AgentPaths,
  id: string,
  sandboxId: string,
): Promise<ObservedContainer | undefined> {
  try {
    return await fromStatus(await runtime.containerStatus(id), paths, sandboxId);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

const states: Readonly<Record<RuntimeContainerStatus["state"], ObservedContainer["state"]>> = {
  CONTAINER_CREATED: "created",
  CONTAINER_RUNNING: "running",
  CONTAINER_EXITED: "exited",
  CONTAINER_UNKNOWN: "unknown",
};

async function fromStatus(
  status: RuntimeContainerStatus,
  paths: AgentPaths,
  sandboxId: string,
): Promise<ObservedContainer> {
  const { name, attempt } = status.metadata;
  const state = states[status.state];
  const said = state === "exited" ? await lastWords(status, paths) : "";
  return {
    id: status.id,
    sandboxId,
    name,
    attempt,
    state,
    createdAtMs: milliseconds(status.createdAt),
    startedAtMs: milliseconds(status.startedAt),
    finishedAtMs: milliseconds(status.finishedAt),
    exitCode: status.exitCode,
    reason: status.reason,
    message: `${status.message}${said}`,
    image: status.image.image,
    imageRef: status.imageRef,
    hash: status.annotations[annotations.hash] ?? "",
  };
}

const milliseconds = (nanoseconds: number): number => Math.floor(nanoseconds / 1e6);

async function lastWords(status: RuntimeContainerStatus, paths: AgentPaths): Promise<string> {
  const uid = status.labels[labels.podUid] ?? "";
  const file = messageFile(paths, uid, status.metadata.name, status.metadata.attempt);
  const text = await readStart(file);
  const fallBack = status.annotations[annotations.messagePolicy] === "FallbackToLogsOnError" && status.exitCode !== 0;
  if (text !== "" || !fallBack) return text;
  return await tailText(status.logPath, fallbackLinesMax, fallbackBytesMax).catch(() => "");
}

/** The container could write into this file: it is read up to a limit, and never through a link. */
async function readStart(path: string): Promise<string> {
  try {
    const file = await open(path, "r");
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(messageBytesMax), 0, messageBytesMax, 0);
      return buffer.subarray(0, bytesRead).toString("utf8");
    } finally {
      await file.close();
    }
  } catch {
    return "";
  }
}

export async function observeSandbox(runtime: RuntimeClient, id: string): Promise<ObservedSandbox | undefined> {
  try {
    const { metadata, state, createdAt, network } = await runtime.podSandboxStatus(id);
    const ips = [network?.ip ?? "", ...(network?.additionalIps ?? []).map(({ ip }) => ip)].filter((ip) => ip !== "");
    const ready = state === "SANDBOX_READY";
    return { id, attempt: metadata.attempt, ready, createdAtMs: milliseconds(createdAt), ips };
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Asks for everything anew. What has ended does not change: `known` saves asking again. */
export async function observePod(
  runtime: RuntimeClient,
  paths: AgentPaths,
  uid: string,
  known: PodObservation,
): Promise<PodObservation> {
  const selector = { [labels.podUid]: uid };
  const [sandboxes, containers] = await Promise.all([
    runtime.listPodSandboxes(selector),
    runtime.listContainers(selector),
  ]);
  const seenSandboxes = await Promise.all(sandboxes.map(({ id }: Sandbox) => observeSandbox(runtime, id)));
  const seenContainers = await Promise.all(
    containers.map(async ({ id, podSandboxId, state }) => {
      const before = known.containers.find((container) => container.id === id);
      if (before?.state === "exited" && state === "CONTAINER_EXITED") return before;
      return await observeContainer(runtime, paths, id, podSandboxId);
    }),
  );
  return {
    sandboxes: newestFirst(seenSandboxes.filter((sandbox) => sandbox !== undefined)),
    containers: newestFirst(seenContainers.filter((container) => container !== undefined)),
  };
}

export function newestFirst<T extends { createdAtMs: number; attempt: number }>(entries: readonly T[]): T[] {
  return entries.toSorted((a, b) => b.attempt - a.attempt || b.createdAtMs - a.createdAtMs);
}
