/** The streams of a command in a container, or of the container itself, over one WebSocket: v5.channel.k8s.io. */
import type { Readable } from "node:stream";
import type { RawData } from "ws";
import { Pod } from "#api/core/pod.ts";
import type { V1Pod } from "#api/generated/types.ts";
import { objectPath } from "#client/resource-path.ts";
import { selectorOf } from "./logs.ts";
import { UsageError } from "./command.ts";
import { selectResources } from "./resource-arguments.ts";
import type { Session } from "./session.ts";
import { openWebSocket } from "./web-socket.ts";

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** More than this on the way to the container, and its input waits. */
const inputBufferBytesMax = 1024 * 1024;

export interface ContainerStreams {
  subresource: "exec" | "attach";
  container: string;
  /** Only for exec. */
  command?: readonly string[];
  /** Nothing is passed where it is absent. */
  stdin?: Readable;
  stdout(bytes: Buffer): void;
  stderr(bytes: Buffer): void;
  /** Input is a terminal: how large it is, and what hears when that changes. */
  terminal?: { size(): { Width: number; Height: number }; onResize(listener: () => void): () => void };
  signal: AbortSignal;
}

/** Resolves with the exit code, and with what the server said where the command could not run. */
export async function runInContainer(
  session: Session,
  pod: V1Pod,
  streams: ContainerStreams,
): Promise<{ code: number; fault?: string }> {
  const { subresource, container, command, stdin, terminal } = streams;
  const query: Record<string, string | string[]> = {
    container,
    stdout: "true",
    ...(terminal === undefined ? { stderr: "true" } : { tty: "true" }),
    ...(stdin === undefined ? {} : { stdin: "true" }),
    ...(command === undefined ? {} : { command: [...command] }),
  };
  const path = objectPath(Pod, pod.metadata, subresource);
  const socket = await openWebSocket(session, path, query, ["v5.channel.k8s.io"]);
  return await new Promise((resolve, reject) => {
    let ended: { code: number; fault?: string } = { code: 0 };
    const send = (to: number, data: Buffer) => socket.send(Buffer.concat([Buffer.from([to]), data]));
    let timer: NodeJS.Timeout | undefined;
    const onInput = (data: Buffer) => {
      send(channel.stdin, data);
      if (socket.bufferedAmount < inputBufferBytesMax) return;
      stdin!.pause();
      clearInterval(timer);
      timer = setInterval(() => {
        if (socket.bufferedAmount >= inputBufferBytesMax) return;
        clearInterval(timer);
        stdin!.resume();
      }, 5);
    };
    const onInputEnd = () => send(channel.close, Buffer.from([channel.stdin]));
    const sendSize = () => send(channel.resize, Buffer.from(JSON.stringify(terminal!.size())));
    stdin?.on("data", onInput).on("end", onInputEnd);
    const forget = terminal?.onResize(sendSize);
    if (terminal !== undefined) sendSize();
    socket.on("message", (data: RawData) => {
      const bytes = data as Buffer;
      const content = bytes.subarray(1);
      if (bytes[0] === channel.stdout) streams.stdout(content);
      else if (bytes[0] === channel.stderr) streams.stderr(content);
      else if (bytes[0] === channel.error) ended = endOf(content.toString("utf8"));
    });
    const close = () => socket.close();
    const finish = () => {
      clearInterval(timer);
      streams.signal.removeEventListener("abort", close);
      stdin?.off("data", onInput).off("end", onInputEnd).pause();
      forget?.();
    };
    socket.on("close", () => {
      finish();
      resolve(ended);
    });
    socket.on("error", (error) => {
      finish();
      reject(error);
    });
    streams.signal.addEventListener("abort", close, { once: true });
  });
}

function endOf(text: string): { code: number; fault?: string } {
  const status = JSON.parse(text) as {
    status?: string;
    message?: string;
    details?: { causes?: { reason?: string; message?: string }[] };
  };
  if (status.status === "Success") return { code: 0 };
  const code = status.details?.causes?.find(({ reason }) => reason === "ExitCode")?.message;
  return code === undefined ? { code: 1, fault: status.message ?? text } : { code: Number(code) };
}

/** "web", or "deployment/web": then one of its pods, a running one if there is one. */
export async function findPod(session: Session, word: string): Promise<V1Pod> {
  const { client, namespace } = session;
  if (!word.includes("/")) return await client.get(Pod, { namespace, name: word });
  const [selection] = await selectResources(session.discovery, [word]);
  const name = selection!.names[0]!;
  if (selection!.resource.kind === "Pod") return await client.get(Pod, { namespace, name });
  const pods = (
    await client.list(Pod, {
      namespace,
      labelSelector: selectorOf(await client.get(selection!.resource, { namespace, name })),
    })
  ).items;
  const running = pods.find(({ status }) => status?.phase === "Running") ?? pods[0];
  if (running === undefined) throw new UsageError(`${word} has no pods`);
  return running;
}
