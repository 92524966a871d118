import { describe, expect, it } from "vitest";
import type { V1Pod, V1PodStatus } from "#api/generated/types.ts";
import { fieldErrorText } from "#api/validation/field-errors.ts";
import { dropDisabledStatusFields, keepObservedGenerations, podStatusErrors, podStatusWarnings } from "./pod-status.ts";

const pod = (spec: object, status: object): V1Pod => ({
  metadata: { name: "p" },
  spec: { containers: [{ name: "c", image: "i" }], ...spec },
  status: status as V1PodStatus,
});
const faults = (status: object, old: object = {}, spec: object = {}) =>
  podStatusErrors(pod(spec, status), pod(spec, old)).map(fieldErrorText);

const cases: readonly [claim: string, status: object, spec: object, faults: string[]][] = [
  [
    "conditions come first",
    { conditions: [{ type: "Ready", observedGeneration: -1 }, { type: "B/a/d" }], observedGeneration: -2 },
    {},
    [
      "status.conditions[0].observedGeneration: Invalid value: -1: must be a non-negative integer",
      expect.stringContaining('status.conditions[1].Type: Invalid value: "B/a/d"'),
      "status.observedGeneration: Invalid value: -2: must be a non-negative integer",
    ],
  ],
  [
    "a bound pod is nominated for no node",
    { nominatedNodeName: "m" },
    { nodeName: "n" },
    ["status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node"],
  ],
  [
    "one address a family",
    { podIPs: [{ ip: "10.0.0.1" }, { ip: "10.0.0.1" }], hostIP: "h", hostIPs: [{ ip: "x" }, { ip: "::1" }] },
    {},
    [
      'status.podIPs: Invalid value: [{"ip":"10.0.0.1"},{"ip":"10.0.0.1"}]: may specify no more than one IP for each IP family',
      'status.hostIPs[0].ip: Invalid value: "x": must be equal to `hostIP`',
      expect.stringContaining('status.hostIPs[0]: Invalid value: "x": must be a valid IP address'),
      "status.hostIPs: Internal error: failed to check for dual stack with error:invalid IP[0]: <nil>",
      'status.hostIPs: Invalid value: [{"ip":"x"},{"ip":"::1"}]: may specify no more than one IP for each IP family',
    ],
  ],
  [
    "claims are the spec's, under names that can be",
    { resourceClaimStatuses: [{ name: "k", resourceClaimName: "A" }, { name: "k" }] },
    { resourceClaims: [{ name: "k" }] },
    [
      expect.stringContaining('status.resourceClaimStatuses[0].resourceClaimName: Invalid value: "A"'),
      'status.resourceClaimStatuses[1].name: Duplicate value: "k"',
    ],
  ],
  [
    "extended resources are mapped",
    {
      extendedResourceClaimStatus: {
        requestMappings: [
          { containerName: "c", resourceName: "x.io/a", requestName: "r" },
          { containerName: "d", resourceName: "x.io/a", requestName: "r" },
        ],
      },
    },
    {},
    [
      'status.extendedResourceClaimStatus.requestMappings[0].resourceName: Invalid value: "x.io/a": must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests',
      'status.extendedResourceClaimStatus.requestMappings[1].containerName: Invalid value: "d": must match the name of an entry in spec.initContainers.name or spec.containers.name',
      "status.extendedResourceClaimStatus.resourceClaimName: Required value",
    ],
  ],
  [
    "users have ids",
    { containerStatuses: [{ name: "c", user: { linux: { uid: -1, gid: 1, supplementalGroups: [2 ** 31] } } }] },
    {},
    [
      "status.containerStatuses[0].user.linux.uid: Invalid value: -1: must be between 0 and 2147483647, inclusive",
      "status.containerStatuses[0].user.linux.supplementalGroups[0]: Invalid value: 2147483648: must be between 0 and 2147483647, inclusive",
    ],
  ],
  [
    "users of Windows have none",
    { initContainerStatuses: [{ name: "c", user: { linux: {} } }] },
    { os: { name: "windows" } },
    ["status.initContainerStatuses[0].user.linux: Forbidden: cannot be set for a windows pod"],
  ],
  [
    "health is of what the container asked for",
    {
      containerStatuses: [
        {
          name: "c",
          allocatedResourcesStatus: [
            {
              name: "x.io/a",
              resources: [
                { resourceID: "1", health: "Fine", message: "" },
                { resourceID: "1", health: "Unknown" },
              ],
            },
            { name: "claim:k" },
          ],
        },
      ],
      ephemeralContainerStatuses: [{ name: "e", allocatedResourcesStatus: [{ name: "x" }] }],
    },
    {},
    [
      'status.containerStatuses[0].allocatedResourcesStatus[0].name: Invalid value: "x.io/a": must match one of the container\'s resource requests',
      'status.containerStatuses[0].allocatedResourcesStatus[0].resources[0].health: Unsupported value: "Fine": supported values: "Healthy", "Unhealthy", "Unknown"',
      "status.containerStatuses[0].allocatedResourcesStatus[0].resources[0].message: Required value: must be non-empty if specified",
      'status.containerStatuses[0].allocatedResourcesStatus[0].resources[1].resourceID: Duplicate value: "1"',
      expect.stringContaining('status.containerStatuses[0].allocatedResourcesStatus[1].name: Invalid value: "claim:k"'),
      "status.ephemeralContainerStatuses[0].allocatedResourcesStatus: Forbidden: must not be specified in container status",
    ],
  ],
];

