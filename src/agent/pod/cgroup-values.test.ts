import { expect, test } from "vitest";
import type { Pod } from "#api/core/pod.ts";
import { cpuQuota, cpuShares, oomScoreAdjust, podCgroupValues } from "./cgroup-values.ts";
import { computeQosClass } from "./qos.ts";

const podOf = (...resources: Record<string, Record<string, string>>[]): Pod => ({
  metadata: {},
  spec: { containers: resources.map((one, at) => ({ name: `c${at}`, resources: one })) },
});

test.each([
  [0, 2],
  [1, 2],
  [500, 512],
  [1000, 1024],
])("%i thousandths of a cpu are %i shares", (milli, shares) => expect(cpuShares(milli)).toBe(shares));

test("no quota is below a millisecond, and none is none", () => {
  expect(cpuQuota(1)).toBe(1000);
  expect(cpuQuota(200)).toBe(20_000);
  expect(cpuQuota(undefined)).toBeUndefined();
});

test.each<[string, Pod, number]>([
  ["Guaranteed", podOf({ limits: { cpu: "1", memory: "1Gi" } }), -997],
  ["Burstable", podOf({ requests: { memory: "1Gi" } }), 750],
  ["BestEffort", podOf({}), 1000],
])("%s", (qos, pod, score) => {
  expect(computeQosClass(pod)).toBe(qos);
  const memory = pod.spec?.containers[0]?.resources?.requests?.["memory"];
  expect(oomScoreAdjust(pod, memory, 4 * 1024 ** 3)).toBe(score);
});

test("a pod's limit holds only if every container has one", () => {
  const one = { limits: { memory: "1Mi" } };
  expect(podCgroupValues(podOf(one, one)).memoryBytes).toBe(2 * 1024 * 1024);
  expect(podCgroupValues(podOf(one, {})).memoryBytes).toBeUndefined();
});
