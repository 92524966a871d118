/**
 * A server that ends says why, whatever the reason: an error that nobody caught, a call of exit, nothing left to do, a
 * signal. What it cannot say (SIGKILL, the kernel's lack of memory, power), the next start does.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Logger } from "#lib/log.ts";

export interface LastWords {
  /** Keeps a file while the process runs. If it is there already, the run before was killed: that is said now. */
  mark(file: string): void;
  /** From here on the process ends because it was asked to, or has said why. */
  ending(): void;
}

export function haveLastWords(log: Logger): LastWords {
  let isEnding = false;
  let marked: string | undefined;
  process.on("uncaughtExceptionMonitor", (error, origin) => {
    log.error("ending because of an error that nobody caught", { origin, error, stack: error.stack });
    isEnding = true;
  });
  process.on("exit", (code) => {
    if (marked !== undefined) rmSync(marked, { force: true });
    if (isEnding) return;
    log.error("ending without having been asked to", { code, nothingLeftToDo: code === 0 || code === 13 });
  });
  if (!isIgnored(hangUp))
    process.once("SIGHUP", () => {
      log.error("ending because of SIGHUP: its terminal or session is gone");
      process.kill(process.pid, "SIGTERM");
    });
  return {
    mark(file) {
      if (existsSync(file)) log.warn("the last run was killed, or its machine went down: it did not end by itself");
      writeFileSync(file, `${process.pid}\n`);
      marked = file;
    },
    ending: () => void (isEnding = true),
  };
}

const hangUp = 1;

/** nohup and its like have a signal ignored from the start: then it stays so. */
function isIgnored(signal: number): boolean {
  const ignored = readFileSync("/proc/self/status", "utf8").match(/^SigIgn:\s+([0-9a-f]+)/m)?.[1] ?? "0";
  return ((BigInt(`0x${ignored}`) >> BigInt(signal - 1)) & 1n) === 1n;
}
