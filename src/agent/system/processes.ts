/** Finds and ends processes by a word of their command line that nobody else uses: a path in our data directory. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { sleep } from "#lib/sleep.ts";

const pollMs = 10;

export async function processesNaming(word: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
    if (words.includes(word)) found.push(pid);
  }
  return found;
}

/** Asks, waits up to `patienceMs`, then insists. Resolves when they are gone. */
export async function endProcesses(pids: readonly number[], patienceMs: number): Promise<void> {
  for (const pid of pids) kill(pid, "SIGTERM");
  const deadline = performance.now() + patienceMs;
  const left = (): number[] => pids.filter((pid) => existsSync(`/proc/${pid}`));
  while (left().length > 0 && performance.now() < deadline) await sleep(pollMs);
  for (const pid of left()) kill(pid, "SIGKILL");
  const end = performance.now() + patienceMs;
  while (left().length > 0 && performance.now() < end) await sleep(pollMs);
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}
