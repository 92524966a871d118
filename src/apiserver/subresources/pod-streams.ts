/** Logs of containers, and streams into them: the node's server does the work. Upstream: pkg/registry/core/pod/strategy.go, rest/log.go. */
import { sleep } from "#lib/sleep.ts";
import type { V1Pod } from "#api/generated/types.ts";
import { TimeError, canonicalTime } from "#api/decode/go-time.ts";
import type { FieldError } from "#api/field-error.ts";
import { badRequest } from "#api/status-catalogue.ts";
import { failure, type Status, StatusError } from "#api/status-error.ts";
import { forbidden, invalid, invalidObject, rootPath } from "#api/validation/field-errors.ts";
import { type Answer, textAnswer } from "#apiserver/answer.ts";
import { checkRoute, negotiate } from "#apiserver/http/negotiate.ts";
import type { Query } from "#apiserver/request.ts";
import { integer } from "#apiserver/resource/list-options.ts";
import type { SpecialHandler, SpecialRequest } from "#apiserver/subresource.ts";
import { checkMayConnect } from "./may-connect.ts";
import type { NodeDialer } from "./node-connection.ts";
import { entryOf, operationOn } from "./support.ts";
import { openTunnel, tunnelledProtocol } from "./tunnel.ts";
import { isWebSocketRequest, streamToWebSocket } from "./web-socket-stream.ts";
import { passUpgrade } from "./upgrade.ts";

export function podLog(dialer: NodeDialer): SpecialHandler {
  return {
    methods: ["GET"],
    async handle(special) {
      const { request, info } = special;
      checkRoute(request.header("accept"), false, ["text/plain"]);
      negotiate(request.header("accept"), false, { as: [] });
      checkLogOptions(info.name, request.query);
      const pod = await boundPodOf(special);
      const container = containerOf(pod, request.query.get("container") ?? "");
      const nodeName = pod.spec?.nodeName ?? "";
      if (nodeName === "") return textAnswer("", 204);
      const path = `/containerLogs/${info.namespace}/${info.name}/${container}${queryText(request.query, logParameters)}`;
      const answer = await dialer.request(nodeName, path, request.signal);
      if (answer.statusCode === 200 && isWebSocketRequest(request)) return streamToWebSocket(request, answer);
      return relay(answer);
    },
  };
}

/** So long a log waits for its pod to be bound, if the pod was made just now. */
const bindingMsMax = 500;
const bindingPollMs = 5;
/** Creation times are whole seconds. */
const newMsMax = 2_000;

/** The pod, with its node if the scheduler is just about to choose one: who makes a pod and asks for its log gets the log. */
async function boundPodOf(special: SpecialRequest): Promise<V1Pod> {
  const { signal } = special.request;
  const deadline = performance.now() + bindingMsMax;
  for (;;) {
    const pod = await podOf(special);
    const isNew = special.services.clock.now() - Date.parse(String(pod.metadata.creationTimestamp ?? "")) < newMsMax;
    const isHeld = pod.status?.conditions?.some(({ type, status }) => type === "PodScheduled" && status === "False");
    const isDecided = (pod.spec?.nodeName ?? "") !== "" || isHeld === true;
    if (isDecided || !isNew || performance.now() >= deadline || signal.aborted) return pod;
    await sleep(bindingPollMs, signal);
  }
}

type NodeAnswer = Awaited<ReturnType<NodeDialer["request"]>>;

async function relay(answer: NodeAnswer): Promise<Answer> {
  const code = answer.statusCode ?? 502;
  if (code === 200) return { type: "stream", code, headers: { "content-type": "text/plain" }, body: answer };
  throw failureOf(code, await startOf(answer));
}

/** What a node says of a failure is short; more of it is not read. */
const failureBytesMax = 64 * 1024;

async function startOf(answer: NodeAnswer): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    pieces.push(piece);
    size += piece.length;
    if (size >= failureBytesMax) break;
  }
  return Buffer.concat(pieces).subarray(0, failureBytesMax).toString("utf8");
}

/** What the node says went wrong: a Status, or a text. */
function failureOf(code: number, text: string): StatusError {
  try {
    const status = JSON.parse(text) as Status;
    if (status.kind === "Status") return new StatusError(status);
  } catch {
    // Not JSON: a plain text follows.
  }
  const reason = code === 404 ? "NotFound" : code === 400 ? "BadRequest" : code === 403 ? "Forbidden" : "InternalError";
  return failure(code < 400 ? 502 : code, reason, text.trim());
}

