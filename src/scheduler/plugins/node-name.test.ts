import { expect, it } from "vitest";
import { hollowNode as node, hollowPod as pod } from "#scheduler/hollow.ts";
import { verdicts } from "#scheduler/try-plugin.ts";
import { nodeName } from "./node-name.ts";

it("NodeName: a pod that names a node fits there only", () => {
  const no = "neverFits: node(s) didn't match the requested node name";
  expect(verdicts(nodeName, pod("p", { nodeName: "a" }), [node("a"), node("b")])).toEqual(["fits", no]);
  expect(verdicts(nodeName, pod("p"), [node("a"), node("b")])).toEqual(["fits", "fits"]);
});
