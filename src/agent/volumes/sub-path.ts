/**
 * Mounts of a path inside of a volume. A pod can swap that path for a link at any moment, so every component is opened
 * without following links and the file that was opened is bound to a place out of the pod's reach; the name is never used
 * again. Upstream: pkg/volume/util/subpath (CVE-2017-1002101, CVE-2021-25741).
 */
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { isMountPoint } from "#agent/system/mounts.ts";
import { run } from "#agent/system/run.ts";

const { O_NOFOLLOW, O_DIRECTORY, O_RDONLY } = constants;
/** Opens the place itself, never what a link there points to. Node does not name it. */
const O_PATH = 0o10000000;

/** Binds `subPath` of `volume` to `target`, making directories that lack. Returns what to mount. */
export async function bindSubPath(volume: string, subPath: string, target: string): Promise<string> {
  if (subPath.startsWith("/") || subPath.split("/").includes("..")) throw new Error(`invalid subPath: ${subPath}`);
  const base = realpathSync(volume);
  const fd = openWithin(base, resolveWithin(base, subPath));
  try {
    const isDirectory = fstatSync(fd).isDirectory();
    if (await isMountPoint(target)) await run("umount", ["-l", target]);
    mkdirSync(dirname(target), { recursive: true });
    if (statSync(target, { throwIfNoEntry: false }) === undefined) {
      if (isDirectory) mkdirSync(target);
      else writeFileSync(target, "");
    }
    await run("mount", ["--no-canonicalize", "--bind", `/proc/${process.pid}/fd/${fd}`, target]);
    return target;
  } finally {
    closeSync(fd);
  }
}

/** Links that stay inside of the volume are fine: a configMap's files are such. */
function resolveWithin(base: string, subPath: string): string {
  let existing = join(base, subPath);
  let rest = "";
  for (;;) {
    try {
      const real = realpathSync(existing);
      if (real !== base && !real.startsWith(`${base}/`)) throw new Error(`subpath "${subPath}" not within volume path`);
      return relative(base, join(real, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || existing === base) throw error;
      rest = join(existing.slice(dirname(existing).length + 1), rest);
      existing = dirname(existing);
    }
  }
}

/** Invariant: the descriptor is of something below `base`, whoever renames what meanwhile. */
function openWithin(base: string, path: string): number {
  let fd = openSync(base, O_RDONLY | O_DIRECTORY);
  let isNew = false;
  for (const part of path.split("/").filter((name) => name !== "" && name !== ".")) {
    const next = openPart(fd, part, path);
    closeSync(fd);
    ({ fd, isNew } = next);
  }
  // What is made for the container is as open as the volume, whatever this process masks.
  if (isNew) chmodSync(`/proc/self/fd/${fd}`, statSync(base).mode & 0o777);
  const real = readlinkSync(`/proc/self/fd/${fd}`);
  if (real === base || real.startsWith(`${base}/`)) return fd;
  closeSync(fd);
  throw new Error(`subpath "${path}" not within volume path`);
}

function openPart(parent: number, name: string, path: string): { fd: number; isNew: boolean } {
  const place = `/proc/self/fd/${parent}/${name}`;
  const flags = O_PATH | O_NOFOLLOW;
  try {
    return { fd: openChecked(place, flags, path), isNew: false };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    mkdirSync(place);
    return { fd: openChecked(place, flags, path), isNew: true };
  }
}

function openChecked(place: string, flags: number, path: string): number {
  const fd = openSync(place, flags);
  if (!fstatSync(fd).isSymbolicLink()) return fd;
  closeSync(fd);
  throw new Error(`subpath "${path}" goes through a symbolic link`);
}
