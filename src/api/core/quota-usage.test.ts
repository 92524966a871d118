import { describe, expect, test } from "vitest";
import type { V1Pod, V1ResourceQuota } from "#api/generated/types.ts";
import { quantityText } from "#api/quantity.ts";
import { isInScope, limitsKind, usageOf } from "./quota-usage.ts";

const now = Date.parse("2024-06-01T00:00:00Z");
const texts = (usage: ReturnType<typeof usageOf>) =>
  Object.fromEntries(Object.entries(usage).map(([name, amount]) => [name, quantityText(amount)]));

function pod(requests: Record<string, string>, more: Partial<V1Pod["spec"]> = {}): V1Pod {
  return { metadata: { name: "p" }, spec: { containers: [{ name: "main", resources: { requests } }], ...more } };
}

describe("quota usage", () => {
  test("a pod counts with all that it asks for", () => {
    expect(texts(usageOf("", "pods", pod({ cpu: "500m", memory: "1Gi", "example.com/gpu": "2" }), now))).toEqual({
      "count/pods": "1",
      pods: "1",
      cpu: "500m",
      "requests.cpu": "500m",
      memory: "1Gi",
      "requests.memory": "1Gi",
      "requests.example.com/gpu": "2",
    });
  });

  test("a pod's overhead counts, and its own amounts before those of its containers", () => {
    const spec = {
      resources: { requests: { cpu: "2" }, limits: { cpu: "4" } },
      overhead: { cpu: "250m", memory: "1Mi" },
    };
    expect(texts(usageOf("", "pods", pod({ cpu: "1" }, spec), now))).toMatchObject({
      "requests.cpu": "2250m",
      "requests.memory": "1Mi",
      "limits.cpu": "4250m",
    });
  });

  test("a container counts with the most of what it wishes and what it has, of both what it has if it gets no more", () => {
    const resized = (conditions: object[]) =>
      ({
        ...pod({ cpu: "1", memory: "2Gi" }),
        status: {
          conditions,
          containerStatuses: [
            {
              name: "main",
              allocatedResources: { cpu: "2" },
              resources: { requests: { cpu: "1500m", memory: "1Gi" } },
            },
          ],
        },
      }) as unknown as V1Pod;
    expect(texts(usageOf("", "pods", resized([]), now))).toMatchObject({ cpu: "2", memory: "2Gi" });
    const infeasible = resized([{ type: "PodResizePending", status: "True", reason: "Infeasible" }]);
    expect(texts(usageOf("", "pods", infeasible, now))).toMatchObject({ cpu: "2", memory: "1Gi" });
  });

  test("a claim counts whole bytes", () => {
    const claim = { metadata: { name: "c" }, spec: { resources: { requests: { storage: "1500m" } } } };
    expect(texts(usageOf("", "persistentvolumeclaims", claim, now))).toMatchObject({ "requests.storage": "2" });
  });

  test("a claim for devices counts them by class, and of alternatives the largest", () => {
    const devices = {
      requests: [
        { name: "a", exactly: { deviceClassName: "gpu", count: 2 } },
        {
          name: "b",
          firstAvailable: [
            { name: "x", deviceClassName: "gpu", count: 3 },
            { name: "y", deviceClassName: "gpu", count: 1 },
            { name: "z", deviceClassName: "nic", allocationMode: "All" },
          ],
        },
      ],
    };
    const claim = { metadata: { name: "c" }, spec: { devices } };
    expect(texts(usageOf("resource.k8s.io", "resourceclaims", claim, now))).toEqual({
      "count/resourceclaims.resource.k8s.io": "1",
      "gpu.deviceclass.resource.k8s.io/devices": "5",
      "nic.deviceclass.resource.k8s.io/devices": "32",
    });
  });

  test("claims are in the scope of the classes that they have or want", () => {
    const claim = { metadata: { name: "c" }, spec: { volumeAttributesClassName: "gold" } };
    const quota = (operator: string, values?: string[]): V1ResourceQuota => {
      const matchExpressions = [{ scopeName: "VolumeAttributesClass", operator, ...(values && { values }) }];
      return { metadata: {}, spec: { scopeSelector: { matchExpressions } } };
    };
    const isIn = (of: V1ResourceQuota) => isInScope(of, "", "persistentvolumeclaims", claim);
    expect(isIn(quota("In", ["gold"]))).toBe(true);
    expect(isIn(quota("NotIn", ["gold"]))).toBe(false);
    expect(isIn(quota("DoesNotExist"))).toBe(false);
    expect(isIn({ metadata: {}, spec: { scopes: ["BestEffort"] } })).toBe(false);
  });

  test.each([
    ["pods", "", "pods", true],
    ["requests.example.com/gpu", "", "pods", true],
    ["requests.storage", "", "pods", false],
    ["gold.storageclass.storage.k8s.io/requests.storage", "", "persistentvolumeclaims", true],
    ["gold.storageclass.storage.k8s.io/requests.storage", "", "pods", false],
    ["count/deployments.apps", "apps", "deployments", true],
    ["count/deployments.apps", "extensions", "deployments", false],
    ["secrets", "", "configmaps", false],
    ["services.nodeports", "", "services", true],
  ])("whether %s limits objects of %j %s: %j", (name, group, plural, expected) => {
    expect(limitsKind(name, group, plural)).toBe(expected);
  });

  test("a finished pod, and one that should have gone, are counted as objects only", () => {
    const finished = { ...pod({ cpu: "1" }), status: { phase: "Succeeded" } };
    expect(texts(usageOf("", "pods", finished, now))).toEqual({ "count/pods": "1" });
    const late = pod({ cpu: "1" });
    late.metadata = { name: "p", deletionTimestamp: "2024-05-31T00:00:00Z", deletionGracePeriodSeconds: 30 };
    expect(texts(usageOf("", "pods", late, now))).toEqual({ "count/pods": "1" });
  });

  test("claims count in all and for their class", () => {
    const spec = { storageClassName: "fast", resources: { requests: { storage: "3Gi" } } };
    expect(texts(usageOf("", "persistentvolumeclaims", { metadata: {}, spec } as never, now))).toEqual({
      "count/persistentvolumeclaims": "1",
      persistentvolumeclaims: "1",
      "requests.storage": "3Gi",
      "fast.storageclass.storage.k8s.io/requests.storage": "3Gi",
      "fast.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
    });
  });

  test("objects of other groups count by their group", () => {
    expect(texts(usageOf("apps", "deployments", { metadata: {} }, now))).toEqual({ "count/deployments.apps": "1" });
  });

  const scoped: readonly [scope: string, object: V1Pod, inside: boolean][] = [
    ["BestEffort", pod({}), true],
    ["BestEffort", pod({ cpu: "1" }), false],
    ["NotBestEffort", pod({ cpu: "1" }), true],
    ["Terminating", pod({}, { activeDeadlineSeconds: 5 }), true],
    ["NotTerminating", pod({}, { activeDeadlineSeconds: 5 }), false],
    ["PriorityClass", pod({}, { priorityClassName: "high" }), true],
    ["PriorityClass", pod({}), false],
  ];
  test.each(scoped)("the scope %s takes in %j: %s", (scope, object, inside) => {
    const quota: V1ResourceQuota = { metadata: {}, spec: { scopes: [scope] } };
    expect(isInScope(quota, "", "pods", object)).toBe(inside);
    expect(isInScope(quota, "", "secrets", { metadata: {} })).toBe(false);
  });
});
