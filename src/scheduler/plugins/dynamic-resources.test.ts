import { describe, expect, it } from "vitest";
import type {
  ResourceV1ResourceClaim,
  V1Device,
  V1DeviceClass,
  V1DeviceRequest,
  V1ExactDeviceRequest,
  V1ResourceClaimSpec,
  V1ResourceSlice,
  V1ResourceSliceSpec,
} from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { Attempt } from "#scheduler/attempt.ts";
import { clusterOf } from "#scheduler/cluster-of.ts";
import { hollowNode as node, hollowPod as pod } from "#scheduler/hollow.ts";
import { podInfoOf } from "#scheduler/pod-info.ts";
import { verdicts } from "#scheduler/try-plugin.ts";
import { dynamicResources } from "./dynamic-resources.ts";

const deviceClass: V1DeviceClass = {
  apiVersion: "resource.k8s.io/v1",
  kind: "DeviceClass",
  metadata: { name: "dc" },
  spec: { selectors: [{ cel: { expression: "device.driver == 'd'" } }] },
};
const slice = (nodeName: string, devices: V1Device[], more: Partial<V1ResourceSliceSpec> = {}): V1ResourceSlice => ({
  apiVersion: "resource.k8s.io/v1",
  kind: "ResourceSlice",
  metadata: { name: `slice-${nodeName}` },
  spec: { driver: "d", nodeName, pool: { name: nodeName, generation: 1, resourceSliceCount: 1 }, devices, ...more },
});
const claim = (
  name: string,
  request: Partial<V1ExactDeviceRequest> | V1DeviceRequest,
  more: Partial<V1ResourceClaimSpec["devices"]> = {},
  taken?: string,
): ResourceV1ResourceClaim => ({
  apiVersion: "resource.k8s.io/v1",
  kind: "ResourceClaim",
  metadata: { name, namespace: "default" },
  spec: {
    devices: {
      requests: ["name" in request ? request : { name: "r", exactly: { deviceClassName: "dc", ...request } }],
      ...more,
    },
  },
  ...(taken === undefined
    ? {}
    : { status: { allocation: { devices: { results: [{ request: "r", driver: "d", pool: "b", device: taken }] } } } }),
});
const user = (...names: string[]) =>
  pod("p", { resourceClaims: names.map((resourceClaimName) => ({ name: resourceClaimName, resourceClaimName })) });
const nodes = [node("a"), node("b")];
const devices = (...names: string[]): V1Device[] => names.map((name) => ({ name }));
const saying = (expression: string) => ({ selectors: [{ cel: { expression } }] });
const no = "neverFits: cannot allocate all claims";

/** The names of the devices that the claims get on node b, claim by claim. */
function givenOnB(objects: readonly KubernetesObject[], ...claims: string[]): string[] {
  const cluster = clusterOf([...nodes, deviceClass, ...objects]);
  const info = podInfoOf(user(...claims));
  const attempt = new Attempt(info, cluster, [dynamicResources]);
  const place = cluster.state.node("b");
  const steps = place && dynamicResources.reserve?.(info, place, attempt.preparedBy("DynamicResources"), cluster);
  return (steps ?? []).map((step) =>
    step.kind === "allocate-claim"
      ? (step.allocation.devices?.results ?? []).map(({ request, device }) => `${request}=${device}`).join(" ")
      : step.kind,
  );
}

