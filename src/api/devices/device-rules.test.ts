import { describe, expect, it } from "vitest";
import type { FieldError } from "#api/field-error.ts";
import type { V1DeviceClaim, V1ResourceSlice } from "#api/generated/types.ts";
import { defaultDevices } from "./claim-defaults.ts";
import { deviceClaimErrors } from "./claim-rules.ts";
import { claimStatusErrors } from "./claim-status-rules.ts";
import { fullNameErrors } from "./device-names.ts";
import { sliceErrors } from "./slice-rules.ts";

const shown = (errors: readonly FieldError[]) => errors.map(({ field, message }) => `${field}: ${message}`);
const request = (name: string) => ({ name, exactly: { deviceClassName: "gpu" } });
const claimed = (devices: V1DeviceClaim) => {
  defaultDevices(devices);
  return devices;
};
const slice = (spec: Partial<V1ResourceSlice["spec"]>): V1ResourceSlice => ({
  metadata: { name: "s" },
  spec: { driver: "d.example.com", pool: { name: "p", generation: 1, resourceSliceCount: 1 }, ...spec },
});

const identifierText =
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')";
const labelText =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

describe("device claim", () => {
  it.each<[V1DeviceClaim, string[]]>([
    [{ requests: [request("a")] }, []],
    [{ requests: [request("a"), request("a")] }, ['d.requests[1]: Duplicate value: "a"']],
    [
      { requests: [{ name: "a" }] },
      ["d.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required"],
    ],
    [
      { requests: [request("a")], constraints: [{ requests: ["b"], matchAttribute: "d.io/x" }] },
      [
        "d.constraints[0].requests[0]: Invalid value: \"b\": must be the name of a request in the claim or the name of a request and a subrequest separated by '/'",
      ],
    ],
    [{ requests: [request("a")], config: [{}] }, ["d.config[0].opaque: Required value"]],
  ])("%j has these faults", (devices, expected) =>
    expect(shown(deviceClaimErrors(claimed(devices), "d"))).toEqual(expected),
  );
  it("a constraint may name an alternative", () => {
    const firstAvailable = [{ name: "x", deviceClassName: "gpu" }];
    const constraints = [{ requests: ["a/x"], matchAttribute: "d.io/x" }];
    expect(deviceClaimErrors(claimed({ requests: [{ name: "a", firstAvailable }], constraints }), "d")).toEqual([]);
  });
  it("an allocation stays, and only what is allocated can be reserved", () => {
    const spec = { devices: { requests: [request("a")] } };
    const reservedFor = [{ resource: "pods", name: "p", uid: "u" }];
    const results = [{ request: "a", driver: "d.example.com", pool: "p", device: "g" }];
    const given = { metadata: {}, spec, status: { allocation: { devices: { results } }, reservedFor } };
    const bare = { metadata: {}, spec, status: {} };
    expect(claimStatusErrors(given, bare)).toEqual([]);
    expect(shown(claimStatusErrors({ ...bare, status: { reservedFor } }, bare))).toEqual([
      "status.reservedFor: Forbidden: may not be specified when `allocated` is not set",
    ]);
    const other = { ...given, status: { allocation: { devices: { results: [{ ...results[0]!, device: "h" }] } } } };
    expect(claimStatusErrors(other, given).map(({ field }) => field)).toEqual(["status.allocation"]);
  });
});

describe("device slice", () => {
  it.each<[Partial<V1ResourceSlice["spec"]>, string[]]>([
    [{ nodeName: "n" }, []],
    [
      {},
      [
        "spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required",
      ],
    ],
    [
      { nodeName: "n", devices: [{ name: "a", attributes: { v: { version: "1" } } }] },
      [
        'spec.devices[0].attributes[v].version: Invalid value: "1": must be a string compatible with semver.org spec 2.0.0',
      ],
    ],
    [
      {
        nodeName: "n",
        devices: [
          {
            name: "a",
            attributes: { "x y": { int: 1 } },
            consumesCounters: [{ counterSet: "s", counters: { X: { value: "1" } } }],
          },
        ],
      },
      [
        `spec.devices[0].attributes[x y]: Invalid value: "x y": ${identifierText}`,
        `spec.devices[0].consumesCounters[0].counters[X]: Invalid value: "X": ${labelText}`,
      ],
    ],
    [
      {
        nodeName: "n",
        devices: [
          {
            name: "a",
            allowMultipleAllocations: true,
            capacity: {
              m: { value: "10Gi", requestPolicy: { default: "2Gi", validRange: { min: "20Gi", max: "1Gi" } } },
            },
          },
        ],
      },
      [
        'min: Invalid value: "20Gi": min is larger than capacity value: 10Gi',
        'min: Invalid value: "2Gi": default is less than min: 20Gi',
        'max: Invalid value: "20Gi": min is larger than max: 1Gi',
        'max: Invalid value: "2Gi": default is more than max: 1Gi',
      ].map((text) => `spec.devices[0].capacity[m].requestPolicy.validRange.${text}`),
    ],
    [{ nodeName: "n", devices: [{ name: "a" }, { name: "a" }] }, ['spec.devices[1]: Duplicate value: "a"']],
  ])("%j has these faults", (spec, expected) => expect(shown(sliceErrors(slice(spec), undefined))).toEqual(expected));
  it("its driver and pool stay", () => {
    const errors = sliceErrors(slice({ nodeName: "n", driver: "e.example.com" }), slice({ nodeName: "n" }));
    expect(errors.map(({ field }) => field)).toEqual(["spec.driver"]);
  });
  it("at most 128 devices, 64 with taints", () => {
    const devices = (count: number, more = {}) => Array.from({ length: count }, (_, i) => ({ name: `d${i}`, ...more }));
    const taints = [{ key: "k", effect: "NoSchedule" }];
    const count = (list: object[]) => sliceErrors(slice({ nodeName: "n", devices: list as never }), undefined).length;
    expect([
      count(devices(128)),
      count(devices(129)),
      count(devices(64, { taints })),
      count(devices(65, { taints })),
    ]).toEqual([0, 1, 0, 1]);
  });
  it("a full name has a domain", () => {
    expect(fullNameErrors("d.io/x", "f")).toEqual([]);
    expect(fullNameErrors("x", "f")).toHaveLength(1);
    expect(fullNameErrors("d.io/x-y", "f")).toHaveLength(1);
  });
});
