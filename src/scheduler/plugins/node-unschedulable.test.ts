import { expect, it } from "vitest";
import { hollowNode as node, hollowPod as pod } from "#scheduler/hollow.ts";
import { verdicts } from "#scheduler/try-plugin.ts";
import { nodeUnschedulable } from "./node-unschedulable.ts";

it("NodeUnschedulable: a cordoned node takes only what tolerates the cordon", () => {
  const cordoned = [node("a", { unschedulable: true }), node("b")];
  const no = "neverFits: node(s) were unschedulable";
  expect(verdicts(nodeUnschedulable, pod("p"), cordoned)).toEqual([no, "fits"]);
  for (const toleration of [
    { operator: "Exists" },
    { key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule" },
  ])
    expect(verdicts(nodeUnschedulable, pod("p", { tolerations: [toleration] }), cordoned)).toEqual(["fits", "fits"]);
});
