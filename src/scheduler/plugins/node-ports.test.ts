import { expect, it } from "vitest";
import { hollowNode as node, hollowPod as pod } from "#scheduler/hollow.ts";
import { verdicts } from "#scheduler/try-plugin.ts";
import { nodePorts } from "./node-ports.ts";

const holding = (hostPort: number, hostIP = "", protocol = "TCP", restartPolicy = "") => {
  const container = {
    name: "c",
    image: "i",
    ports: [{ containerPort: 1, hostPort, protocol, ...(hostIP && { hostIP }) }],
  };
  return restartPolicy === ""
    ? { containers: [container] }
    : { containers: [{ name: "m", image: "i" }], initContainers: [{ ...container, restartPolicy }] };
};
const no = "misfit: node(s) didn't have free ports for the requested pod ports";

it.each([
  ["the same port", holding(80), holding(80), no],
  ["another port", holding(80), holding(81), "fits"],
  ["another protocol", holding(80), holding(80, "", "UDP"), "fits"],
  ["the same address", holding(80, "10.0.0.1"), holding(80, "10.0.0.1"), no],
  ["another address", holding(80, "10.0.0.1"), holding(80, "10.0.0.2"), "fits"],
  ["every address and one", holding(80), holding(80, "10.0.0.1"), no],
  ["one address and every", holding(80, "10.0.0.1"), holding(80, "0.0.0.0"), no],
  ["every address of the other family", holding(80, "::"), holding(80, "10.0.0.1"), "fits"],
  ["a container that stays", holding(80), holding(80, "", "TCP", "Always"), no],
  ["a container that ends", holding(80), holding(80, "", "TCP", "Never"), "fits"],
])("NodePorts: %s", (_, there, wanted, expected) => {
  const objects = [node("a"), pod("o", { ...there, nodeName: "a" })];
  expect(verdicts(nodePorts, pod("p", wanted), objects)).toEqual([expected]);
});
