/**
 * Takes a tar archive of somebody else apart on this machine. It may hold anything: names that lead elsewhere, links and
 * files behind them, devices, programs that run as their owner. So tar works in a folder that is empty and nobody else's,
 * and only what was asked for, plain folders and files, is moved from there to its place. Upstream: kubectl/pkg/cmd/cp untarAll.
 */
import { spawn } from "node:child_process";
import {
  chmodSync,
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UsageError } from "./command.ts";

export interface Unpacking {
  write(bytes: Buffer): void;
  /** After the last bytes. Resolves with the exit code of tar; throws UsageError where that cannot be run. */
  finish(): Promise<{ code: number; isFound: boolean }>;
  /** Removes what has not been moved to its place. */
  clear(): void;
}

interface Wish {
  /** The one name in the archive that is wanted; "." for all of it. */
  name: string;
  /** What it becomes. The folder that this is in is made. */
  target: string;
  /** Keep permissions as they are in the archive. */
  isPreserving: boolean;
  warn(text: string): void;
}

export function unpack({ name, target, isPreserving, warn }: Wish): Unpacking {
  const parent = dirname(resolve(target));
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, ".capstan-cp-"));
  const keep = isPreserving ? [] : ["--no-same-permissions"];
  const tar = spawn("tar", ["-xmf", "-", "--no-same-owner", ...keep, "-C", folder], {
    stdio: ["pipe", "inherit", "inherit"],
  });
  // A tar that ends early says why by itself.
  tar.stdin.on("error", () => {});
  const ended = new Promise<number>((resolveCode, reject) => {
    tar.on("error", (error) => reject(new UsageError(`tar on this machine: ${error.message}`)));
    tar.on("close", (code) => resolveCode(code ?? 1));
  });
  // It is waited for in the end; until then nobody listens.
  ended.catch(() => {});
  return {
    write: (bytes) => void tar.stdin.write(bytes),
    async finish() {
      tar.stdin.end();
      const code = await ended;
      const isFound = kindOf(join(folder, name)) !== undefined;
      if (isFound) place(join(folder, name), resolve(target), name, warn);
      return { code, isFound };
    },
    clear() {
      tar.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const permissionBits = 0o777;
const ownerBits = 0o700;

const kindOf = (path: string) => lstatSync(path, { throwIfNoEntry: false });

/** Links that are at the destination already are replaced, not followed, save one that is the destination itself. */
function place(from: string, to: string, shown: string, warn: (text: string) => void): void {
  const found = kindOf(from)!;
  const mode = found.mode & permissionBits;
  if (found.isDirectory()) {
    chmodSync(from, mode | ownerBits);
    mkdirSync(to, { recursive: true, mode: mode | ownerBits });
    for (const name of readdirSync(from)) {
      if (kindOf(join(to, name))?.isSymbolicLink()) rmSync(join(to, name));
      place(join(from, name), join(to, name), join(shown, name), warn);
    }
  } else if (found.isFile()) {
    chmodSync(from, mode);
    move(from, to);
  } else if (found.isSymbolicLink())
    warn(`warning: skipping symlink: ${JSON.stringify(shown)} -> ${JSON.stringify(readlinkSync(from))}\n`);
  else warn(`warning: skipping special file: ${JSON.stringify(shown)}\n`);
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    rmSync(to, { force: true });
    copyFileSync(from, to, constants.COPYFILE_EXCL);
  }
}
