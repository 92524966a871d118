import { describe, expect, test } from "vitest";
import type { Pod } from "#api/core/pod.ts";
import type { PodMetrics } from "./metric-inputs.ts";
import { byAverage, byTotal, byUtilization } from "./replica-calculator.ts";

const now = Date.parse("2026-01-01T01:00:00Z");
const tolerance = { up: 0.1, down: 0.1 };
const ready = { type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:10Z" };

function pod(name: string, spec: Partial<Pod["spec"]> = {}, status: Partial<Pod["status"]> = {}): Pod {
  return {
    metadata: { name },
    spec: { containers: [{ name: "main", resources: { requests: { cpu: "100m" } } }], ...spec },
    status: { phase: "Running", startTime: "2026-01-01T00:00:00Z", conditions: [ready], ...status },
  };
}
const metrics = (used: Record<string, number>): PodMetrics =>
  new Map(Object.entries(used).map(([name, milli]) => [name, { milli, at: now, windowMs: 60_000 }]));
const question = (pods: readonly Pod[], used: Record<string, number>) => ({
  currentReplicas: pods.length,
  pods,
  metrics: metrics(used),
  resource: "cpu",
  tolerance,
  now,
});
const unready = { conditions: [{ ...ready, status: "False" }] };
const bare = { containers: [{ name: "main" }] };

describe("replicas by utilization", () => {
  const three = ["a", "b", "c"].map((name) => pod(name));
  const table: readonly [claim: string, pods: readonly Pod[], used: Record<string, number>, replicas: number][] = [
    ["grow with the share of requests that is used", three, { a: 100, b: 100, c: 100 }, 6],
    ["stay within the tolerance", three, { a: 54, b: 54, c: 54 }, 3],
    ["shrink when less is used", three, { a: 20, b: 20, c: 20 }, 2],
    ["count a pod without numbers as idle on the way up", three, { a: 100, b: 100 }, 4],
    ["count a pod without numbers as fully used on the way down", three, { a: 5, b: 5 }, 3],
    ["leave out pods that failed", [...three, pod("d", {}, { phase: "Failed" })], { a: 100, b: 100, c: 100 }, 6],
    [
      "count pods that are not ready yet as idle",
      [...three.slice(1), pod("a", {}, { phase: "Pending" })],
      { b: 100, c: 100 },
      4,
    ],
    [
      "take what the pod requests as a whole",
      [pod("a", { ...bare, resources: { requests: { cpu: "200m" } } })],
      { a: 200 },
      2,
    ],
  ];
  test.each(table)("%s", (_, pods, used, replicas) => {
    expect(byUtilization(question(pods, used), 50).replicas).toBe(replicas);
  });

  const faults: readonly [claim: string, pods: readonly Pod[], used: Record<string, number>, fault: string][] = [
    ["without pods", [], {}, "no pods returned by selector while calculating replica count"],
    [
      "without numbers, before requests are looked at",
      [pod("a", bare, { ...unready, phase: "Pending" })],
      { a: 1 },
      "did not receive metrics for targeted pods (pods might be unready)",
    ],
    ["without a request", [pod("a", bare)], { a: 1 }, "missing request for cpu in container main of Pod a"],
    [
      "without a request of the pod as a whole",
      [pod("a", { ...bare, resources: { requests: { memory: "1Gi" } } })],
      { a: 1 },
      "missing pod-level request for cpu in Pod a",
    ],
  ];
  test.each(faults)("cannot be told %s", (_, pods, used, fault) => {
    expect(() => byUtilization(question(pods, used), 50)).toThrow(fault);
  });

  test("a container that is asked for counts alone, whatever the pod says as a whole", () => {
    const one = pod("a", { resources: { requests: { cpu: "1" } } });
    expect(byUtilization(question([one], { a: 100 }), 50, "main").replicas).toBe(2);
  });

  test("the average is over the pods that are known", () => {
    expect(byUtilization(question(three, { a: 50, b: 50, c: 50, stranger: 900 }), 50)).toMatchObject({
      averageMilli: 50,
      utilization: 50,
    });
  });
});

test("replicas by average use follow the ratio", () => {
  const pods = ["a", "b"].map((name) => pod(name));
  expect(byAverage({ ...question(pods, { a: 300, b: 300 }), resource: "" }, 100).replicas).toBe(6);
});

const counts = { specReplicas: 3, statusReplicas: 2, readyPods: 2 };
test.each([
  ["a value is for all ready pods", 3_000, { value: "1" }, 6],
  ["a value within the tolerance changes nothing", 1_050, { value: "1" }, 3],
  ["an average is shared among replicas", 3_000, { averageValue: "500m" }, 6],
  ["an average within the tolerance keeps what there is", 1_050, { averageValue: "500m" }, 2],
])("of a total, %s", (_, total, target, replicas) => {
  expect(byTotal(total, target, counts, tolerance).replicas).toBe(replicas);
});
