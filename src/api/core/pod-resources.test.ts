import { describe, expect, test } from "vitest";
import type { V1Container } from "#api/generated/types.ts";
import { quantityText } from "#api/quantity.ts";
import { podRequests, qosClassOf } from "./pod-resources.ts";

const container = (cpu: string, memory?: string, more: Partial<V1Container> = {}): V1Container => {
  const amounts = { cpu, ...(memory === undefined ? {} : { memory }) };
  return { name: "c", resources: { requests: amounts, limits: amounts }, ...more };
};

describe("resources of a pod", () => {
  test("the largest init container or all containers and sidecars, whichever is more", () => {
    const sidecar = container("100m", undefined, { restartPolicy: "Always" });
    const cpu = (initContainers: V1Container[]) =>
      quantityText(podRequests({ containers: [container("200m"), container("300m")], initContainers }).cpu!);
    expect(cpu([])).toBe("500m");
    expect(cpu([container("2")])).toBe("2");
    expect(cpu([sidecar])).toBe("600m");
    expect(cpu([sidecar, container("2")])).toBe("2100m");
  });
  test("a resource may have a name that every object has", () => {
    const amounts = { constructor: "1", toString: "2" } as unknown as Record<string, string>;
    const found = podRequests({ containers: [{ name: "c", resources: { requests: amounts } }] });
    expect(Object.entries(found).map(([name, amount]) => [name, quantityText(amount)])).toEqual(
      Object.entries(amounts),
    );
  });
  test.each([
    ["BestEffort", [{ name: "c" }]],
    ["Burstable", [container("1")]],
    ["Guaranteed", [container("1", "1Gi")]],
    ["Burstable", [container("1", "1Gi"), { name: "d" }]],
  ] as [string, V1Container[]][])("%s", (expected, containers) => expect(qosClassOf({ containers })).toBe(expected));
});
