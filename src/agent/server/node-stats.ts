/** What pods use: the summary that autoscaling and `kubectl top` read, and the same as metrics. */
import { statfs } from "node:fs/promises";
import { readFile } from "node:fs/promises";
import type { ContainerStats } from "#agent/runtime/cri-types.ts";
import { labels } from "#agent/pod/container-config.ts";
import type { NodeServerOptions } from "./node-request.ts";

interface Usage {
  time: string;
  usageNanoCores?: number;
  usageCoreNanoSeconds: number;
}

/** CPU use is a difference: the last value of each container is kept. */
const lastCpu = new Map<string, { timestamp: number; total: number }>();
const rememberedCpuMax = 4_096;

function cpuOf({ attributes, cpu }: ContainerStats): Usage | undefined {
  if (!cpu?.usageCoreNanoSeconds) return undefined;
  const { timestamp } = cpu;
  const total = cpu.usageCoreNanoSeconds.value;
  const before = lastCpu.get(attributes.id);
  lastCpu.delete(attributes.id);
  lastCpu.set(attributes.id, { timestamp, total });
  if (lastCpu.size > rememberedCpuMax) lastCpu.delete(lastCpu.keys().next().value ?? "");
  const rate =
    before === undefined || timestamp <= before.timestamp
      ? {}
      : { usageNanoCores: Math.round(((total - before.total) / (timestamp - before.timestamp)) * 1e9) };
  return { time: timeText(timestamp), ...rate, usageCoreNanoSeconds: total };
}

const timeText = (nanoseconds: number): string => new Date(nanoseconds / 1e6).toISOString();

export async function summary({ nodeName, runtime, paths }: NodeServerOptions): Promise<object> {
  const stats = await runtime.listContainerStats();
  const byPod = Map.groupBy(stats, ({ attributes }) => attributes.labels[labels.podUid] ?? "");
  const now = new Date().toISOString();
  const pods = [...byPod].map(([uid, containers]) => {
    const of = containers[0]?.attributes.labels ?? {};
    const shown = containers.map((container) => containerSummary(container));
    return {
      podRef: { name: of[labels.podName] ?? "", namespace: of[labels.podNamespace] ?? "", uid },
      startTime: now,
      containers: shown,
      cpu: sumCpu(shown, now),
      memory: { time: now, workingSetBytes: shown.reduce((sum, { memory }) => sum + memory.workingSetBytes, 0) },
    };
  });
  const disk = await statfs(paths.root);
  const memory = await memoryOfNode();
  return {
    node: {
      nodeName,
      cpu: { time: now, usageNanoCores: 0, usageCoreNanoSeconds: await cpuOfNode() },
      memory: { time: now, ...memory },
      fs: {
        time: now,
        availableBytes: disk.bavail * disk.bsize,
        capacityBytes: disk.blocks * disk.bsize,
        usedBytes: (disk.blocks - disk.bfree) * disk.bsize,
        inodes: disk.files,
        inodesFree: disk.ffree,
      },
    },
    pods,
  };
}

function containerSummary(stats: ContainerStats) {
  const { attributes, memory, writableLayer } = stats;
  const time = timeText(memory?.timestamp ?? Date.now() * 1e6);
  return {
    name: attributes.metadata.name,
    startTime: time,
    cpu: cpuOf(stats) ?? { time, usageCoreNanoSeconds: 0 },
    memory: { time, workingSetBytes: memory?.workingSetBytes?.value ?? 0 },
    rootfs: { time, usedBytes: writableLayer?.usedBytes?.value ?? 0 },
  };
}

function sumCpu(containers: readonly { cpu: Usage }[], time: string): Usage {
  return {
    time,
    usageNanoCores: containers.reduce((sum, { cpu }) => sum + (cpu.usageNanoCores ?? 0), 0),
    usageCoreNanoSeconds: containers.reduce((sum, { cpu }) => sum + cpu.usageCoreNanoSeconds, 0),
  };
}

async function memoryOfNode(): Promise<{ availableBytes: number; workingSetBytes: number }> {
  const text = await readFile("/proc/meminfo", "utf8");
  const of = (name: string): number => Number(text.match(new RegExp(`^${name}:\\s+(\\d+)`, "m"))?.[1] ?? "0") * 1024;
  return { availableBytes: of("MemAvailable"), workingSetBytes: of("MemTotal") - of("MemAvailable") };
}

/** Jiffies are hundredths of a second on every Linux that Node runs on. */
async function cpuOfNode(): Promise<number> {
  const fields = (await readFile("/proc/stat", "utf8")).split("\n")[0]?.trim().split(/\s+/).slice(1).map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return (user + nice + system + irq + softirq + steal) * 1e7;
}

export async function resourceMetrics({ runtime }: NodeServerOptions): Promise<string> {
  const stats = await runtime.listContainerStats();
  const label = ({ attributes }: ContainerStats): string =>
    `{container="${attributes.metadata.name}",namespace="${attributes.labels[labels.podNamespace] ?? ""}",pod="${attributes.labels[labels.podName] ?? ""}"}`;
  const series = (
    name: string,
    kind: string,
    help: string,
    value: (stats: ContainerStats) => number | undefined,
  ): string => {
    const lines = stats.flatMap((one) => {
      const found = value(one);
      return found === undefined ? [] : [`${name}${label(one)} ${found}`];
    });
    return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.map((line) => `${line}\n`).join("")}`;
  };
  return [
    series(
      "container_cpu_usage_seconds_total",
      "counter",
      "Cumulative cpu time consumed by the container in core-seconds",
      ({ cpu }) => (cpu?.usageCoreNanoSeconds ? cpu.usageCoreNanoSeconds.value / 1e9 : undefined),
    ),
    series(
      "container_memory_working_set_bytes",
      "gauge",
      "Current working set of the container in bytes",
      ({ memory }) => memory?.workingSetBytes?.value,
    ),
    `# HELP node_cpu_usage_seconds_total Cumulative cpu time consumed by the node in core-seconds\n# TYPE node_cpu_usage_seconds_total counter\nnode_cpu_usage_seconds_total ${(await cpuOfNode()) / 1e9}\n`,
    `# HELP node_memory_working_set_bytes Current working set of the node in bytes\n# TYPE node_memory_working_set_bytes gauge\nnode_memory_working_set_bytes ${(await memoryOfNode()).workingSetBytes}\n`,
  ].join("");
}
