/** Requests and limits as the kernel's controllers take them. Pure. Upstream: pkg/kubelet/cm/helpers_linux.go, qos/policy.go. */
import type { Pod } from "#api/core/pod.ts";
import type { V1Container } from "#api/generated/types.ts";
import { milliValue, wholeValue } from "#api/quantity.ts";
import type { LinuxResources } from "#agent/runtime/cri-types.ts";
import { podLimits, podRequests } from "./pod-resources.ts";
import { qosClass } from "./qos.ts";
import { containersOf } from "./containers-of.ts";

export const cpuPeriodUs = 100_000;
const quotaUsMin = 1_000;
const sharesMin = 2;
const sharesMax = 262_144;

export function cpuShares(milliCpu: number): number {
  return milliCpu === 0 ? sharesMin : Math.min(sharesMax, Math.max(sharesMin, Math.floor((milliCpu * 1024) / 1000)));
}

/** Undefined: no limit. */
export function cpuQuota(milliCpu: number | undefined): number | undefined {
  if (milliCpu === undefined || milliCpu === 0) return undefined;
  return Math.max(quotaUsMin, Math.floor((milliCpu * cpuPeriodUs) / 1000));
}

export function containerResources(pod: Pod, { resources }: V1Container, nodeMemoryBytes: number): LinuxResources {
  const { requests = {}, limits = {} } = resources ?? {};
  const asked = requests["cpu"] ?? limits["cpu"];
  const quota = cpuQuota(limits["cpu"] === undefined ? undefined : milliValue(limits["cpu"]));
  const memory = limits["memory"] === undefined ? 0 : wholeValue(limits["memory"]);
  return {
    cpuShares: cpuShares(asked === undefined ? 0 : milliValue(asked)),
    ...(quota === undefined ? {} : { cpuQuota: quota, cpuPeriod: cpuPeriodUs }),
    ...(memory === 0 ? {} : { memoryLimitInBytes: memory }),
    oomScoreAdj: oomScoreAdjust(pod, requests["memory"], nodeMemoryBytes),
    ...hugepages(limits),
  };
}

function hugepages(limits: Record<string, string>): Pick<LinuxResources, "hugepageLimits"> {
  const prefix = "hugepages-";
  const hugepageLimits = Object.entries(limits)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, text]) => ({ pageSize: pageSize(name.slice(prefix.length)), limit: wholeValue(text) }));
  return hugepageLimits.length === 0 ? {} : { hugepageLimits };
}

/** "2Mi" is "2MB" to the kernel. */
const pageSize = (size: string): string => size.replace(/([KMG])i$/, "$1B");

/** The more of the node's memory a burstable container asked for, the later it is killed. */
export function oomScoreAdjust(pod: Pod, memoryRequest: string | undefined, nodeMemoryBytes: number): number {
  if ((pod.spec?.priority ?? 0) >= criticalPriorityMin) return guaranteedScore;
  const qos = qosClass(pod);
  if (qos === "Guaranteed") return guaranteedScore;
  if (qos === "BestEffort") return 1000;
  const asked = memoryRequest === undefined ? 0 : wholeValue(memoryRequest);
  const score = 1000 - Math.floor((1000 * asked) / Math.max(1, nodeMemoryBytes));
  return Math.min(999, Math.max(1000 + guaranteedScore, score));
}

const guaranteedScore = -997;
/** system-node-critical. */
const criticalPriorityMin = 2_000_001_000;

export interface PodCgroupValues {
  readonly cpuShares: number;
  readonly cpuQuotaUs: number | undefined;
  readonly memoryBytes: number | undefined;
}

/** A limit holds for the pod only if every container has one. */
export function podCgroupValues(pod: Pod): PodCgroupValues {
  const requests = podRequests(pod);
  const limits = podLimits(pod);
  const all = containersOf(pod).filter(({ kind }) => kind !== "ephemeral");
  const limited = (name: string): boolean =>
    pod.spec?.resources?.limits?.[name] !== undefined ||
    all.every(({ spec }) => spec.resources?.limits?.[name] !== undefined);
  const cpuLimit = limited("cpu") && limits["cpu"] !== undefined ? milliValue(limits["cpu"]) : undefined;
  return {
    cpuShares:
      qosClass(pod) === "BestEffort" ? sharesMin : cpuShares(milliValue(requests["cpu"] ?? limits["cpu"] ?? "0")),
    cpuQuotaUs: cpuQuota(cpuLimit),
    memoryBytes: limited("memory") && limits["memory"] !== undefined ? wholeValue(limits["memory"]) : undefined,
  };
}
