import { expect, it } from "vitest";
import { hollowNode as node, hollowPod as pod } from "#scheduler/hollow.ts";
import { scores, verdicts } from "#scheduler/try-plugin.ts";
import type { V1Container, V1Pod } from "#api/generated/types.ts";
import { nodeResourcesFit } from "./node-resources-fit.ts";

const asking = (cpu: string, restartPolicy?: string): V1Container => ({
  name: `c${cpu}`,
  image: "i",
  resources: { requests: { cpu } },
  ...(restartPolicy && { restartPolicy }),
});
const on = (nodeName: string, requests: Record<string, string>) => ({ nodeName, requests });

it.each([
  ["exactly what there is", pod("p", { requests: { cpu: "4" } }), [node("a")], "fits"],
  ["a thousandth more", pod("p", { requests: { cpu: "4001m" } }), [node("a")], "neverFits: Insufficient cpu"],
  [
    "what others have is not there",
    pod("p", { requests: { cpu: "3" } }),
    [node("a"), pod("o", on("a", { cpu: "2" }))],
    "misfit: Insufficient cpu",
  ],
  ["zero is always there", pod("p", { requests: { cpu: "0" } }), [node("a"), pod("o", on("a", { cpu: "9" }))], "fits"],
  [
    "a resource that the node lacks",
    pod("p", { requests: { "x/y": "1" } }),
    [node("a")],
    "neverFits: Insufficient x/y",
  ],
  ["a node without pods capacity", pod("p"), [node("a", { allocatable: { pods: "0" } })], "misfit: Too many pods"],
  [
    "containers are summed",
    pod("p", { containers: [asking("2"), asking("3")] }),
    [node("a")],
    "neverFits: Insufficient cpu",
  ],
  [
    "init containers are not summed",
    pod("p", { containers: [asking("1")], initContainers: [asking("3"), asking("4")] }),
    [node("a")],
    "fits",
  ],
  [
    "an init container is a minimum",
    pod("p", { containers: [asking("1")], initContainers: [asking("5")] }),
    [node("a")],
    "neverFits: Insufficient cpu",
  ],
  [
    "a sidecar stays beside later init containers and containers",
    pod("p", { containers: [asking("1")], initContainers: [asking("2", "Always"), asking("3")] }),
    [node("a")],
    "neverFits: Insufficient cpu",
  ],
  [
    "what the pod says as a whole counts",
    pod("p", { containers: [asking("3"), asking("4")], resources: { requests: { cpu: "4" } } }),
    [node("a")],
    "fits",
  ],
  [
    "overhead comes on top",
    pod("p", { containers: [asking("4")], overhead: { cpu: "1m" } }),
    [node("a")],
    "neverFits: Insufficient cpu",
  ],
])("NodeResourcesFit: %s", (_, wanted, objects, expected) => {
  expect(verdicts(nodeResourcesFit, wanted, objects)).toEqual([expected]);
});

it("NodeResourcesFit: while a pod shrinks it counts what it still has", () => {
  const shrinking: V1Pod = pod("o", on("a", { cpu: "1" }));
  const requests = { cpu: "3" };
  shrinking.status = {
    containerStatuses: [
      {
        name: "c",
        image: "i",
        imageID: "",
        ready: true,
        restartCount: 0,
        allocatedResources: requests,
        resources: { requests },
      },
    ],
  };
  expect(verdicts(nodeResourcesFit, pod("p", { requests: { cpu: "2" } }), [node("a"), shrinking])).toEqual([
    "misfit: Insufficient cpu",
  ]);
});

it("NodeResourcesFit: the emptier node scores more, and unsaid requests count a little", () => {
  const objects = [
    node("a"),
    node("b"),
    node("c"),
    pod("o", on("a", { cpu: "2", memory: "4Gi" })),
    pod("u", { nodeName: "b" }),
  ];
  const [a, b, c] = scores(nodeResourcesFit, pod("p"), objects) ?? [];
  expect(a).toBe(47);
  expect(b).toBeLessThan(c ?? 0);
  expect(b).toBeGreaterThan(a ?? 0);
});

it.each([
  ["what it has, until less is allocated", { allocatedResources: { cpu: "3" } }, "misfit: Insufficient cpu"],
  ["what it wishes for, once that is allocated", { allocatedResources: { cpu: "1" } }, "fits"],
])("a pod on a node that wishes for less as a whole takes %s", (_, status, expected) => {
  const there = pod("o", { nodeName: "a" });
  const shrinking: V1Pod = { ...there, spec: { ...there.spec!, resources: { requests: { cpu: "1" } } }, status };
  expect(verdicts(nodeResourcesFit, pod("p", { requests: { cpu: "2" } }), [node("a"), shrinking])).toEqual([expected]);
});