const ended = (exitCode: number) => [{ name: "c", state: { terminated: { exitCode } } }];
const running = [{ name: "c", state: { running: {} } }];
const onCode = (operator: string, action = "Restart") => ({
  restartPolicy: "Never",
  restartPolicyRules: [{ action, exitCodes: { operator, values: [3] } }],
});
const transitions: readonly [exitCode: number, podPolicy: string, container: object, isFine: boolean][] = [
  [0, "Always", {}, true],
  [0, "Never", {}, false],
  [0, "OnFailure", {}, false],
  [1, "OnFailure", {}, true],
  [0, "Always", { restartPolicy: "Never" }, false],
  [1, "Never", { restartPolicy: "OnFailure" }, true],
  [3, "Never", onCode("In"), true],
  [4, "Never", onCode("In"), false],
  [4, "Never", onCode("NotIn"), true],
  [4, "Never", onCode("In", "RestartAllContainers"), true],
];

describe("the status of pods", () => {
  it.each(cases)("%s", (_, status, spec, expected) => {
    expect(faults(status, {}, spec)).toEqual(expected);
  });

  it.each(transitions)(
    "ended with %i under policy %s and %j, a container may come back: %s",
    (code, restartPolicy, own, isFine) => {
      const spec = { restartPolicy, containers: [{ name: "c", image: "i", ...own }] };
      const fault = "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state";
      expect(faults({ containerStatuses: running }, { containerStatuses: ended(code) }, spec)).toEqual(
        isFine ? [] : [fault],
      );
    },
  );

  it("an ephemeral container and one that nobody knows do not come back", () => {
    const old = { ephemeralContainerStatuses: ended(1), initContainerStatuses: ended(1) };
    const now = { ephemeralContainerStatuses: running, initContainerStatuses: running };
    expect(faults(now, old, { restartPolicy: "Always" }).map((text) => text.split("[")[0])).toEqual([
      "status.initContainerStatuses",
      "status.ephemeralContainerStatuses",
    ]);
  });

  it("what was observed stays where nothing newer is said", () => {
    const status = {
      conditions: [
        { type: "A", status: "True" },
        { type: "B", status: "True", observedGeneration: 7 },
      ],
    };
    keepObservedGenerations(status, {
      observedGeneration: 3,
      conditions: ["A", "B"].map((type) => ({ type, status: "True", observedGeneration: 2 })),
    });
    expect(status).toEqual({
      observedGeneration: 3,
      conditions: [
        { type: "A", status: "True", observedGeneration: 2 },
        { type: "B", status: "True", observedGeneration: 7 },
      ],
    });
  });

  it("the first of several conditions of one type stands for the first", () => {
    const condition = (observedGeneration?: number) => ({ type: "A", status: "True", observedGeneration });
    const status = { conditions: [condition(), condition(9), condition(), condition()] };
    keepObservedGenerations(status, { conditions: [condition(1), condition(2), condition(3)] });
    expect(status.conditions.map(({ observedGeneration }) => observedGeneration)).toEqual([1, 9, 3, undefined]);
  });

  it("fields of features that are off are dropped", () => {
    const status = {
      nodeAllocatableResourceClaimStatuses: [],
      containerStatuses: [{ name: "c", volumeMounts: [{ name: "v", mountPath: "/", volumeStatus: {} }] }],
    } as unknown as V1PodStatus;
    dropDisabledStatusFields(status);
    expect(status).toEqual({ containerStatuses: [{ name: "c", volumeMounts: [{ name: "v", mountPath: "/" }] }] });
  });

  it("warns of addresses that others would write otherwise", () => {
    expect(podStatusWarnings(pod({}, { podIPs: [{ ip: "::A" }], hostIPs: [{ ip: "10.0.0.01" }] }))).toEqual([
      'status.podIPs[0].ip: IPv6 address "::A" should be in RFC 5952 canonical format ("::a")',
      'status.hostIPs[0].ip: non-standard IP address "10.0.0.01" will be considered invalid in a future Kubernetes release: use "10.0.0.1"',
    ]);
  });
});
