import { expect, test } from "vitest";
import type { Endpoints } from "#api/core/endpoints.ts";
import type { EndpointSlice } from "#api/discovery/endpoint-slice.ts";
import type { KubernetesObject } from "#api/object.ts";
import { viewOf } from "#client/view.ts";
import { moment } from "#test/support/settle.ts";
import { endpointSliceMirroringReconciler, subsetAddressesMax } from "./endpoint-slice-mirroring.ts";

const addresses = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ ip: `10.1.${Math.trunc(at / 250)}.${(at % 250) + 1}` }));
const service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: "ns", name: "s" },
  spec: {},
} as KubernetesObject;

const table: readonly [claim: string, ready: number, notReady: number, told: string[]][] = [
  ["as many addresses as may be are mirrored", subsetAddressesMax, 0, []],
  [
    "of too many some are not, and that is told",
    subsetAddressesMax,
    2,
    [
      "TooManyAddressesToMirror: A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. 2 addresses were skipped",
    ],
  ],
];
test.each(table)("%s", (_, ready, notReady, told) => {
  const endpoints: Endpoints = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { namespace: "ns", name: "s", uid: "e" },
    subsets: [{ addresses: addresses(ready), notReadyAddresses: addresses(notReady), ports: [{ port: 80 }] }],
  };
  const changes = endpointSliceMirroringReconciler.reconcile(endpoints, viewOf([endpoints, service]), moment(0));
  const shown = changes.flatMap((each) =>
    each.type === "create" ? ((each.object as EndpointSlice).endpoints ?? []) : [],
  );
  expect(shown).toHaveLength(subsetAddressesMax);
  expect(
    changes.flatMap((each) => (each.type === "event" ? [`${each.event.reason}: ${each.event.message}`] : [])),
  ).toEqual(told);
});
