import { expect, it } from "vitest";
import { hollowNode, hollowPod as pod } from "#scheduler/hollow.ts";
import { verdicts } from "#scheduler/try-plugin.ts";
import { nodeDeclaredFeatures } from "./node-declared-features.ts";

const node = (name: string, ...declaredFeatures: string[]) => {
  const { status, ...rest } = hollowNode(name);
  return { ...rest, status: { ...status, declaredFeatures } };
};
const nodes = [
  hollowNode("a"),
  node("b", "ExtendWebSocketsToKubelet"),
  node("c", "RestartAllContainersOnContainerExits"),
];

it("NodeDeclaredFeatures: a pod that may restart as a whole goes to a node that can do that", () => {
  const no = "neverFits: node(s) didn't match Pod's required features";
  const restartPolicyRules = [{ action: "RestartAllContainers", exitCodes: { operator: "In", values: [1] } }];
  const containers = [{ name: "c", image: "i", restartPolicy: "Never", restartPolicyRules }];
  expect(verdicts(nodeDeclaredFeatures, pod("p", { containers }), nodes)).toEqual([no, no, "fits"]);
});

it("NodeDeclaredFeatures: other pods go anywhere", () => {
  expect(verdicts(nodeDeclaredFeatures, pod("p"), nodes)).toEqual(["fits", "fits", "fits"]);
});
