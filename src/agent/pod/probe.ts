/** Asks a container once how it is. Upstream: pkg/probe; texts are those of its Go libraries. */
import http from "node:http";
import https from "node:https";
import { connect } from "node:net";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import type { Pod } from "#api/core/pod.ts";
import type { V1Container, V1HTTPGetAction, V1Probe } from "#api/generated/types.ts";
import { isDeadline } from "#agent/runtime/grpc-connection.ts";
import type { RuntimeClient } from "#agent/runtime/runtime-client.ts";
import { durationText } from "#api/duration.ts";
import { expand } from "./expansion.ts";

export interface ProbeResult {
  /** Warning: a success that is worth a word. Unknown: the probe itself could not be carried out. */
  readonly result: "success" | "warning" | "failure" | "unknown";
  readonly output: string;
}

export interface ProbeTarget {
  readonly pod: Pod;
  readonly container: V1Container;
  readonly containerId: string;
  readonly ip: string;
  readonly runtime: RuntimeClient;
  /** For $(NAME) in commands. */
  readonly environment: ReadonlyMap<string, string>;
}

const success = (output = ""): ProbeResult => ({ result: "success", output });
const failure = (output: string): ProbeResult => ({ result: "failure", output });

/** What is kept of an answer's body, and of a command's output. */
const outputBytesMax = 10 * 1024;
const redirectsMax = 10;

/** Never rejects: what a pod asks for may be something that cannot be asked. */
export async function probeOnce(probe: V1Probe, target: ProbeTarget): Promise<ProbeResult> {
  try {
    return await ask(probe, target);
  } catch (error) {
    return { result: "unknown", output: error instanceof Error ? error.message : String(error) };
  }
}

async function ask(probe: V1Probe, target: ProbeTarget): Promise<ProbeResult> {
  const timeoutMs = Math.max(1, probe.timeoutSeconds ?? 1) * 1000;
  const { exec, httpGet, tcpSocket, grpc } = probe;
  if (exec !== undefined) return await execProbe(exec.command ?? [], target, timeoutMs);
  if (httpGet !== undefined) return await httpProbe(httpGet, target, timeoutMs);
  if (tcpSocket !== undefined) {
    const port = portNumber(tcpSocket.port, target.container);
    return port === undefined ? noPort(tcpSocket.port) : await tcpProbe(tcpSocket.host || target.ip, port, timeoutMs);
  }
  if (grpc !== undefined) return await grpcProbe(target.ip, grpc.port, grpc.service ?? "", timeoutMs);
  return { result: "unknown", output: "missing probe handler" };
}

const noPort = (port: unknown): ProbeResult => ({ result: "unknown", output: `couldn't find port: ${String(port)}` });

export function portNumber(port: string | number, { ports = [] }: V1Container): number | undefined {
  const named = typeof port === "string" ? ports.find(({ name }) => name === port)?.containerPort : port;
  const number = named ?? Number(port);
  return Number.isInteger(number) && number > 0 && number < 65_536 ? number : undefined;
}

async function execProbe(command: readonly string[], target: ProbeTarget, timeoutMs: number): Promise<ProbeResult> {
  const words = command.map((word) => expand(word, (name) => target.environment.get(name)));
  try {
    const { stdout, stderr, exitCode } = await target.runtime.execSync(target.containerId, words, timeoutMs / 1000);
    const output = Buffer.concat([stdout, stderr]).subarray(0, outputBytesMax).toString("utf8");
    return exitCode === 0 ? success(output) : failure(output);
  } catch (error) {
    if (isDeadline(error))
      return failure(`command timed out: "${words.join(" ")}" timed out after ${durationText(timeoutMs)}`);
    return { result: "unknown", output: error instanceof Error ? error.message : String(error) };
  }
}

async function httpProbe(get: V1HTTPGetAction, target: ProbeTarget, timeoutMs: number): Promise<ProbeResult> {
  const port = portNumber(get.port, target.container);
  if (port === undefined) return noPort(get.port);
  const scheme = (get.scheme ?? "HTTP").toLowerCase();
  const path = get.path === undefined || get.path === "" ? "/" : get.path;
  const host = get.host === undefined || get.host === "" ? target.ip : get.host;
  const text = `${scheme}://${bracket(host)}:${port}${path.startsWith("/") ? "" : "/"}${path}`;
  if (!URL.canParse(text)) return { result: "unknown", output: `parse ${JSON.stringify(text)}: invalid URL` };
  const url = new URL(text);
  const deadline = Date.now() + timeoutMs;
  return await follow(url, requestHeaders(get, `${bracket(host)}:${port}`, "probe"), deadline, url.hostname, 0);
}

export const bracket = (host: string): string => (host.includes(":") ? `[${host}]` : host);

/** An empty User-Agent or Accept means none at all. */
export function requestHeaders(get: V1HTTPGetAction, host: string, on: "probe" | "lifecycle"): [string, string][] {
  const given = (get.httpHeaders ?? []).map(({ name, value }) => [name, value] as [string, string]);
  const has = (wanted: string): boolean => given.some(([name]) => name.toLowerCase() === wanted);
  const defaults: [string, string][] = [
    ["Host", host],
    ["User-Agent", `kube-${on}/1.36`],
    ["Accept", "*/*"],
  ];
  const kept = given.filter(([name, value]) => value !== "" || !["user-agent", "accept"].includes(name.toLowerCase()));
  return [...defaults.filter(([name]) => !has(name.toLowerCase())), ...kept, ["Connection", "close"]];
}

/** Answers that lead elsewhere; of the others of their kind there is nothing to follow. */
const followed: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

