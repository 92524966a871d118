import { expect, test } from "vitest";
import type { EndpointSlice } from "#api/discovery/endpoint-slice.ts";
import type { Service } from "#api/core/service.ts";
import type { KubernetesObject } from "#api/object.ts";
import { viewOf } from "#client/view.ts";
import { moment } from "#test/support/settle.ts";
import { endpointSliceReconciler } from "./endpoint-slice.ts";

const service = (spec: Partial<Service["spec"]> = {}, annotations = {}): Service => ({
  metadata: { namespace: "ns", name: "s", uid: "s", annotations },
  spec: { selector: { app: "a" }, ipFamilies: ["IPv4"], ports: [{ port: 80 }], ...spec },
});
const pod = (name: string, nodeName: string): KubernetesObject =>
  ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace: "ns", name, uid: name, labels: { app: "a" } },
    spec: { nodeName, containers: [] },
    status: {
      phase: "Running",
      podIPs: [{ ip: "10.0.0.1" }],
      conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2024-01-01T00:00:00Z" }],
    },
  }) as KubernetesObject;
const node = (name: string, zone: string): KubernetesObject =>
  ({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "topology.kubernetes.io/zone": zone } },
    status: { allocatable: { cpu: "4" }, conditions: [{ type: "Ready", status: "True" }] },
  }) as KubernetesObject;

function look(given: Service, ...objects: KubernetesObject[]) {
  const changes = endpointSliceReconciler.reconcile(given, viewOf(objects), moment(0));
  return {
    endpoints: changes.flatMap((each) =>
      each.type === "create" ? ((each.object as EndpointSlice).endpoints ?? []) : [],
    ),
    events: changes.flatMap((each) => (each.type === "event" ? [`${each.event.reason}: ${each.event.message}`] : [])),
  };
}

test("a pod of a node that nobody knows is left out, and that is told", () => {
  const { endpoints, events } = look(service(), pod("p", "gone"));
  expect(endpoints).toEqual([]);
  expect(events).toEqual([
    "FailedToUpdateEndpointSlices: Error updating Endpoint Slices for Service ns/s: skipping Pod p for Service ns/s: Node gone Not Found",
  ]);
});

test("who publishes every address has that of a pod of an unknown node, too", () => {
  const { endpoints, events } = look(service({ publishNotReadyAddresses: true }), pod("p", "gone"));
  expect(endpoints).toMatchObject([{ nodeName: "gone", conditions: { ready: true } }]);
  expect(events).toEqual([]);
});

const auto = { "service.kubernetes.io/topology-mode": "Auto" };

test("a service that asks for it has hints by zone, told once", () => {
  const objects = [pod("p", "n1"), pod("q", "n2"), node("n1", "a"), node("n2", "b")];
  const { endpoints, events } = look(service({}, auto), ...objects);
  expect(endpoints.map(({ hints }) => hints?.forZones?.map(({ name }) => name))).toEqual([["a"], ["b"]]);
  expect(events).toEqual(["TopologyAwareHintsEnabled: Topology Aware Hints has been enabled, addressType: IPv4"]);
});

test("where there cannot be hints, the service is told why", () => {
  const { endpoints, events } = look(
    service({ trafficDistribution: "PreferClose" }, auto),
    pod("p", "n1"),
    node("n1", "a"),
  );
  expect(endpoints.map(({ hints }) => hints)).toEqual([undefined]);
  expect(events).toEqual([
    "TopologyAwareHintsDisabled: Insufficient Node information: allocatable CPU or zone not specified on one or more nodes, addressType: IPv4",
  ]);
});
