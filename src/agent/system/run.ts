/** Runs a program of the machine to its end. For what the kernel offers to no library call of Node: mounts, namespaces. */
import { execFile } from "node:child_process";

class ProgramError extends Error {
  readonly stderr: string;
  constructor(program: string, args: readonly string[], cause: Error, stderr: string) {
    super(`${program} ${args.join(" ")}: ${stderr.trim() === "" ? cause.message : stderr.trim()}`, { cause });
    this.name = "ProgramError";
    this.stderr = stderr;
  }
}

const outputBytesMax = 16 * 1024 * 1024;

export function run(
  program: string,
  args: readonly string[],
  options: { timeoutMs?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const { timeoutMs: timeout = 120_000, env } = options;
  return new Promise((resolve, reject) => {
    const settings = { timeout, maxBuffer: outputBytesMax, ...(env === undefined ? {} : { env }) };
    execFile(program, args, settings, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new ProgramError(program, args, error, stderr));
    });
  });
}
