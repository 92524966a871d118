import { describe, expect, test } from "vitest";
import { shortDuration } from "#api/columns.ts";
import type { V1ContainerStatus, V1Pod } from "#api/generated/types.ts";
import { podColumns } from "./pod-columns.ts";

const status = (name: string, state: V1ContainerStatus["state"], restartCount = 0): V1ContainerStatus => ({
  name,
  state,
  restartCount,
  ready: state?.running !== undefined,
  image: "i",
  imageID: "",
});
const pod = (more: Partial<V1Pod>): V1Pod => ({
  metadata: { name: "p" },
  spec: { containers: [{ name: "a" }] },
  ...more,
});
const cell = (name: string, object: V1Pod) => podColumns.find((column) => column.name === name)!.value(object, 0);

describe("STATUS of a pod", () => {
  test.each<[string, V1Pod]>([
    ["Pending", pod({ status: { phase: "Pending" } })],
    ["Evicted", pod({ status: { phase: "Failed", reason: "Evicted" } })],
    [
      "Terminating",
      pod({ metadata: { name: "p", deletionTimestamp: "2024-01-01T00:00:00Z" }, status: { phase: "Running" } }),
    ],
    [
      "CrashLoopBackOff",
      pod({
        status: { phase: "Running", containerStatuses: [status("a", { waiting: { reason: "CrashLoopBackOff" } }, 3)] },
      }),
    ],
    [
      "ExitCode:3",
      pod({ status: { phase: "Failed", containerStatuses: [status("a", { terminated: { exitCode: 3 } })] } }),
    ],
    [
      "Signal:9",
      pod({
        status: { phase: "Failed", containerStatuses: [status("a", { terminated: { exitCode: 137, signal: 9 } })] },
      }),
    ],
    [
      "Init:0/1",
      pod({
        spec: { containers: [{ name: "a" }], initContainers: [{ name: "i" }] },
        status: { phase: "Pending", initContainerStatuses: [status("i", { running: {} })] },
      }),
    ],
  ])("%s", (expected, object) => expect(cell("Status", object)).toBe(expected));
  test("ready and restarts count containers", () => {
    const object = pod({ status: { phase: "Running", containerStatuses: [status("a", { running: {} }, 2)] } });
    expect(cell("Ready", object)).toBe("1/1");
    expect(cell("Restarts", object)).toBe("2");
  });
  test("the first condition of a readiness gate's type counts, any Ready of a pod", () => {
    const conditions = (...list: [type: string, status: string][]) => list.map(([type, status]) => ({ type, status }));
    const gated = pod({
      spec: { containers: [{ name: "a" }], readinessGates: [{ conditionType: "x" }, { conditionType: "y" }] },
      status: { conditions: conditions(["x", "False"], ["x", "True"], ["y", "True"], ["y", "False"]) },
    });
    expect(cell("Readiness Gates", gated)).toBe("1/2");
    const ready = pod({
      status: {
        reason: "Completed",
        conditions: conditions(["Ready", "False"], ["Ready", "True"]),
        containerStatuses: [status("a", { running: {} })],
      },
    });
    expect(cell("Status", ready)).toBe("Running");
  });
});

describe("short durations", () => {
  test.each([
    [-5_000, "<invalid>"],
    [0, "0s"],
    [119_000, "119s"],
    [120_000, "2m"],
    [185_000, "3m5s"],
    [3_600_000, "60m"],
    [3 * 3_600_000 + 60_000, "3h1m"],
    [49 * 3_600_000, "2d1h"],
    [400 * 86_400_000, "400d"],
    [800 * 86_400_000, "2y70d"],
  ])("%d ms are %s", (ms, text) => expect(shortDuration(ms)).toBe(text));
});
