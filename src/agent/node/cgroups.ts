/**
 * The tree of control groups that pods live in: one for the node, below it one for each quality class that is not
 * guaranteed, below those one a pod. Containers' own groups are the runtime's. Version 1 (all controllers) and version 2.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Pod } from "#api/core/pod.ts";
import { cpuPeriodUs, podCgroupValues, type PodCgroupValues } from "#agent/pod/cgroup-values.ts";
import { qosClass } from "#agent/pod/qos.ts";

const mountPoint = "/sys/fs/cgroup";

export class Cgroups {
  /** "/capstan/node-1": below every controller. */
  readonly root: string;
  readonly #unified = existsSync(join(mountPoint, "cgroup.controllers"));

  constructor(root: string) {
    this.root = root;
  }

  podPath(pod: Pod): string {
    const qos = qosClass(pod);
    const parent = qos === "Guaranteed" ? this.root : `${this.root}/${qos.toLowerCase()}`;
    return `${parent}/pod${pod.metadata.uid ?? ""}`;
  }

  async prepare(): Promise<void> {
    for (const path of [this.root, `${this.root}/burstable`, `${this.root}/besteffort`]) await this.#make(path);
    await this.#setShares(`${this.root}/besteffort`, 2);
  }

  /** Made before the sandbox, so that the pod's limits hold from its first process on. */
  async makePod(pod: Pod): Promise<string> {
    const path = this.podPath(pod);
    await this.#make(path);
    const { cpuShares, cpuQuotaUs, memoryBytes }: PodCgroupValues = podCgroupValues(pod);
    await this.#setShares(path, cpuShares);
    if (cpuQuotaUs !== undefined) await this.#setQuota(path, cpuQuotaUs);
    if (memoryBytes !== undefined) await this.#setMemory(path, memoryBytes);
    return path;
  }

  /** Changes the limits of a group that is there; without one, what it had is taken away. */
  async setPod(pod: Pod, { cpuShares, cpuQuotaUs, memoryBytes }: PodCgroupValues): Promise<void> {
    const path = this.podPath(pod);
    await this.#setShares(path, cpuShares);
    await this.#setQuota(path, cpuQuotaUs);
    await this.#setMemory(path, memoryBytes);
  }

  async removePod(uid: string): Promise<void> {
    for (const parent of [this.root, `${this.root}/burstable`, `${this.root}/besteffort`])
      await this.remove(`${parent}/pod${uid}`);
  }

  /** Takes a group and all below it out of every controller. */
  async remove(path: string): Promise<void> {
    for (const controller of await this.controllers()) await removeTree(join(mountPoint, controller, path));
  }

  /** Uids of pods that have a group. */
  async podUids(): Promise<Set<string>> {
    const uids = new Set<string>();
    for (const controller of await this.controllers())
      for (const parent of [this.root, `${this.root}/burstable`, `${this.root}/besteffort`])
        for (const name of await readdir(join(mountPoint, controller, parent)).catch(() => []))
          if (name.startsWith("pod")) uids.add(name.slice(3));
    return uids;
  }

  async controllers(): Promise<string[]> {
    if (this.#unified) return [""];
    const entries = await readdir(mountPoint, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() && entry.name !== "unified").map(({ name }) => name);
  }

  async #make(path: string): Promise<void> {
    if (!this.#unified) {
      for (const controller of ["cpu", "memory"]) await mkdir(join(mountPoint, controller, path), { recursive: true });
      return;
    }
    let at = mountPoint;
    for (const part of path.split("/").filter((name) => name !== "")) {
      const wanted = await readFile(join(at, "cgroup.controllers"), "utf8").catch(() => "");
      const enable = wanted
        .trim()
        .split(/\s+/)
        .filter((name) => name !== "")
        .map((name) => `+${name}`);
      await writeFile(join(at, "cgroup.subtree_control"), enable.join(" ")).catch(() => {});
      at = join(at, part);
      await mkdir(at, { recursive: true });
    }
  }

  async #setShares(path: string, shares: number): Promise<void> {
    if (!this.#unified) return await this.#write("cpu", path, "cpu.shares", String(shares));
    const weight = 1 + Math.floor(((shares - 2) * 9999) / 262_142);
    await this.#write("", path, "cpu.weight", String(weight));
  }

  /** Undefined: no limit. */
  async #setQuota(path: string, quotaUs: number | undefined): Promise<void> {
    if (this.#unified) return await this.#write("", path, "cpu.max", `${quotaUs ?? "max"} ${cpuPeriodUs}`);
    await this.#write("cpu", path, "cpu.cfs_period_us", String(cpuPeriodUs));
    await this.#write("cpu", path, "cpu.cfs_quota_us", String(quotaUs ?? -1));
  }

  async #setMemory(path: string, bytes: number | undefined): Promise<void> {
    if (this.#unified) return await this.#write("", path, "memory.max", String(bytes ?? "max"));
    await this.#write("memory", path, "memory.limit_in_bytes", String(bytes ?? -1));
  }

  async #write(controller: string, path: string, file: string, value: string): Promise<void> {
    const place = this.#unified ? "" : controller;
    await writeFile(join(mountPoint, place, path, file), value);
  }
}

async function removeTree(path: string): Promise<void> {
  if (!existsSync(path)) return;
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(path, entry.name));
  await rmdir(path).catch(() => {});
}
