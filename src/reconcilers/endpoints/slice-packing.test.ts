import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Service } from "#api/core/service.ts";
import type { EndpointSlice } from "#api/discovery/endpoint-slice.ts";
import type { V1Endpoint } from "#api/generated/types.ts";
import { Client } from "#client/client.ts";
import { carryOut } from "#reconcilers/driver/carry-out.ts";
import { MemoryApi } from "#test/support/memory-api.ts";
import { packed, sliceEndpointsMax, sortedPorts, type EndpointGroup, type PackingOptions } from "./slice-packing.ts";

const options: PackingOptions = {
  owner: { metadata: { name: "web", namespace: "a", uid: "svc" } },
  ownerRef: Service,
  addressType: "IPv4",
  labels: { "kubernetes.io/service-name": "web" },
  annotations: {},
  notes: {},
  placeholder: true,
};
const endpoint = (number: number, ready = true): V1Endpoint => ({
  addresses: [`10.0.${Math.floor(number / 250)}.${number % 250}`],
  conditions: { ready },
  targetRef: { kind: "Pod", name: `pod-${number}`, uid: `pod-${number}` },
});
const group = (port: number, numbers: readonly number[]): EndpointGroup => ({
  ports: [{ name: "", protocol: "TCP", port }],
  endpoints: numbers.map((number) => endpoint(number)),
});

const slices = (api: MemoryApi) => api.objects("/endpointslices/") as unknown as EndpointSlice[];

async function pack(api: MemoryApi, groups: readonly EndpointGroup[]) {
  const changes = packed(groups, slices(api), options);
  const { signal } = new AbortController();
  await carryOut(changes, { client: new Client(api), record: () => {}, signal });
  return changes;
}

describe("slice packing", () => {
  test("slices hold exactly the endpoints that are wished, none is too full, and a second plan is empty", async () => {
    const numbers = fc.uniqueArray(fc.nat(400), { maxLength: 260 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(numbers, numbers), { minLength: 1, maxLength: 3 }), async (states) => {
        const api = new MemoryApi();
        for (const [first, second] of states) {
          const groups = [group(80, first), group(81, second)].filter(({ endpoints }) => endpoints.length > 0);
          await pack(api, groups);
          for (const [port, wanted] of [
            [80, first],
            [81, second],
          ] as const) {
            const held = slices(api).filter(({ ports }) => ports?.[0]?.port === port);
            const names = held.flatMap(({ endpoints }) => endpoints ?? []).map(({ targetRef }) => targetRef?.name);
            expect(names.sort()).toEqual(wanted.map((number) => `pod-${number}`).sort());
            expect(held.every(({ endpoints }) => (endpoints ?? []).length <= sliceEndpointsMax)).toBe(true);
          }
          expect(packed(groups, slices(api), options)).toEqual([]);
        }
      }),
      { numRuns: 20 },
    );
  });

  test("one changed endpoint is one write", async () => {
    const api = new MemoryApi();
    await pack(api, [group(80, [...Array(250).keys()])]);
    const changed = group(80, [...Array(250).keys()]);
    changed.endpoints[120] = endpoint(120, false);
    expect((await pack(api, [changed])).map(({ type }) => type)).toEqual(["update"]);
  });

  test("without endpoints there is one empty slice, and it stays", async () => {
    const api = new MemoryApi();
    await pack(api, []);
    expect(slices(api)).toMatchObject([{ endpoints: [], ports: [] }]);
    expect(await pack(api, [])).toEqual([]);
  });

  test("ports stand in the order that upstream's digest gives", () => {
    const ports = [
      { name: "http", protocol: "TCP", port: 8080, appProtocol: "kubernetes.io/h2c" },
      { name: "dns", protocol: "UDP", port: 53 },
    ];
    expect(sortedPorts(ports).map(({ name }) => name)).toEqual(["dns", "http"]);
  });
});
