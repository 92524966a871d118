import { expect, it } from "vitest";
import { clusterOf } from "#scheduler/cluster-of.ts";
import { hollowPod as pod } from "#scheduler/hollow.ts";
import { podInfoOf } from "#scheduler/pod-info.ts";
import { schedulingGates } from "./scheduling-gates.ts";

it("SchedulingGates: holds a pod while it has gates", () => {
  const held = (names: string[]) =>
    schedulingGates.holds?.(podInfoOf(pod("p", { schedulingGates: names.map((name) => ({ name })) })), clusterOf([]));
  expect(held(["x/one", "x/two"])).toBe("waiting for scheduling gates: x/one, x/two");
  expect(held([])).toBeUndefined();
});
