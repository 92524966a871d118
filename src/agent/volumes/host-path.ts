/** hostPath volumes: a path of the node, checked for its kind or made. Upstream: pkg/volume/hostpath. */
import { closeSync, mkdirSync, openSync, statSync, type Stats } from "node:fs";
import { join, sep } from "node:path";
import type { V1HostPathVolumeSource } from "#api/generated/types.ts";

const kinds: Readonly<Record<string, { words: string; is(stats: Stats): boolean }>> = {
  Directory: { words: "a directory", is: (stats) => stats.isDirectory() },
  DirectoryOrCreate: { words: "a directory", is: (stats) => stats.isDirectory() },
  File: { words: "a file", is: (stats) => stats.isFile() },
  FileOrCreate: { words: "a file", is: (stats) => stats.isFile() },
  Socket: { words: "a socket file", is: (stats) => stats.isSocket() },
  CharDevice: { words: "a character device", is: (stats) => stats.isCharacterDevice() },
  BlockDevice: { words: "a block device", is: (stats) => stats.isBlockDevice() },
};

/** Returns the path on the node. */
export function prepareHostPath({ path, type = "" }: V1HostPathVolumeSource): string {
  if (path.split(sep).includes("..")) throw new Error(`invalid hostPath: path must not contain '..': ${path}`);
  const found = statSync(path, { throwIfNoEntry: false });
  if (type === "DirectoryOrCreate" && found === undefined) mkdirSync(path, { recursive: true, mode: 0o755 });
  if (type === "FileOrCreate" && found === undefined) createFile(path);
  const kind = kinds[type];
  const stats = statSync(path, { throwIfNoEntry: false });
  if (kind !== undefined && (stats === undefined || !kind.is(stats)))
    throw new Error(`hostPath type check failed: ${path} is not ${kind.words}`);
  return join(path);
}

function createFile(path: string): void {
  try {
    closeSync(openSync(path, "a", 0o644));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new Error(`open ${path}: no such file or directory`, { cause: error });
    throw error;
  }
}
