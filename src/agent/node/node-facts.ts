/** What this machine is and has, as a Node object says it. Reads /proc, /etc and the file system. */
import { existsSync } from "node:fs";
import { readdir, readFile, statfs } from "node:fs/promises";
import os from "node:os";
import type { V1NodeSystemInfo } from "#api/generated/types.ts";

export interface MachineFacts {
  readonly info: V1NodeSystemInfo;
  readonly capacity: Readonly<Record<string, string>>;
  readonly memoryBytes: number;
}

/** The release whose API this is; clients compare it with the server's. */
const kubeletVersion = "v1.36.2";
export const podsMax = 110;

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
export const goArchitecture = architectures[process.arch] ?? process.arch;

export async function machineFacts(dataDirectory: string, runtimeVersion: string): Promise<MachineFacts> {
  const memoryKi = Number((await text("/proc/meminfo")).match(/^MemTotal:\s+(\d+) kB/m)?.[1] ?? "0");
  const disk = await statfs(dataDirectory);
  const capacity = {
    cpu: String(os.cpus().length),
    "ephemeral-storage": `${Math.floor((disk.blocks * disk.bsize) / 1024)}Ki`,
    ...(await hugepages()),
    memory: `${memoryKi}Ki`,
    pods: String(podsMax),
  };
  const info: V1NodeSystemInfo = {
    machineID: (await text("/etc/machine-id")).trim(),
    systemUUID: (await text("/sys/class/dmi/id/product_uuid")).trim() || (await text("/etc/machine-id")).trim(),
    bootID: (await text("/proc/sys/kernel/random/boot_id")).trim(),
    kernelVersion: os.release(),
    osImage: (await text("/etc/os-release")).match(/^PRETTY_NAME="?([^"\n]*)"?/m)?.[1] ?? "Linux",
    containerRuntimeVersion: `containerd://${runtimeVersion}`,
    kubeletVersion,
    kubeProxyVersion: "",
    operatingSystem: "linux",
    architecture: goArchitecture,
  };
  return { info, capacity, memoryBytes: memoryKi * 1024 };
}

async function hugepages(): Promise<Record<string, string>> {
  const directory = "/sys/kernel/mm/hugepages";
  const found: Record<string, string> = {};
  for (const name of existsSync(directory) ? await readdir(directory) : []) {
    const kilobytes = Number(name.match(/^hugepages-(\d+)kB$/)?.[1] ?? "0");
    if (kilobytes === 0) continue;
    const count = Number((await text(`${directory}/${name}/nr_hugepages`)).trim() || "0");
    const size = kilobytes >= 1024 * 1024 ? `${kilobytes / 1024 / 1024}Gi` : `${kilobytes / 1024}Mi`;
    found[`hugepages-${size}`] = count === 0 ? "0" : `${(count * kilobytes) / 1024}Mi`;
  }
  return found;
}

const text = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");

export interface Pressure {
  readonly memory: boolean;
  readonly disk: boolean;
  readonly pids: boolean;
}

/** Upstream's default thresholds: less than 100 Mi of memory, a tenth of the disk, a twentieth of its inodes. */
export async function pressureNow(dataDirectory: string): Promise<Pressure> {
  const availableKi = Number((await text("/proc/meminfo")).match(/^MemAvailable:\s+(\d+) kB/m)?.[1] ?? "1048576");
  const disk = await statfs(dataDirectory);
  const pidMax = Number((await text("/proc/sys/kernel/pid_max")).trim() || "32768");
  const pids = Number((await text("/proc/loadavg")).match(/\/(\d+)/)?.[1] ?? "0");
  return {
    memory: availableKi < 100 * 1024,
    disk: disk.bavail < disk.blocks * 0.1 || (disk.files > 0 && disk.ffree < disk.files * 0.05),
    pids: pids > pidMax * 0.95,
  };
}
