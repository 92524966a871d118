/** A child process in a network namespace that takes commands and gives results as lines of JSON. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

export class LineProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #nextId = 1;
  #said = "";

  constructor(namespace: string, script: string, args: readonly string[] = []) {
    this.#child = spawn("nsenter", [`--net=/run/netns/${namespace}`, process.execPath, script, ...args], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.#said = `${this.#said}${chunk.toString()}`.slice(-4_000)));
    createInterface({ input: this.#child.stdout! }).on("line", (line) => this.#take(line));
    this.#child.on("exit", () => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`process ended: ${this.#said}`));
    });
  }

  async call<T = unknown>(command: string, value?: unknown): Promise<T> {
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    this.#child.stdin?.write(`${JSON.stringify({ id, command, value })}\n`);
    return (await promise) as T;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await ended;
  }

  #take(line: string): void {
    const { id, result, error } = JSON.parse(line) as { id: number; result?: unknown; error?: string };
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(`${error}\n${this.#said}`));
  }
}

/** The other side: answers each line with what `handle` gives. */
export function answerLines(handle: (command: string, value: never) => Promise<unknown>): void {
  const input = createInterface({ input: process.stdin });
  input.on("close", () => process.exit(0));
  input.on("line", (line) => {
    const { id, command, value } = JSON.parse(line) as { id: number; command: string; value: never };
    handle(command, value).then(
      (result) => process.stdout.write(`${JSON.stringify({ id, result })}\n`),
      (error: unknown) => process.stdout.write(`${JSON.stringify({ id, error: String(error) })}\n`),
    );
  });
}
