import { expect, test } from "vitest";
import { formatTime } from "#lib/clock.ts";
import type { Pod } from "#api/core/pod.ts";
import type { ResourceClaim } from "#api/devices/resource-claim.ts";
import type { ResourceSlice } from "#api/devices/resource-slice.ts";
import { viewOf } from "#client/view.ts";
import { moment } from "#test/support/settle.ts";
import { deviceTaintEvictionReconciler } from "./device-taint-eviction.ts";

const now = Date.parse("2026-01-01T00:10:00Z");
const at = (ms: number) => ({ key: "broken", effect: "NoExecute", timeAdded: formatTime(ms) });
const slice = (generation: number, taints: readonly ReturnType<typeof at>[]): ResourceSlice => ({
  apiVersion: "resource.k8s.io/v1",
  kind: "ResourceSlice",
  metadata: { name: `s-${generation}` },
  spec: {
    driver: "gpu.example.com",
    pool: { name: "p", generation, resourceSliceCount: 1 },
    nodeName: "n",
    devices: [{ name: "d", taints: [...taints] }],
  },
});
const pod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "ns", name: "p", uid: "u" },
  spec: { nodeName: "n", containers: [], resourceClaims: [{ name: "gpu", resourceClaimName: "c" }] },
  status: { phase: "Running" },
};
const claim = (tolerationSeconds?: number | "ever", uid = "u"): ResourceClaim => {
  const seconds = typeof tolerationSeconds === "number" ? { tolerationSeconds } : {};
  const tolerations = tolerationSeconds === undefined ? [] : [{ key: "broken", operator: "Exists", ...seconds }];
  const result = { request: "r", driver: "gpu.example.com", pool: "p", device: "d", tolerations };
  return {
    apiVersion: "resource.k8s.io/v1",
    kind: "ResourceClaim",
    metadata: { namespace: "ns", name: "c" },
    spec: {},
    status: { allocation: { devices: { results: [result] } }, reservedFor: [{ resource: "pods", name: "p", uid }] },
  };
};

const evicted = ["event", "patch", "delete"];
test.each<[claim: string, slices: ResourceSlice[], claim: ResourceClaim, waits: boolean, changes: string[]]>([
  ["a pod whose device is tainted goes", [slice(1, [at(now)])], claim(), false, evicted],
  ["one that tolerates the taint stays", [slice(1, [at(now)])], claim("ever"), false, []],
  ["one that tolerates it for a while stays so long", [slice(1, [at(now - 5_000)])], claim(10), false, ["wake"]],
  ["and goes then", [slice(1, [at(now - 10_000)])], claim(10), true, evicted],
  ["one whose time no longer runs is told so", [slice(1, [])], claim(10), true, ["event"]],
  ["only the newest generation of a pool counts", [slice(1, [at(now)]), slice(2, [])], claim(), false, []],
  ["a claim of another pod of the name is no matter", [slice(1, [at(now)])], claim(undefined, "v"), false, []],
])("device-taint-eviction: %s", (_, slices, held, waits, changes) => {
  const when = { ...moment(now), waitingSince: waits ? now - 1 : undefined };
  const made = deviceTaintEvictionReconciler.reconcile(pod, viewOf([pod, held, ...slices]), when);
  expect(made.map(({ type }) => type)).toEqual(changes);
});
