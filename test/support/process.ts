/** Child processes of tests: started in a network namespace if asked, ended by the test that started them. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");
/** The binary under test: what `scripts/build` made, or what CAPSTAN_BINARY names. */
export const binary = process.env["CAPSTAN_BINARY"] ?? join(root, "dist/capstan");

export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs to the end; never rejects for an exit code. */
export function run(
  command: readonly string[],
  options: {
    netns?: string | undefined;
    input?: string;
    env?: Record<string, string>;
    timeoutMs?: number;
    cwd?: string;
  } = {},
): Promise<Finished> {
  const { netns, input, env, timeoutMs = 60_000, cwd } = options;
  const [program, ...args] = inNamespace(netns, command);
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, {
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    child.stdout!.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr!.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const text = Buffer.concat(err).toString("utf8");
      resolve({
        code: code ?? 128,
        stdout: Buffer.concat(out).toString("utf8"),
        stderr: signal === null ? text : `${text}\nkilled by ${signal} after ${timeoutMs} ms`,
      });
    });
    if (input === undefined) return;
    child.stdin!.on("error", () => {}); // who reads may end first
    child.stdin!.end(input);
  });
}

/** Runs a command that must succeed; resolves with its output. */
export async function must(command: readonly string[], options: Parameters<typeof run>[1] = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, options);
  if (code !== 0) throw new Error(`${command.join(" ")} exited with ${code}\n${stdout}${stderr}`);
  return stdout;
}

export interface Running {
  child: ChildProcess;
  /** All that it wrote so far. */
  output(): string;
  /** SIGTERM (or another signal), then waits; kills after 30 s. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export function start(
  command: readonly string[],
  { netns, env }: { netns?: string | undefined; env?: Record<string, string> } = {},
): Running {
  const [program, ...args] = inNamespace(netns, command);
  const child = spawn(program!, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  const keep = (chunk: Buffer) => {
    text = (text + chunk.toString("utf8")).slice(-200_000);
  };
  child.stdout!.on("data", keep);
  child.stderr!.on("data", keep);
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  return {
    child,
    output: () => text,
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      const force = setTimeout(() => child.kill("SIGKILL"), 30_000);
      await ended;
      clearTimeout(force);
    },
  };
}

function inNamespace(netns: string | undefined, command: readonly string[]): readonly string[] {
  return netns === undefined ? command : ["nsenter", `--net=/run/netns/${netns}`, ...command];
}

/** Looks until `look` gives something; rejects with what it saw last after `timeoutMs`. */
export async function eventually<T>(
  look: () => Promise<T | undefined | false>,
  { timeoutMs = 30_000, what = "the condition" }: { timeoutMs?: number; what?: string } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      last = found;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline)
      throw new Error(
        `timed out waiting for ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Whether a program is on this machine. */
export const has = (program: string): boolean =>
  spawnSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" }).status === 0;
