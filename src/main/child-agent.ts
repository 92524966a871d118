/** The agent beside a server: the same binary as a process of its own, started again when it dies. */
import { type ChildProcess, spawn } from "node:child_process";
import { backoffMs } from "#lib/backoff.ts";
import { isPackaged } from "#lib/asset.ts";
import type { Logger } from "#lib/log.ts";
import { sleep } from "#lib/sleep.ts";

/** Set for an agent that is to end with the process that started it. */
export const parentVariable = "CAPSTAN_AGENT_OF_SERVER";

/** Fires when the server that started this agent is gone; never for an agent that runs by itself. */
export function parentGone(
  env: Readonly<Record<string, string | undefined>>,
  stdin: NodeJS.ReadableStream,
): AbortSignal {
  const gone = new AbortController();
  if (env[parentVariable] !== undefined)
    stdin
      .on("end", () => gone.abort())
      .on("error", () => gone.abort())
      .resume();
  return gone.signal;
}

const restart = { initialMs: 250, limitMs: 10_000 };
/** An agent that ran for this long starts again at once. */
const stableMs = 30_000;
const stopMsMax = 30_000;

export interface ChildAgentOptions {
  /** Flags of `capstan agent`. */
  args: readonly string[];
  /** Secrets go by the environment: arguments can be read by everybody on the machine. */
  env: Readonly<Record<string, string>>;
  log: Logger;
  signal: AbortSignal;
}

/** Keeps an agent running until `signal` fires; resolves when the last one has ended. */
export async function runChildAgent({ args, env, log, signal }: ChildAgentOptions): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const startedAt = performance.now();
    const [command, ...before] = isPackaged ? [process.execPath] : [process.execPath, process.argv[1]!];
    const child = spawn(command!, [...before, "agent", ...args], {
      env: { ...process.env, ...env, [parentVariable]: "1" },
      // The agent reads nothing from it: its end tells that the server is gone, however it went.
      stdio: ["pipe", "inherit", "inherit"],
    });
    const code = await ended(child, signal);
    if (signal.aborted) return;
    failures = performance.now() - startedAt > stableMs ? 0 : failures + 1;
    const waitMs = backoffMs(failures, restart);
    log.warn("the agent ended and is started again", { code, waitMs });
    await sleep(waitMs, signal);
  }
}

function ended(child: ChildProcess, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    let force: NodeJS.Timeout | undefined;
    const stop = () => {
      child.kill("SIGTERM");
      force = setTimeout(() => child.kill("SIGKILL"), stopMsMax);
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    const finish = (how: string) => {
      clearTimeout(force);
      signal.removeEventListener("abort", stop);
      resolve(how);
    };
    child.on("exit", (code, killedBy) => finish(killedBy ?? String(code)));
    child.on("error", (error) => finish(error.message));
  });
}