async function follow(
  url: URL,
  headers: readonly [string, string][],
  deadline: number,
  firstHost: string,
  redirects: number,
): Promise<ProbeResult> {
  const answer = await httpRequest(url, headers, deadline);
  if ("error" in answer) return failure(answer.error);
  const { code, location, body } = answer;
  const ended: ProbeResult = { result: "warning", output: `Probe terminated redirects, Response body: ${body}` };
  if (followed.has(code) && location !== undefined) {
    if (!URL.canParse(location, url.href))
      return failure(`Get "${url.href}": failed to parse Location header ${JSON.stringify(location)}: invalid URL`);
    const next = new URL(location, url);
    if (next.hostname !== firstHost) return ended;
    if (!["http:", "https:"].includes(next.protocol))
      return failure(`Get "${next.href}": unsupported protocol scheme "${next.protocol.slice(0, -1)}"`);
    if (redirects >= redirectsMax) return failure(`Get "${url.href}": stopped after ${redirectsMax} redirects`);
    return await follow(
      next,
      headers.filter(([name]) => name.toLowerCase() !== "host").concat([["Host", next.host]]),
      deadline,
      firstHost,
      redirects + 1,
    );
  }
  if (code >= 300 && code < 400) return ended;
  return code >= 200 && code < 300 ? success(body) : failure(`HTTP probe failed with statuscode: ${code}`);
}

type HttpAnswer = { code: number; location: string | undefined; body: string } | { error: string };

function httpRequest(url: URL, headers: readonly [string, string][], deadline: number): Promise<HttpAnswer> {
  return new Promise((resolve) => {
    const library = url.protocol === "https:" ? https : http;
    const request = library.request(url, {
      agent: false,
      setHost: false,
      setDefaultHeaders: false,
      headers: headers.flat(),
      rejectUnauthorized: false,
      // Go's client reads what small servers write, such as lines without a carriage return.
      insecureHTTPParser: true,
      method: "GET",
    } as http.RequestOptions);
    const fail = (text: string): void => {
      clearTimeout(timer);
      request.destroy();
      resolve({ error: `Get "${url.href}": ${text}` });
    };
    const timer = setTimeout(
      () => fail("context deadline exceeded (Client.Timeout exceeded while awaiting headers)"),
      Math.max(1, deadline - Date.now()),
    );
    request.on("error", (error: NodeJS.ErrnoException) => fail(dialText(error, `${url.hostname}:${url.port}`)));
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const done = (): void => {
        clearTimeout(timer);
        const body = Buffer.concat(chunks).subarray(0, outputBytesMax).toString("utf8");
        resolve({ code: response.statusCode ?? 0, location: response.headers.location, body });
        request.destroy();
      };
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > outputBytesMax) done();
      });
      response.on("end", done);
      response.on("error", done);
    });
    request.end();
  });
}

/** Go's words for what a connection can meet. */
function dialText({ code, message }: NodeJS.ErrnoException, address: string): string {
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: "connect: connection refused",
    EHOSTUNREACH: "connect: no route to host",
    ENETUNREACH: "connect: network is unreachable",
    ETIMEDOUT: "i/o timeout",
  };
  const known = words[code ?? ""];
  if (known !== undefined) return `dial tcp ${address}: ${known}`;
  if (code === "ECONNRESET") return "EOF";
  return message;
}

function tcpProbe(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const address = `${bracket(host)}:${port}`;
    const socket = connect({ host, port });
    const timer = setTimeout(() => end(failure(`dial tcp ${address}: i/o timeout`)), timeoutMs);
    const end = (result: ProbeResult): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    socket.on("connect", () => end(success()));
    socket.on("error", (error: NodeJS.ErrnoException) => end(failure(dialText(error, address))));
  });
}

const serving = 1;
const servingNames = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/** grpc.health.v1.Health/Check: one string in, one enumeration out. */
async function grpcProbe(ip: string, port: number, service: string, timeoutMs: number): Promise<ProbeResult> {
  const address = `${bracket(ip)}:${port}`;
  const client = new Client(address, credentials.createInsecure(), {
    "grpc.primary_user_agent": "kube-probe/1.36",
    "grpc.enable_http_proxy": 0,
  });
  try {
    const health = await new Promise<number>((resolve, reject) =>
      client.makeUnaryRequest(
        "/grpc.health.v1.Health/Check",
        (name: string) => healthRequest(name),
        (bytes: Buffer) => (bytes[0] === 8 ? (bytes[1] ?? 0) : 0),
        service,
        { deadline: Date.now() + timeoutMs },
        (error, answer) => (error === null ? resolve(answer ?? 0) : reject(error)),
      ),
    );
    if (health === serving) return success("service healthy");
    return failure(`service unhealthy (responded with "${servingNames[health] ?? String(health)}")`);
  } catch (error) {
    return failure(grpcText(error as ServiceError, address, timeoutMs));
  } finally {
    client.close();
  }
}

function healthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  if (name.length === 0) return Buffer.alloc(0);
  const length: number[] = [];
  for (let rest = name.length; ; rest >>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.from([10, ...length]), name]);
}

function grpcText({ code, details }: ServiceError, address: string, timeoutMs: number): string {
  const timeout = durationText(timeoutMs);
  if (code === status.UNIMPLEMENTED)
    return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${details}`;
  if (code === status.DEADLINE_EXCEEDED) return `timeout: health rpc did not complete within ${timeout}`;
  if (code === status.UNAVAILABLE)
    return `timeout: failed to connect service "${address}" within ${timeout}: context deadline exceeded`;
  return `error: health rpc probe failed: rpc error: code = ${codeName(code)} desc = ${details}`;
}

/** As Go names it: "NotFound" for NOT_FOUND. */
const codeName = (code: status): string =>
  (status[code] ?? `CODE(${code})`)
    .toLowerCase()
    .replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
    .replace(/^Cancelled$/, "Canceled");
