import { describe, expect, it } from "vitest";
import type { V1PodStatus } from "#api/generated/types.ts";
import { setPodCondition } from "./pod-condition.ts";

describe("a pod's conditions", () => {
  it("keep their places, and their times while the status is the same", () => {
    const status: V1PodStatus = {};
    setPodCondition(status, { type: "A", status: "False" }, 0);
    setPodCondition(status, { type: "B", status: "True" }, 0);
    setPodCondition(status, { type: "A", status: "True", reason: "r" }, 60_000);
    setPodCondition(status, { type: "B", status: "True", reason: "r" }, 60_000);
    expect(status.conditions).toEqual([
      { type: "A", status: "True", reason: "r", lastProbeTime: null, lastTransitionTime: "1970-01-01T00:01:00Z" },
      { type: "B", status: "True", reason: "r", lastProbeTime: null, lastTransitionTime: "1970-01-01T00:00:00Z" },
    ]);
  });
});