export function podStream(dialer: NodeDialer, kind: "exec" | "attach" | "portForward"): SpecialHandler {
  return {
    methods: ["GET", "POST"],
    connectOptions: ({ request }) => streamOptions(kind, request.query),
    async handle(special) {
      const { request, info } = special;
      checkMayConnect(special);
      const pod = await podOf(special);
      const parameters = kind === "portForward" ? portParameters : streamParameters;
      const container = kind === "portForward" ? "" : `/${containerOf(pod, request.query.get("container") ?? "")}`;
      const nodeName = pod.spec?.nodeName ?? "";
      if (nodeName === "") throw badRequest(`pod ${info.name} does not have a host assigned`);
      const { host, port } = dialer.addressOf(nodeName);
      if (request.upgrade === undefined) throw badRequest("Upgrade request required");
      const path = `/${kind}/${info.namespace}/${info.name}${container}${queryText(request.query, parameters)}`;
      const backend = await dialer.dial(nodeName, request.signal);
      const protocol = kind === "portForward" ? tunnelledProtocol(request) : undefined;
      const authority = `${host}:${port}`;
      return protocol === undefined
        ? passUpgrade(request, backend, path, authority)
        : openTunnel(request, protocol, backend, path, authority);
    },
  };
}

const optionKinds = { exec: "PodExecOptions", attach: "PodAttachOptions", portForward: "PodPortForwardOptions" };

/** The query as the object that it stands for, defaults included. Upstream: core/v1/defaults.go. */
function streamOptions(kind: "exec" | "attach" | "portForward", query: Query): object {
  const head = { kind: optionKinds[kind], apiVersion: "v1" };
  if (kind === "portForward") {
    const ports = query.all("ports").flatMap((text) => text.split(",").map(Number));
    return { ...head, ...(ports.length === 0 ? {} : { ports }) };
  }
  const on = (name: string, otherwise: boolean) => ((query.flag(name) ?? otherwise) ? { [name]: true } : {});
  const container = query.get("container") ?? "";
  const command = query.all("command");
  return {
    ...head,
    ...on("stdin", false),
    ...on("stdout", true),
    ...on("stderr", true),
    ...on("tty", false),
    ...(container === "" ? {} : { container }),
    ...(kind === "exec" ? { command } : {}),
  };
}

async function podOf(special: SpecialRequest): Promise<V1Pod> {
  return (await entryOf(operationOn(special, special.resource!, special.info.name))).object as V1Pod;
}

/** Without a name it is the one main container; others have to be named. Upstream: registry/core/pod/strategy.go. */
function containerOf({ metadata, spec }: V1Pod, wanted: string): string {
  const { name = "" } = metadata;
  const of = (list: readonly { name: string }[] | undefined): string[] => (list ?? []).map((one) => one.name);
  const main = of(spec?.containers);
  const all = [...of(spec?.initContainers), ...main, ...of(spec?.ephemeralContainers)];
  if (wanted !== "") {
    if (!all.includes(wanted)) throw badRequest(`container ${wanted} is not valid for pod ${name}`);
    return wanted;
  }
  if (main.length === 1) return main[0]!;
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${all.join(" ")}]`);
}

const logParameters = new Map(
  [
    "follow",
    "previous",
    "sinceSeconds",
    "sinceTime",
    "timestamps",
    "tailLines",
    "limitBytes",
    "insecureSkipTLSVerifyBackend",
  ].map((name) => [name, name]),
);
/** A node's server has other names for the streams. */
const streamParameters = new Map([
  ["stdin", "input"],
  ["stdout", "output"],
  ["stderr", "error"],
  ["tty", "tty"],
  ["command", "command"],
]);
const portParameters = new Map([["ports", "port"]]);
const flags = new Set(["stdin", "stdout", "stderr", "tty"]);

function queryText(query: Query, names: ReadonlyMap<string, string>): string {
  const parameters = new URLSearchParams();
  for (const [name, nodeName] of names) {
    if (flags.has(name)) {
      if (query.flag(name) === true) parameters.append(nodeName, "1");
    } else if (name === "follow" || name === "previous" || name === "timestamps") {
      if (query.flag(name) === true) parameters.append(nodeName, "true");
    } else for (const value of query.all(name)) parameters.append(nodeName, value);
  }
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

/** A time as Go reads it from a query. */
function checkTime(text: string): void {
  if (text === "" || text === "null") return;
  try {
    canonicalTime(text);
  } catch (error) {
    throw error instanceof TimeError ? badRequest(error.message) : error;
  }
}

function checkLogOptions(name: string, query: Query): void {
  const errors: FieldError[] = [];
  const tail = integer(query, "tailLines");
  const limit = integer(query, "limitBytes");
  const since = integer(query, "sinceSeconds");
  checkTime(query.get("sinceTime") ?? "");
  if (tail !== undefined && tail < 0) errors.push(invalid("tailLines", tail, "must be greater than or equal to 0"));
  if (limit !== undefined && limit < 1) errors.push(invalid("limitBytes", limit, "must be greater than 0"));
  if (since !== undefined && query.has("sinceTime"))
    errors.push(forbidden(rootPath, "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  else if (since !== undefined && since < 1) errors.push(invalid("sinceSeconds", since, "must be greater than 0"));
  if (query.has("stream")) errors.push(forbidden("stream", "may not be specified"));
  if (errors.length > 0) throw invalidObject({ group: "", kind: "PodLogOptions" }, name, errors);
}
