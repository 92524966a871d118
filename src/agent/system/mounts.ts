/** Mounts as the kernel lists them, and the few changes that the agent makes to them. */
import { readFile } from "node:fs/promises";
import { run } from "./run.ts";

export interface MountEntry {
  mountPoint: string;
  fileSystem: string;
  /** "shared:3", "master:2"; empty for a private mount. */
  propagation: string;
}

export async function listMounts(): Promise<MountEntry[]> {
  return parseMountInfo(await readFile("/proc/self/mountinfo", "utf8"));
}

/** proc(5): id parent major:minor root mount-point options [tags] - type source super-options. */
export function parseMountInfo(text: string): MountEntry[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const fields = line.split(" ");
      const dash = fields.indexOf("-", 6);
      return {
        mountPoint: unescape(fields[4] ?? ""),
        fileSystem: fields[dash + 1] ?? "",
        propagation: fields.slice(6, dash).join(" "),
      };
    });
}

const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Mount points at or below a directory, the deepest first. */
async function mountsBelow(directory: string): Promise<string[]> {
  return (await listMounts())
    .map(({ mountPoint }) => mountPoint)
    .filter((point) => point === directory || point.startsWith(`${directory}/`))
    .toReversed();
}

export async function isMountPoint(path: string): Promise<boolean> {
  return (await listMounts()).some(({ mountPoint }) => mountPoint === path);
}

/** Makes a directory a mount of its own that passes mounts on to the namespaces that were made from this one. */
export async function makeSharedMount(directory: string): Promise<void> {
  const known = (await listMounts()).findLast(({ mountPoint }) => mountPoint === directory);
  if (known === undefined) await run("mount", ["--bind", directory, directory]);
  if (known === undefined || !known.propagation.includes("shared:")) await run("mount", ["--make-rshared", directory]);
}

export async function makePrivateMount(directory: string): Promise<void> {
  if (!(await isMountPoint(directory))) await run("mount", ["--bind", directory, directory]);
  await run("mount", ["--make-private", directory]);
}

export async function mountTmpfs(directory: string, options: string): Promise<void> {
  await run("mount", ["-t", "tmpfs", "-o", options, "tmpfs", directory]);
}

/** Takes away every mount at or below a directory; what is busy goes when its last user goes. */
export async function unmountBelow(directory: string): Promise<void> {
  for (const point of await mountsBelow(directory)) await run("umount", ["-l", point]).catch(() => {});
}
