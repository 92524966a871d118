/** Finds the programs that make containers, and whether crun works on this machine: by running a container with it. */
import { existsSync } from "node:fs";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { listMounts } from "#agent/system/mounts.ts";
import { run } from "#agent/system/run.ts";
import { pauseProgram } from "#agent/images/pause-program.ts";

export interface LowLevelRuntime {
  name: "crun" | "runc";
  binary: string;
}

const places: Readonly<Record<LowLevelRuntime["name"], readonly string[]>> = {
  crun: ["/usr/bin/crun", "/usr/local/bin/crun", "/usr/sbin/crun"],
  runc: ["/usr/sbin/runc", "/usr/bin/runc", "/usr/local/sbin/runc", "/usr/local/bin/runc"],
};

export function findRuntimes(): LowLevelRuntime[] {
  return (["crun", "runc"] as const).flatMap((name) => {
    const binary = places[name].find((place) => existsSync(place));
    return binary === undefined ? [] : [{ name, binary }];
  });
}

/** crun gives up on all version 1 controllers when it sees version 2's tree beside them. */
export async function hasHybridCgroups(): Promise<boolean> {
  return (await listMounts()).some(
    ({ mountPoint, fileSystem }) => mountPoint === "/sys/fs/cgroup/unified" && fileSystem === "cgroup2",
  );
}

/** Runs a container that ends at once. `enter` is put before the command, to run it in a namespace. */
export async function runtimeWorks(binary: string, directory: string, enter: readonly string[]): Promise<boolean> {
  const bundle = join(directory, "runtime-check");
  try {
    await rm(bundle, { recursive: true, force: true });
    for (const name of ["dev", "proc"]) await mkdir(join(bundle, "rootfs", name), { recursive: true });
    await writeFile(join(bundle, "rootfs", "pause"), pauseProgram(process.arch));
    await chmod(join(bundle, "rootfs", "pause"), 0o755);
    await writeFile(join(bundle, "config.json"), JSON.stringify(checkBundle));
    const id = `capstan-check-${process.pid}`;
    const [program, ...args] = [...enter, binary, "--root", join(bundle, "state"), "run", "--bundle", bundle, id];
    await run(program ?? binary, args, { timeoutMs: 10_000 });
    return true;
  } catch {
    return false;
  } finally {
    await rm(bundle, { recursive: true, force: true });
  }
}

const checkBundle = {
  ociVersion: "1.0.2",
  process: { user: { uid: 0, gid: 0 }, args: ["/pause", "now"], cwd: "/", env: [] },
  root: { path: "rootfs", readonly: false },
  hostname: "check",
  mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
  linux: {
    namespaces: [{ type: "pid" }, { type: "mount" }, { type: "ipc" }, { type: "uts" }],
    resources: { memory: { limit: 64 * 1024 * 1024 } },
  },
};