describe("DynamicResources", () => {
  it.each([
    ["goes where a device is", [claim("c", {}), slice("b", devices("d0"))], [no, "fits"]],
    [
      "needs as many as it says",
      [claim("c", { count: 2 }), slice("a", devices("d0")), slice("b", devices("d0", "d1"))],
      [no, "fits"],
    ],
    [
      "is not given what another claim has",
      [claim("c", {}), claim("o", {}, {}, "d0"), slice("b", devices("d0"))],
      [no, no],
    ],
    [
      "a device of another driver does not match the class",
      [claim("c", {}), slice("b", devices("d0"), { driver: "e" })],
      [no, no],
    ],
    [
      "a tainted device is for who tolerates it",
      [
        claim("c", {}),
        slice("a", [{ name: "d0", taints: [{ key: "k", effect: "NoSchedule" }] }]),
        slice("b", devices("d0")),
      ],
      [no, "fits"],
    ],
    [
      "a slice for all nodes",
      [claim("c", {}), slice("x", devices("d0"), { nodeName: "", allNodes: true })],
      ["fits", "fits"],
    ],
  ])("a claim %s", (_, objects, expected) => {
    expect(verdicts(dynamicResources, user("c"), [...nodes, deviceClass, ...objects])).toEqual(expected);
  });

  it("refuses a request whose class does not exist, and holds a pod whose claim does not", () => {
    expect(verdicts(dynamicResources, user("c"), [...nodes, claim("c", {})])).toBe(
      "neverFits: request r: device class dc does not exist",
    );
    expect(dynamicResources.holds?.(podInfoOf(user("c")), clusterOf(nodes))).toBe('resourceclaim "c" not found');
    expect(dynamicResources.holds?.(podInfoOf(user("c")), clusterOf([claim("c", {})]))).toBeUndefined();
  });

  it("a claim that has its device goes with the device", () => {
    const taken = claim("c", {}, {}, "d0");
    const selector = {
      nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["b"] }] }],
    };
    const allocated = { ...taken, status: { allocation: { ...taken.status?.allocation, nodeSelector: selector } } };
    expect(verdicts(dynamicResources, user("c"), [...nodes, deviceClass, allocated])).toEqual([
      "neverFits: resourceclaim not available on the node",
      "fits",
    ]);
    expect(givenOnB([allocated], "c")).toEqual(["reserve-claim"]);
  });

  it("gives the first devices that satisfy selectors and constraints of all claims at once", () => {
    const numa = (name: string, int: number): V1Device => ({ name, attributes: { numa: { int } } });
    const hardware = slice("b", [numa("d0", 0), numa("d1", 1), numa("d2", 1)]);
    const together = { constraints: [{ matchAttribute: "d/numa" }] };
    const apart = { constraints: [{ distinctAttribute: "d/numa" }] };
    expect(givenOnB([hardware, claim("c", { count: 2 }, together)], "c")).toEqual(["r=d1 r=d2"]);
    expect(givenOnB([hardware, claim("c", { count: 2 }, apart)], "c")).toEqual(["r=d0 r=d1"]);
    expect(givenOnB([hardware, claim("c", saying("device.attributes['d'].numa == 1"))], "c")).toEqual(["r=d1"]);
    const picky = claim("e", saying("device.attributes['d'].numa == 0"));
    expect(givenOnB([hardware, claim("c", {}), picky], "c", "e")).toEqual(["r=d1", "r=d0"]);
    expect(givenOnB([hardware, claim("c", { allocationMode: "All" })], "c")).toEqual(["r=d0 r=d1 r=d2"]);
  });

  it("takes the first alternative that can be served", () => {
    const request: V1DeviceRequest = {
      name: "r",
      firstAvailable: [
        {
          name: "best",
          deviceClassName: "dc",
          ...saying("device.capacity['d'].memory.compareTo(quantity('4Gi')) >= 0"),
        },
        { name: "next", deviceClassName: "dc" },
      ],
    };
    const sized = (value: string) => slice("b", [{ name: "d0", capacity: { memory: { value } } }]);
    expect(givenOnB([sized("1Gi"), claim("c", request)], "c")).toEqual(["r/next=d0"]);
    expect(givenOnB([sized("8Gi"), claim("c", request)], "c")).toEqual(["r/best=d0"]);
  });

  it("partitions of one device do not use more of it than there is", () => {
    const part = (name: string, value: string): V1Device => ({
      name,
      consumesCounters: [{ counterSet: "s", counters: { memory: { value } } }],
    });
    const hardware = slice("b", [part("half", "2Gi"), part("other-half", "2Gi"), part("whole", "4Gi")], {
      sharedCounters: [{ name: "s", counters: { memory: { value: "4Gi" } } }],
    });
    expect(givenOnB([hardware, claim("c", { count: 2 })], "c")).toEqual(["r=half r=other-half"]);
    expect(verdicts(dynamicResources, user("c"), [...nodes, deviceClass, hardware, claim("c", { count: 3 })])).toEqual([
      no,
      no,
    ]);
  });

  it("gives a device that may be shared to several claims until it is full", () => {
    const shared: V1Device = { name: "d0", allowMultipleAllocations: true, capacity: { memory: { value: "4Gi" } } };
    const wants = (name: string, memory: string) => claim(name, { capacity: { requests: { memory } } });
    const result = { request: "r", driver: "d", pool: "b", device: "d0", shareID: "s" };
    const other: ResourceV1ResourceClaim = {
      ...wants("o", "2Gi"),
      status: { allocation: { devices: { results: [{ ...result, consumedCapacity: { memory: "2Gi" } }] } } },
    };
    const hardware = slice("b", [shared]);
    expect(givenOnB([hardware, other, wants("c", "1Gi"), wants("e", "1Gi")], "c", "e")).toEqual(["r=d0", "r=d0"]);
    const tooMuch = [...nodes, deviceClass, hardware, other, wants("c", "3Gi")];
    expect(verdicts(dynamicResources, user("c"), tooMuch)).toEqual([no, no]);
  });

  it("fails where all devices are asked for and the driver is still publishing them", () => {
    const pool = { name: "b", generation: 1, resourceSliceCount: 2 };
    const objects = [...nodes, deviceClass, slice("b", devices("d0"), { pool }), claim("c", { allocationMode: "All" })];
    expect(() => verdicts(dynamicResources, user("c"), objects)).toThrow(
      'running "DynamicResources" filter plugin: claim default/c, request r: asks for all devices, ' +
        "but resource pool d/b is currently being updated",
    );
  });
});
