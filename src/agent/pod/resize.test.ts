import { expect, test } from "vitest";
import type { Node } from "#api/core/node.ts";
import type { Pod } from "#api/core/pod.ts";
import type { V1Container, V1ResourceRequirements } from "#api/generated/types.ts";
import {
  askedAmounts,
  containerResize,
  differences,
  refuseResize,
  reportedAmounts,
  sameAmounts,
  withAmounts,
} from "./resize.ts";

const amounts = (cpu: string, memory: string): V1ResourceRequirements => ({
  requests: { cpu, memory },
  limits: { cpu, memory },
});
const podOf = (...resources: V1ResourceRequirements[]): Pod => ({
  metadata: { name: "p" },
  spec: { containers: resources.map((one, at) => ({ name: `c${at}`, resources: one })) },
});

test("amounts written differently are the same", () => {
  expect(differences(amounts("1", "1Gi"), amounts("1000m", "1024Mi"))).toEqual([]);
  expect(differences(amounts("1", "1Gi"), amounts("2", "1Gi"))).toEqual(["cpu"]);
  expect(differences(undefined, { limits: { memory: "1Mi" } })).toEqual(["memory"]);
});

test("a pod with its own amounts is itself", () => {
  const pod = podOf(amounts("1", "1Gi"), {});
  expect(withAmounts(pod, askedAmounts(pod))).toEqual(pod);
  expect(withAmounts(pod, askedAmounts(podOf(amounts("2", "1Gi"), {}))).spec?.containers[0]?.resources).toEqual(
    amounts("2", "1Gi"),
  );
});

test("what an earlier agent gave comes from the status, what never started from the spec", () => {
  const pod = podOf(amounts("2", "1Gi"), amounts("3", "1Gi"));
  const given = amounts("1", "1Gi");
  const status = { name: "c0", resources: given, allocatedResources: given.requests! };
  const reported = reportedAmounts({ ...pod, status: { containerStatuses: [status as never] } });
  expect(reported.get("c0")).toEqual(given);
  expect(reported.get("c1")).toEqual(amounts("3", "1Gi"));
  expect(sameAmounts(reported, askedAmounts(pod))).toBe(false);
});

test.each<[string, V1Container["resizePolicy"], V1ResourceRequirements, string]>([
  ["nothing new", undefined, amounts("1", "1Gi"), "none"],
  ["no policy", undefined, amounts("2", "1Gi"), "update"],
  [
    "a policy of another resource",
    [{ resourceName: "memory", restartPolicy: "RestartContainer" }],
    amounts("2", "1Gi"),
    "update",
  ],
  [
    "a policy that restarts",
    [{ resourceName: "cpu", restartPolicy: "RestartContainer" }],
    amounts("2", "1Gi"),
    "restart",
  ],
])("a container with %s", (_, resizePolicy, gets, verdict) => {
  const container: V1Container = { name: "c", ...(resizePolicy === undefined ? {} : { resizePolicy }) };
  expect(containerResize(container, amounts("1", "1Gi"), gets)).toBe(verdict);
});

test("what the node never has is infeasible, what others have is deferred", () => {
  const node: Node = { metadata: { name: "n" }, status: { allocatable: { cpu: "4", memory: "8Gi" } } };
  expect(refuseResize(podOf(amounts("2", "1Gi")), node, [podOf(amounts("2", "1Gi"))])).toBeUndefined();
  expect(refuseResize(podOf(amounts("5", "1Gi")), node, [])).toEqual({
    reason: "Infeasible",
    message: "Node didn't have enough capacity: cpu, requested: 5000, capacity: 4000",
  });
  expect(refuseResize(podOf(amounts("3", "1Gi")), node, [podOf(amounts("2", "1Gi"))])).toEqual({
    reason: "Deferred",
    message: "Node didn't have enough resource: cpu, requested: 3000, used: 2000, capacity: 4000",
  });
});
