/**
 * exec, attach and port-forward. SPDY goes through to the runtime's streaming server byte for byte; WebSockets end here, as
 * the runtime knows neither v5.channel.k8s.io nor how a WebSocket client ends its stdin.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { findContainer } from "#agent/pod/containers-of.ts";
import { latestOf, readySandbox } from "#agent/pod/observation.ts";
import type { StreamChoice } from "#agent/runtime/runtime-client.ts";
import { chooseProtocol, channelProtocols, runChannels } from "./channel-session.ts";
import { answer, refuse, type NodeRequest } from "./node-request.ts";
import { connectSpdy, passThrough } from "./runtime-stream.ts";
import { SpdyConnection } from "./spdy.ts";

/** What a client may send at once. */
const messageBytesMax = 4 * 1024 * 1024;
const tunnelProtocol = "SPDY/3.1+portforward.k8s.io";

/** Without an upgrade: only `run`, which runs a command and answers with what it wrote. */
export async function serveStream(
  _request: IncomingMessage,
  response: ServerResponse,
  parsed: NodeRequest,
): Promise<void> {
  if (parsed.parts[0] !== "run") return answer(response, 400, "Upgrade request required");
  const target = targetOf(parsed);
  if ("code" in target) return answer(response, target.code, target.why);
  const words = parsed.url.searchParams.getAll("cmd").flatMap((text) => text.split(" "));
  const { stdout, stderr } = await parsed.options.runtime.execSync(target.id, words, 0);
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
  response.end(Buffer.concat([stdout, stderr]));
}

export async function serveUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  parsed: NodeRequest,
): Promise<void> {
  const kind = parsed.parts[0];
  const forwards = kind === "portForward";
  if (kind !== "exec" && kind !== "attach" && !forwards) return refuse(socket, 404, "404 page not found");
  const target = targetOf(parsed);
  if ("code" in target) return refuse(socket, target.code, target.why);
  const isWebSocket = request.headers.upgrade?.toLowerCase() === "websocket";
  const wanted = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
  const ports = portsOf(parsed);
  if (ports === undefined) return refuse(socket, 400, "invalid port");
  const url = new URL(await streamUrl(parsed, target.id, ports));
  if (!isWebSocket) return passThrough(request, socket, head, url);
  if (!forwards) return await serveChannels(request, socket, head, { url, choice: choiceOf(parsed) });
  if (wanted.includes(tunnelProtocol)) return serveTunnel(request, socket, head, url);
  return passThrough(request, socket, head, url);
}

type Target = { readonly id: string } | { readonly code: number; readonly why: string };

/** The container, or the sandbox for port-forward. Paths may have the pod's uid before the container's name. */
function targetOf({ parts, options }: NodeRequest): Target {
  const [kind, namespace = "", podName = "", ...rest] = parts;
  const worker = options.pods.worker(namespace, podName);
  if (worker === undefined) return { code: 404, why: `pod does not exist` };
  if (kind === "portForward") {
    const sandbox = readySandbox(worker.observation);
    return sandbox === undefined ? { code: 400, why: `pod ${podName} is not running` } : { id: sandbox.id };
  }
  const name = rest.at(-1) ?? "";
  if (findContainer(worker.pod, name) === undefined)
    return { code: 404, why: `container ${name} is not valid for pod ${podName}` };
  const container = latestOf(worker.observation, name);
  if (container?.state !== "running") return { code: 500, why: `container not found ("${name}")` };
  return { id: container.id };
}

const truth = (text: string | null): boolean => text === "1" || text === "true";

/** The API server's names and kubectl's own. */
function choiceOf({ url }: NodeRequest): StreamChoice {
  const has = (...names: string[]): boolean => names.some((name) => truth(url.searchParams.get(name)));
  const tty = has("tty");
  return { tty, stdin: has("input", "stdin"), stdout: has("output", "stdout"), stderr: !tty && has("error", "stderr") };
}

function portsOf({ url }: NodeRequest): number[] | undefined {
  const texts = [...url.searchParams.getAll("port"), ...url.searchParams.getAll("ports")].flatMap((text) =>
    text.split(","),
  );
  const ports = texts.map(Number);
  return ports.every((port) => Number.isInteger(port) && port > 0 && port < 65_536) ? ports : undefined;
}

async function streamUrl(parsed: NodeRequest, id: string, ports: readonly number[]): Promise<string> {
  const { runtime } = parsed.options;
  const choice = choiceOf(parsed);
  if (parsed.parts[0] === "portForward") return await runtime.portForward(id, ports);
  if (parsed.parts[0] === "attach") return await runtime.attach(id, choice);
  return await runtime.exec(id, parsed.url.searchParams.getAll("command"), choice);
}

async function serveChannels(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  { url, choice }: { url: URL; choice: StreamChoice },
): Promise<void> {
  const { socket: inner, rest } = await connectSpdy(url, "v4.channel.k8s.io");
  const connection = new SpdyConnection(inner, rest);
  upgradeSocket(request, socket, head, (client) => {
    void runChannels(client, connection, choice).catch(() => {
      connection.close();
      client.close(1011);
    });
  });
}

/** SPDY inside of WebSocket messages: kubectl's port-forward. */
async function serveTunnelTo(client: WebSocket, url: URL): Promise<void> {
  const { socket, rest } = await connectSpdy(url, "portforward.k8s.io");
  const send = (chunk: Buffer): void => {
    client.send(chunk, { binary: true });
    if (client.bufferedAmount <= messageBytesMax) return;
    socket.pause();
    const timer = setInterval(() => {
      if (client.bufferedAmount > messageBytesMax && client.readyState === client.OPEN) return;
      clearInterval(timer);
      socket.resume();
    }, 10);
  };
  if (rest.length > 0) send(rest);
  socket.on("data", send);
  socket.on("close", () => client.close(1000));
  socket.on("error", () => socket.destroy());
  client.on("message", (data) => {
    if (socket.write(asBuffer(data))) return;
    client.pause();
    socket.once("drain", () => client.resume());
  });
  client.on("close", () => socket.destroy());
}

const asBuffer = (data: unknown): Buffer =>
  Array.isArray(data)
    ? Buffer.concat(data as Buffer[])
    : Buffer.isBuffer(data)
      ? data
      : Buffer.from(data as ArrayBuffer);

function serveTunnel(request: IncomingMessage, socket: Duplex, head: Buffer, url: URL): void {
  upgradeSocket(request, socket, head, (client) => {
    void serveTunnelTo(client, url).catch(() => client.close(1011));
  });
}

const webSockets = new WebSocketServer({
  noServer: true,
  maxPayload: messageBytesMax,
  perMessageDeflate: false,
  handleProtocols: (offered) =>
    offered.has(tunnelProtocol) ? tunnelProtocol : (chooseProtocol([...offered], channelProtocols) ?? false),
});

function upgradeSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  then: (client: WebSocket) => void,
): void {
  webSockets.handleUpgrade(request, socket, head, (client) => {
    client.on("error", () => client.terminate());
    then(client);
  });
}
