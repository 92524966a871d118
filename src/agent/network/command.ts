/** Runs a program of the system to its end with a text on its standard input, and gives what it prints. */
import { spawn } from "node:child_process";

/** The program ended with another code than 0, or could not be started. */
export class CommandError extends Error {
  readonly code: number | undefined;

  constructor(message: string, code: number | undefined, options?: ErrorOptions) {
    super(message, options);
    this.name = "CommandError";
    this.code = code;
  }
}

const commandMs = 60_000;
const messageCharsMax = 2_000;

export type RunCommand = (program: string, args: readonly string[], input?: string) => Promise<string>;

/** Rejects with CommandError. */
export const runCommand: RunCommand = async (program, args, input = "") => {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], timeout: commandMs, killSignal: "SIGKILL" });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => void output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => void errors.push(chunk));
  // A program that ends without reading its input breaks the pipe; its exit code tells more.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  child.on("error", (cause) => reject(new CommandError(`${program}: ${cause.message}`, undefined, { cause })));
  child.on("close", (code, signal) => {
    if (code === 0) return resolve(Buffer.concat(output).toString());
    const said = Buffer.concat(errors).toString().trim().slice(0, messageCharsMax);
    reject(
      new CommandError(`${program} ${args.join(" ")}: ${said || `ended by ${signal ?? code}`}`, code ?? undefined),
    );
  });
  return await promise;
};
