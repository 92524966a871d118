/**
 * Reads arguments, builds the parts, connects them; the only file that knows all folders. `capstan server` is a store, an
 * API server and everything that reconciles, in one process, with an agent as a process beside it; `capstan agent` makes
 * a machine a node; all other commands are src/cli's.
 */
import type { Command, Io } from "#cli/command.ts";
import { type CommandEntry, commands } from "#cli/commands.ts";
import { runCommand } from "#cli/run.ts";

const clusterCommands: readonly CommandEntry[] = [
  {
    name: "server",
    group: "Cluster",
    summary: "Run a control plane, and a node beside it",
    load: async () => (await import("./main/server-command.ts")).serverCommand,
  },
  {
    name: "agent",
    group: "Cluster",
    summary: "Make this machine a node of a cluster",
    load: async () => (await import("./main/agent-command.ts")).agentCommand,
  },
  {
    name: "cleanup",
    group: "Cluster",
    summary: "Remove containers, mounts, interfaces and rules of a data directory",
    load: async () => (await import("./main/agent-command.ts")).cleanupCommand,
  },
];

/** How long output may take to drain after a command has ended. */
const lingerMsMax = 2_000;

export async function run(argv: readonly string[]): Promise<void> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(130); // asked twice: at once
      stop.abort();
    });
  }
  process.stdout.on("error", () => process.exit(1)); // who reads went away
  const io: Io = {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    stdin: process.stdin,
    isTerminal: process.stdout.isTTY === true,
    env: process.env,
    signal: stop.signal,
  };
  process.exitCode = await runCommand(argv, [...clusterCommands, ...commands], io);
  // What a failed start left open must not keep the process.
  setTimeout(() => process.exit(), lingerMsMax).unref();
}

/** Runs what a start needs, for the code cache that the build makes. */
export async function warmUp(): Promise<void> {
  const quiet: Io = {
    stdout: () => {},
    stderr: () => {},
    stdin: process.stdin,
    isTerminal: false,
    env: {},
    signal: new AbortController().signal,
  };
  await runCommand(["get", "--help"], commands, quiet);
  const { serverCommand } = await import("./main/server-command.ts");
  const { agentCommand } = await import("./main/agent-command.ts");
  const loaded: Command[] = [serverCommand, agentCommand];
  if (loaded.length === 0) throw new Error("no commands");
}

if (import.meta.main) await run(process.argv.slice(2));
