/** /containerLogs/NAMESPACE/POD/CONTAINER. Upstream: pkg/kubelet/server/server.go getContainerLogs, kubelet_pods.go. */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { sleep } from "#lib/sleep.ts";
import { podLogDirectory } from "#agent/agent-paths.ts";
import { oldStatus } from "#agent/pod/container-statuses.ts";
import { findContainer } from "#agent/pod/containers-of.ts";
import { isAlive, type ObservedContainer } from "#agent/pod/observation.ts";
import type { NodePods } from "#agent/pod/node-pods.ts";
import type { PodWorker } from "#agent/pod/pod-worker.ts";
import { answer, type NodeRequest } from "./node-request.ts";
import { readLog, type LogOptions } from "./log-reader.ts";

export async function serveLogs(
  _request: IncomingMessage,
  response: ServerResponse,
  { url, parts, options }: NodeRequest,
): Promise<void> {
  const [, namespace = "", podName = "", containerName = ""] = parts;
  const worker = await settledWorker(namespace, podName, containerName, options.pods);
  if (worker === undefined) return answer(response, 404, `pod "${podName}" does not exist`);
  if (findContainer(worker.pod, containerName) === undefined)
    return answer(response, 404, `container "${containerName}" not found in pod "${podName}"`);
  const previous = truth(url.searchParams.get("previous"));
  const chosen = chooseRun(worker, podName, containerName, previous);
  if ("why" in chosen) return answer(response, 400, chosen.why);
  const { name = "", uid = "" } = worker.pod.metadata;
  const directory = podLogDirectory(options.paths, { namespace, name, uid });
  const path = join(directory, containerName, `${chosen.attempt}.log`);
  response.writeHead(200, { "content-type": "text/plain", "transfer-encoding": "chunked" });
  response.flushHeaders();
  if (!existsSync(path)) return void response.end();
  if (isAlive(chosen)) await quiet(path, chosen.startedAtMs);
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const ended = isAlive(chosen) ? worker.whenEnded(chosen.id, gone.signal) : Promise.resolve();
  for await (const chunk of readLog(path, logOptions(url), { signal: gone.signal, ended }))
    if (!response.write(chunk)) await drained(response, gone.signal);
  response.end();
}

/** How long a log waits for a pod that was just bound, and for a container that is just being made. */
const settleMs = 5_000;
const settlePollMs = 25;

/** Asked too early, the answer would be an error that is wrong a moment later: the outcome is worth a short wait. */
async function settledWorker(
  namespace: string,
  pod: string,
  container: string,
  pods: NodePods,
): Promise<PodWorker | undefined> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    const worker = pods.worker(namespace, pod);
    const settled = worker !== undefined && !worker.isStarting(container);
    if (settled || performance.now() > deadline || pods.isRefused(namespace, pod)) return worker;
    await sleep(settlePollMs);
  }
}

const quietMs = 40;
/** The log of a container that has just started is more likely to be late than to be empty: a busy runtime copies slowly. */
const youngMs = 5_000;
const quietLooksMax = 5;
const emptyLooksMax = 30;

/** The runtime copies what a container writes a moment later: what it wrote before the question belongs to the answer. */
async function quiet(path: string, startedAtMs: number): Promise<void> {
  const isYoung = Date.now() - startedAtMs < youngMs;
  let size = -1;
  for (let look = 0; look < (isYoung && size <= 0 ? emptyLooksMax : quietLooksMax); look += 1) {
    const now = (await stat(path).catch(() => undefined))?.size ?? 0;
    if (now === size && (now > 0 || !isYoung)) return;
    size = now;
    await sleep(quietMs);
  }
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    response.once("drain", resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

type Chosen = ObservedContainer | { readonly why: string };

/** The run whose log is wanted, or why there is none. */
function chooseRun(worker: PodWorker, pod: string, container: string, previous: boolean): Chosen {
  const runs = worker.observation.containers.filter(({ name }) => name === container);
  const [latest, before] = runs;
  const waiting = worker.waitOf(container);
  if (previous) {
    // While it waits to be started again, the run that ended last is the previous one.
    const found =
      waiting !== undefined && latest?.state === "exited" && latest.attempt > 0 ? (before ?? latest) : before;
    return found ?? { why: `previous terminated container "${container}" in pod "${pod}" not found` };
  }
  if (latest !== undefined && latest.state !== "created") return latest;
  const reason =
    waiting?.reason ?? oldStatus(worker.pod.status, container)?.state?.waiting?.reason ?? "ContainerCreating";
  return { why: `container "${container}" in pod "${pod}" is waiting to start: ${reason}` };
}

function logOptions({ searchParams }: URL): LogOptions {
  const number = (name: string): number | undefined => {
    const text = searchParams.get(name);
    return text === null || text === "" || !Number.isFinite(Number(text)) ? undefined : Number(text);
  };
  const seconds = number("sinceSeconds");
  const time = searchParams.get("sinceTime");
  return {
    follow: truth(searchParams.get("follow")),
    timestamps: truth(searchParams.get("timestamps")),
    tailLines: number("tailLines"),
    limitBytes: number("limitBytes"),
    sinceMs:
      seconds !== undefined ? Date.now() - seconds * 1000 : time === null || time === "" ? undefined : Date.parse(time),
  };
}

/** As Go's API reads a flag in a query: anything but these is true. */
const truth = (text: string | null): boolean => text !== null && !["false", "0"].includes(text.toLowerCase());
