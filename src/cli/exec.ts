/** `capstan exec` and `attach`: a terminal, or streams, in a container. */
import { type Command, type Flag, type Invocation, UsageError } from "./command.ts";
import { findPod, runInContainer } from "./container-streams.ts";
import { defaultContainer } from "./logs.ts";
import { sessionFlags, withSession } from "./session.ts";

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
  return await withSession(invocation, async (session) => {
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
    if (isTty) process.stdin.setRawMode(true);
    try {
      const { code, fault } = await runInContainer(session, pod, {
        subresource,
        container,
        ...(command === undefined ? {} : { command }),
        ...(isInput ? { stdin: process.stdin } : {}),
        ...(isTty ? { terminal } : {}),
        stdout: (bytes) => void process.stdout.write(bytes),
        stderr: (bytes) => void process.stderr.write(bytes),
        signal: io.signal,
      });
      if (fault !== undefined) io.stderr(`error: ${fault}\n`);
      else if (code !== 0) io.stderr(`command terminated with exit code ${code}\n`);
      return code;
    } finally {
      if (isTty) process.stdin.setRawMode(false);
    }
  });
}

const terminal = {
  size: () => ({ Width: process.stdout.columns, Height: process.stdout.rows }),
  onResize(listener: () => void) {
    process.stdout.on("resize", listener);
    return () => void process.stdout.off("resize", listener);
  },
};
