import { expect, it } from "vitest";
import { hollowNode as node, hollowPod as pod } from "#scheduler/hollow.ts";
import { scores, verdicts } from "#scheduler/try-plugin.ts";
import { taintToleration } from "./taint-toleration.ts";

const no = "neverFits: node(s) had untolerated taint(s)";
const taint = (effect: string, value = "v") => ({ key: "k", value, effect });

it.each([
  ["no toleration", [], no],
  ["equal", [{ key: "k", operator: "Equal", value: "v", effect: "NoSchedule" }], "fits"],
  ["operator unsaid is equal", [{ key: "k", value: "v" }], "fits"],
  ["another value", [{ key: "k", value: "w" }], no],
  ["exists", [{ key: "k", operator: "Exists" }], "fits"],
  ["exists, another key", [{ key: "l", operator: "Exists" }], no],
  ["exists, any key", [{ operator: "Exists" }], "fits"],
  ["exists, any key, another effect", [{ operator: "Exists", effect: "NoExecute" }], no],
])("TaintToleration: %s", (_, tolerations, expected) => {
  const objects = [node("a", { taints: [taint("NoSchedule")] })];
  expect(verdicts(taintToleration, pod("p", { tolerations }), objects)).toEqual([expected]);
});

it("TaintToleration: every taint that keeps away must be tolerated; PreferNoSchedule only costs score", () => {
  const objects = [
    node("a", { taints: [taint("NoExecute"), { key: "l", effect: "NoSchedule" }] }),
    node("b", { taints: [taint("PreferNoSchedule"), { key: "l", effect: "PreferNoSchedule" }] }),
    node("c", { taints: [taint("PreferNoSchedule")] }),
    node("d"),
  ];
  expect(verdicts(taintToleration, pod("p", { tolerations: [{ key: "k", operator: "Exists" }] }), objects)).toEqual([
    no,
    "fits",
    "fits",
    "fits",
  ]);
  expect(scores(taintToleration, pod("p"), objects)).toEqual([100, 0, 50, 100]);
});
