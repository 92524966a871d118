/**
 * Puts a set of files into a directory so that a reader sees all of the old ones or all of the new ones: the files are in a
 * directory of their own, `..data` points to it and is replaced by a rename. Upstream: pkg/volume/util/atomic_writer.go.
 */
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

export interface VolumeFile {
  readonly content: Uint8Array;
  readonly mode: number;
  /** Default root. */
  readonly uid?: number | undefined;
}

const dataLink = "..data";

/** Paths are relative. Returns whether anything changed. */
export function writeAtomically(
  directory: string,
  files: ReadonlyMap<string, VolumeFile>,
  fsGroup: number | undefined,
  now: Date,
): boolean {
  for (const path of files.keys()) assertSafe(path);
  const current = currentDirectory(directory);
  if (current !== undefined && isSame(join(directory, current), files)) return false;
  const fresh = freshName(directory, now);
  const target = join(directory, fresh);
  mkdirSync(target);
  setOwner(target, 0, fsGroup, 0o755, true);
  for (const [path, file] of files) writeOne(target, path, file, fsGroup);
  rmSync(join(directory, `${dataLink}_tmp`), { force: true });
  symlinkSync(fresh, join(directory, `${dataLink}_tmp`));
  renameSync(join(directory, `${dataLink}_tmp`), join(directory, dataLink));
  linkNames(directory, files);
  if (current !== undefined) rmSync(join(directory, current), { recursive: true, force: true });
  return true;
}

function assertSafe(path: string): void {
  const parts = path.split("/");
  if (path === "" || path.startsWith("/") || parts.includes("..") || parts[0]?.startsWith("..") === true)
    throw new Error(`invalid path: must be relative and must not contain "..": ${path}`);
}

function currentDirectory(directory: string): string | undefined {
  try {
    const target = readlinkSync(join(directory, dataLink));
    return target.includes("/") || !target.startsWith("..") ? undefined : target;
  } catch {
    return undefined;
  }
}

function isSame(directory: string, files: ReadonlyMap<string, VolumeFile>): boolean {
  try {
    const present = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((path) =>
      lstatSync(join(directory, path)).isFile(),
    );
    if (present.length !== files.size) return false;
    return [...files].every(([path, { content }]) => readFileSync(join(directory, path)).equals(Buffer.from(content)));
  } catch {
    return false;
  }
}

function freshName(directory: string, now: Date): string {
  const stamp = now.toISOString().slice(0, 19).replace(/[-:T]/g, "_");
  for (let serial = now.getMilliseconds(); ; serial += 1) {
    const name = `..${stamp}.${String(serial).padStart(9, "0")}`;
    if (!existsSync(join(directory, name))) return name;
  }
}

function writeOne(target: string, path: string, { content, mode, uid }: VolumeFile, fsGroup: number | undefined): void {
  let parent = target;
  for (const part of dirname(path).split("/")) {
    if (part === ".") continue;
    parent = join(parent, part);
    if (existsSync(parent)) continue;
    mkdirSync(parent);
    setOwner(parent, 0, fsGroup, 0o755, true);
  }
  const full = join(target, path);
  writeFileSync(full, content, { flag: "wx", mode: 0o600 });
  setOwner(full, uid ?? 0, fsGroup, mode, false);
}

/** Names at the top are links through `..data`; those of files that are gone are taken away. */
function linkNames(directory: string, files: ReadonlyMap<string, VolumeFile>): void {
  const names = new Set([...files.keys()].map((path) => path.split("/")[0] ?? path));
  for (const name of names) {
    const link = join(directory, name);
    if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync(join(dataLink, name), link);
  }
  for (const name of readdirSync(directory))
    if (!name.startsWith("..") && !names.has(name)) rmSync(join(directory, name), { recursive: true, force: true });
}

/**
 * The files of these volumes are read-only: the pod's group may read them, and go through directories, whose new entries
 * keep the group. Upstream: volume_linux.go, with the mask for read-only volumes.
 */
function setOwner(path: string, uid: number, fsGroup: number | undefined, mode: number, isDirectory: boolean): void {
  if (uid !== 0 || fsGroup !== undefined) chownSync(path, uid, fsGroup ?? 0);
  const group = fsGroup === undefined ? 0 : 0o440 | (isDirectory ? 0o2110 : 0);
  chmodSync(path, mode | group);
}

/** Makes a volume's directory once, with its mode and the pod's group. `groupBits`: what the group gets. */
export function makeVolumeDirectory(path: string, mode: number, fsGroup: number | undefined, groupBits: number): void {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
  mkdirSync(path, { recursive: true });
  ownVolumeDirectory(path, mode, fsGroup, groupBits);
}

/** Gives a volume's directory its mode and the pod's group. */
export function ownVolumeDirectory(path: string, mode: number, fsGroup: number | undefined, groupBits: number): void {
  if (fsGroup !== undefined) chownSync(path, 0, fsGroup);
  chmodSync(path, fsGroup === undefined ? mode : mode | groupBits | 0o2110);
}
