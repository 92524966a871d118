import { expect, it } from "vitest";
import { hollowNode as node, hollowPod as pod } from "#scheduler/hollow.ts";
import { scores } from "#scheduler/try-plugin.ts";
import { nodeResourcesBalancedAllocation as balanced } from "./node-resources-balanced-allocation.ts";

it("NodeResourcesBalancedAllocation: likes the node that the pod brings into balance", () => {
  const objects = [
    node("a"),
    node("b"),
    pod("o", { nodeName: "a", requests: { cpu: "2" } }),
    pod("q", { nodeName: "b", requests: { memory: "4Gi" } }),
  ];
  expect(scores(balanced, pod("p", { requests: { memory: "4Gi" } }), objects)).toEqual([87, 62]);
});

it("NodeResourcesBalancedAllocation: says nothing about a pod that asks for nothing", () => {
  expect(scores(balanced, pod("p"), [node("a")])).toBeUndefined();
});
