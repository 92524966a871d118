import { describe, expect, it } from "vitest";
import type { V1ObjectMeta, V1Pod } from "#api/generated/types.ts";
import { fieldErrorText } from "#api/validation/field-errors.ts";
import { defaultPod } from "./pod-defaults.ts";
import { podSpecErrors } from "./pod-spec.ts";

/** The faults of a pod with one container `c`, whose fields `container` changes. */
function faults(spec: object, container: object = {}, meta: V1ObjectMeta = { name: "p" }): string[] {
  const pod = {
    metadata: meta,
    spec: { containers: [{ name: "c", image: "i", ...container }], ...spec },
  } as unknown as V1Pod;
  defaultPod(pod);
  return podSpecErrors(pod.spec!, meta, "spec").map(fieldErrorText);
}

type Case = readonly [claim: string, spec: object, container: object, faults: string[]];
const at = "spec.containers[0]";
const constraint = { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" };
const rules = [{ action: "Restart", exitCodes: { operator: "In", values: [] } }];
const claims = { resourceClaims: [{ name: "k", resourceClaimName: "x" }] };

const containerCases: readonly Case[] = [
  ["a prefix may end in a dash", {}, { envFrom: [{ configMapRef: { name: "a-" } }] }, []],
  [
    "the volume of a file of variables is looked for after all other rules",
    { os: { name: "plan9" }, volumes: [{ name: "h", hostPath: { path: "/" } }] },
    {
      env: [
        { name: "A", valueFrom: { fileKeyRef: { volumeName: "h", path: "..a", key: "" } } },
        { name: "B", valueFrom: { fileKeyRef: { volumeName: "none", path: "/a/..", key: "k" } } },
      ],
    },
    [
      `${at}.env[0].valueFrom.fileKeyRef.key: Required value`,
      `${at}.env[1].valueFrom.fileKeyRef.path: Invalid value: "/a/..": must not contain '..'`,
      'spec.os: Unsupported value: "plan9": supported values: "linux", "windows"',
      `${at}.env[0].valueFrom.fileKeyRef.volumeName: Invalid value: "h": referenced volume must be of type emptyDir`,
      `${at}.env[1].valueFrom.fileKeyRef.volumeName: Not found: "none"`,
    ],
  ],
  [
    "a resize policy goes with the pod's restart policy",
    { restartPolicy: "Never" },
    { resizePolicy: [{ resourceName: "cpu", restartPolicy: "RestartContainer" }] },
    [
      `${at}.resizePolicy: Invalid value: "RestartContainer": must be 'NotRequired' when pod \`restartPolicy\` is 'Never'`,
    ],
  ],
  ["restart rules may list no exit codes", {}, { restartPolicy: "Never", restartPolicyRules: rules }, []],
  [
    "rules of an init container without policy are looked at no further",
    { initContainers: [{ name: "i", image: "i", restartPolicyRules: [{ action: "x" }] }] },
    {},
    ["spec.initContainers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used"],
  ],
  [
    "rules of a container without policy are looked at all the same",
    {},
    { restartPolicyRules: [{ action: "x" }] },
    [
      `${at}.restartPolicy: Required value: must specify restartPolicy when restart rules are used`,
      `${at}.restartPolicyRules[0].action: Unsupported value: "x": supported values: "Restart", "RestartAllContainers"`,
      `${at}.restartPolicyRules[0].exitCodes: Required value: must be specified`,
    ],
  ],
  [
    "an empty lifecycle is set, empty resources are not",
    { ephemeralContainers: [{ name: "e", image: "i", lifecycle: {}, resources: {} }] },
    {},
    ["spec.ephemeralContainers[0].lifecycle: Forbidden: cannot be set for an Ephemeral Container"],
  ],
];

const resourceCases: readonly Case[] = [
  [
    "huge pages come whole",
    {},
    { resources: { limits: { cpu: "1", "hugepages-2Mi": "3Mi", "hugepages-x": "1" } } },
    ["limits", "requests"].flatMap((field) => [
      `${at}.resources.${field}[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
      `${at}.resources.${field}[hugepages-x]: Invalid value: "1": 1 is not positive integer multiple of hugepages-x`,
    ]),
  ],
  [
    "a claim is used whole or by its requests",
    claims,
    { resources: { claims: [{ name: "k", request: "A" }, { name: "k" }, { name: "k", request: "b" }] } },
    [
      expect.stringContaining(`${at}.resources.claims[0].request: Invalid value: "A": a lowercase RFC 1123 label`),
      `${at}.resources.claims[1]: Duplicate value: "k"`,
      `${at}.resources.claims[2]: Duplicate value: "k"`,
    ],
  ],
  [
    "a Windows pod has no resources of its own",
    { os: { name: "windows" }, resources: { limits: { cpu: "-1" } } },
    {},
    ["spec.resources: Forbidden: may not be set for a windows pod"],
  ],
  [
    "a pod's own resources are few",
    { resources: { limits: { odd: "1", storage: "1" }, requests: { cpu: "1" } } },
    {},
    [
      'spec.resources.limits[odd]: Invalid value: "odd": must be a standard resource type or fully qualified',
      'spec.resources.limits[storage]: Unsupported value: "storage": supported values: "cpu", "hugepages-", "memory"',
    ],
  ],
  [
    "a pod's huge pages cover those of its containers",
    { resources: { limits: { cpu: "1", "hugepages-2Mi": "2Mi" } } },
    { resources: { limits: { cpu: "1", "hugepages-2Mi": "4Mi" } } },
    [
      'spec.resources.requests[hugepages-2Mi]: Invalid value: "2Mi": must be greater than or equal to aggregate container requests of 4Mi',
      'spec.resources.limits[hugepages-2Mi]: Invalid value: "2Mi": must be greater than or equal to aggregate container limits of 4Mi',
      'spec.resources.containers[0][hugepages-2Mi].limits: Invalid value: "4Mi": must be less than or equal to pod limits of 2Mi',
    ],
  ],
  [
    "overhead counts as limits",
    { overhead: { odd: "1" } },
    {},
    [
      'spec.overhead.limits[odd]: Invalid value: "odd": must be a standard resource type or fully qualified',
      'spec.overhead.limits[odd]: Invalid value: "odd": must be a standard resource for containers',
    ],
  ],
];

const podCases: readonly Case[] = [
  [
    "comparing tolerations are known, but off",
    {
      tolerations: [
        { key: "k", operator: "Gt", value: "1" },
        { key: "k", operator: "In" },
      ],
    },
    {},
    [
      'spec.tolerations[0].operator: Unsupported value: "Gt": supported values: "Equal", "Exists", "Lt", "Gt"',
      'spec.tolerations[1].operator: Unsupported value: "In": supported values: "Equal", "Exists"',
    ],
  ],
  [
    "a topology key is any text; domains come after duplicates",
    {
      topologySpreadConstraints: [
        { ...constraint, topologyKey: "Bad Key", minDomains: 0, labelSelector: {} },
        { ...constraint, topologyKey: "Bad Key", labelSelector: {} },
      ],
    },
    {},
    [
      'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{Bad Key, DoNotSchedule}"',
      "spec.topologySpreadConstraints[0].minDomains: Invalid value: 0: must be greater than zero",
    ],
  ],
  [
    "a merged label key is in the selector once",
    {
      topologySpreadConstraints: [
        {
          ...constraint,
          matchLabelKeys: ["b", "a"],
          labelSelector: { matchLabels: { a: "1" }, matchExpressions: [{ key: "a", operator: "In", values: ["1"] }] },
        },
      ],
    },
    {},
    ['spec.topologySpreadConstraints[0][1]: Invalid value: "a": exists in both matchLabelKeys and labelSelector'],
  ],
  [
    "a host name override is short first, then a name",
    { hostnameOverride: `A${"b".repeat(64)}` },
    {},
    [
      "spec.hostnameOverride: Too long: may not be more than 64 bytes",
      expect.stringContaining("spec.hostnameOverride: Invalid value"),
    ],
  ],
  [
    "a user namespace goes with no block device",
    { hostUsers: false, volumes: [{ name: "v", persistentVolumeClaim: { claimName: "x" } }] },
    { volumeDevices: [{ name: "v", devicePath: "/d" }] },
    [`${at}.volumeDevices: Forbidden: when \`hostUsers\` is false`],
  ],
  [
    "SELinux labels come by relabelling only",
    { securityContext: { seLinuxChangePolicy: "MountOption" } },
    {},
    ['spec.securityContext.seLinuxChangePolicy: Unsupported value: "MountOption": supported values: "Recursive"'],
  ],
  [
    "sysctls of the host's namespaces are not the pod's",
    {
      hostNetwork: true,
      hostIPC: true,
      securityContext: {
        sysctls: [
          { name: "net/core/x" },
          { name: "kernel.sem" },
          { name: "kernel.semaphore" },
          { name: "kernel/shm_x" },
        ],
      },
    },
    {},
    [
      `spec.securityContext.sysctls[0].name: Invalid value: "net/core/x": may not be specified when 'hostNetwork' is true`,
      `spec.securityContext.sysctls[1].name: Invalid value: "kernel.sem": may not be specified when 'hostIPC' is true`,
      `spec.securityContext.sysctls[3].name: Invalid value: "kernel/shm_x": may not be specified when 'hostIPC' is true`,
    ],
  ],
];

describe("pod specs", () => {
  it.each([...containerCases, ...resourceCases, ...podCases])("%s", (_, spec, container, expected) => {
    expect(faults(spec, container)).toEqual(expected);
  });

  it("a static pod has no claims", () => {
    const mirror = { name: "p", annotations: { "kubernetes.io/config.mirror": "x" } };
    expect(faults({ ...claims, nodeName: "n" }, {}, mirror)).toEqual([
      "[]: Forbidden: static pods do not support resource claims",
    ]);
  });
});
