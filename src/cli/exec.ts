/** `capstan exec` and `attach`: a command's streams over one WebSocket, v5.channel.k8s.io. */
import type { RawData, WebSocket } from "ws";
import { Pod } from "#api/core/pod.ts";
import type { V1Pod } from "#api/generated/types.ts";
import { objectPath } from "#client/resource-path.ts";
import { type Command, type Flag, type Invocation, UsageError } from "./command.ts";
import { defaultContainer, selectorOf } from "./logs.ts";
import { selectResources } from "./resource-arguments.ts";
import { type Session, openSession, sessionFlags } from "./session.ts";
import { openWebSocket } from "./web-socket.ts";

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

const streamFlags: readonly Flag[] = [
  ...sessionFlags,
  { name: "container", short: "c", type: "string", placeholder: "NAME", help: "Which container" },
  { name: "stdin", short: "i", type: "boolean", help: "Pass standard input" },
  { name: "tty", short: "t", type: "boolean", help: "Standard input is a terminal" },
  { name: "quiet", short: "q", type: "boolean", help: "Print only what the remote side prints" },
];

export const execCommand: Command = {
  name: "exec",
  group: "Objects",
  summary: "Run a command in a container",
  usage: "capstan exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]",
  examples: ["capstan exec web-0 -- date", "capstan exec -it deployment/web -- sh"],
  flags: streamFlags,
  async run(invocation) {
    const { args, afterDashes } = invocation;
    if (args[0] === undefined) throw new UsageError("pod, type/name or --filename must be specified");
    const command = afterDashes ?? args.slice(1);
    if (command.length === 0) throw new UsageError("you must specify at least one command for the container");
    return await stream(invocation, "exec", command);
  },
};

export const attachCommand: Command = {
  name: "attach",
  group: "Objects",
  summary: "Attach to a container's running process",
  usage: "capstan attach (POD | TYPE/NAME) [-c CONTAINER] [flags]",
  examples: ["capstan attach web-0", "capstan attach -it web-0 -c shell"],
  flags: streamFlags,
  run: async (invocation) => await stream(invocation, "attach", undefined),
};

async function stream(
  invocation: Invocation,
  subresource: "exec" | "attach",
  command: readonly string[] | undefined,
): Promise<number> {
  const { flags, io, args } = invocation;
  const session = openSession(invocation);
  try {
    const pod = await findPod(session, args[0] ?? "");
    if (["Succeeded", "Failed"].includes(pod.status?.phase ?? ""))
      throw new UsageError(`cannot exec into a container in a completed pod; current phase is ${pod.status?.phase}`);
    const container =
      flags.string("container") ||
      defaultContainer(pod, (text) => (flags.boolean("quiet") ? undefined : io.stderr(text)));
    const isInput = flags.boolean("stdin");
    const isTty = flags.boolean("tty") && isInput && process.stdin.isTTY === true;
    if (flags.boolean("tty") && !isTty && isInput)
      io.stderr("Unable to use a TTY - input is not a terminal or the right kind of file\n");
    const query: Record<string, string | string[]> = {
      container,
      stdout: "true",
      ...(isTty ? { tty: "true" } : { stderr: "true" }),
      ...(isInput ? { stdin: "true" } : {}),
      ...(command === undefined ? {} : { command: [...command] }),
    };
    const socket = await openWebSocket(session, objectPath(Pod, pod.metadata, subresource), query, [
      "v5.channel.k8s.io",
    ]);
    return await pump(socket, invocation, isInput, isTty);
  } finally {
    session.close();
  }
}

async function findPod(session: Session, word: string): Promise<V1Pod> {
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

function pump(socket: WebSocket, { io }: Invocation, isInput: boolean, isTty: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    let exitCode = 0;
    const { stdin } = process;
    const send = (to: number, data: Buffer) => socket.send(Buffer.concat([Buffer.from([to]), data]));
    const onInput = (data: Buffer) => send(channel.stdin, data);
    const onInputEnd = () => send(channel.close, Buffer.from([channel.stdin]));
    const onResize = () =>
      send(channel.resize, Buffer.from(JSON.stringify({ Width: process.stdout.columns, Height: process.stdout.rows })));
    if (isInput) stdin.on("data", onInput).on("end", onInputEnd);
    if (isTty) {
      stdin.setRawMode(true);
      process.stdout.on("resize", onResize);
      onResize();
    }
    socket.on("message", (data: RawData) => {
      const bytes = data as Buffer;
      const content = bytes.subarray(1);
      if (bytes[0] === channel.stdout) process.stdout.write(content);
      else if (bytes[0] === channel.stderr) process.stderr.write(content);
      else if (bytes[0] === channel.error) exitCode = exitCodeOf(content.toString("utf8"), (text) => io.stderr(text));
    });
    const finish = () => {
      stdin.off("data", onInput).off("end", onInputEnd).pause();
      if (isTty) stdin.setRawMode(false);
      process.stdout.off("resize", onResize);
    };
    socket.on("close", () => {
      finish();
      resolve(exitCode);
    });
    socket.on("error", (error) => {
      finish();
      reject(error);
    });
    io.signal.addEventListener("abort", () => socket.close(), { once: true });
  });
}

function exitCodeOf(text: string, say: (text: string) => void): number {
  const status = JSON.parse(text) as {
    status?: string;
    message?: string;
    reason?: string;
    details?: { causes?: { reason?: string; message?: string }[] };
  };
  if (status.status === "Success") return 0;
  const code = status.details?.causes?.find(({ reason }) => reason === "ExitCode")?.message;
  if (code === undefined) {
    say(`error: ${status.message ?? text}\n`);
    return 1;
  }
  say(`command terminated with exit code ${code}\n`);
  return Number(code);
}
