import { describe, expect, it } from "vitest";
import type { V1Endpoint, V1EndpointSlice } from "#api/generated/types.ts";
import { sliceErrors, sliceWarnings } from "./endpoint-slice-rules.ts";

const slice = (endpoint: Partial<V1Endpoint>, rest: Partial<V1EndpointSlice> = {}): V1EndpointSlice => ({
  metadata: { name: "s" },
  addressType: "IPv4",
  endpoints: [{ addresses: ["192.0.2.1"], ...endpoint }],
  ...rest,
});
const told = (made: V1EndpointSlice) =>
  sliceErrors(made, undefined).map(({ field, message }) => `${field}: ${message}`);
const hints = (names: readonly string[]) => names.map((name) => ({ name }));

describe("an endpoint of a slice", () => {
  it.each<[string, V1EndpointSlice, string[]]>([
    [
      "has an address that is one",
      slice({ addresses: ["abc"] }),
      [
        'endpoints[0].addresses[0]: Invalid value: "abc": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
    [
      "has addresses of the slice's family",
      slice({ addresses: ["fd00::1"] }),
      ['endpoints[0].addresses[0]: Invalid value: "fd00::1": must be an IPv4 address'],
    ],
    [
      "is somebody else",
      slice({ addresses: ["127.0.0.1"] }),
      [
        'endpoints[0].addresses[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      ],
    ],
    [
      "has a whole name",
      slice({ addresses: ["", "host", "host.example."] }, { addressType: "FQDN" }),
      [
        "endpoints[0].addresses[0]: Required value",
        'endpoints[0].addresses[1]: Invalid value: "host": should be a domain with at least two segments separated by dots',
      ],
    ],
    [
      "has hints that can be zones and nodes",
      slice({ hints: { forZones: hints(["a", "a"]), forNodes: hints(["n", "n"]) } }),
      [
        'endpoints[0].hints.forZones[1].name: Duplicate value: "a"',
        'endpoints[0].hints.forNodes[1].name: Duplicate value: "n"',
      ],
    ],
    [
      "has few hints",
      slice({ hints: { forZones: hints([..."abcdefghi"]), forNodes: hints([..."abcdefghi"]) } }),
      ["endpoints[0].hints.forZones: Too many: 9: must have at most 8 items"],
    ],
  ])("%s", (_, made, wanted) => expect(told(made)).toEqual(wanted));

  it("may have long names of ports", () => {
    expect(told(slice({}, { ports: [{ name: "1234567890-1234567890", protocol: "TCP" }] }))).toEqual([]);
  });
});

describe("warnings of a slice", () => {
  const ipv6 = { addresses: ["FD00::1"] };
  const told6 = 'endpoints[0].addresses[0]: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")';
  const managed = (by: string) => ({ name: "s", labels: { "endpointslice.kubernetes.io/managed-by": by } });

  it.each<[string, V1EndpointSlice, V1EndpointSlice | undefined, string[]]>([
    ["of forms of addresses", slice(ipv6, { addressType: "IPv6" }), undefined, [told6]],
    [
      "not to those that mirror",
      slice(ipv6, { addressType: "IPv6", metadata: managed("endpointslice-controller.k8s.io") }),
      undefined,
      [],
    ],
    ["to others", slice(ipv6, { addressType: "IPv6", metadata: managed("me") }), undefined, [told6]],
    [
      "of names, once",
      slice({}, { addressType: "FQDN" }),
      undefined,
      ["spec.addressType: FQDN endpoints are deprecated"],
    ],
    ["of names, not again", slice({}, { addressType: "FQDN" }), slice({}, { addressType: "FQDN" }), []],
  ])("%s", (_, made, old, wanted) => expect(sliceWarnings(made, old)).toEqual(wanted));
});
