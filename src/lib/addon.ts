/**
 * Loads a native addon out of the single executable without leaving a file behind: the bytes go to an unnamed file
 * (O_TMPFILE), which dlopen reaches through /proc; where that is not possible, to a file that is removed at once.
 */
import { closeSync, constants, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isPackaged, readAsset } from "./asset.ts";

const unnamedFile = 0o20000000 | constants.O_DIRECTORY; // O_TMPFILE on Linux

/** The addon's exports in the packaged binary; undefined elsewhere, where a library finds its own addon. */
export function loadPackagedAddon(name: string): object | undefined {
  if (!isPackaged) return undefined;
  const bytes = readAsset(name);
  const loaded: { exports: object } = { exports: {} };
  try {
    const file = openSync(tmpdir(), unnamedFile | constants.O_RDWR, 0o700);
    writeSync(file, bytes);
    process.dlopen(loaded, `/proc/self/fd/${file}`);
    closeSync(file);
  } catch {
    const path = join(tmpdir(), `.capstan-${process.pid}-${Date.now()}.node`);
    const file = openSync(path, "wx", 0o700);
    try {
      writeSync(file, bytes);
      closeSync(file);
      process.dlopen(loaded, path);
    } finally {
      rmSync(path, { force: true });
    }
  }
  return loaded.exports;
}
