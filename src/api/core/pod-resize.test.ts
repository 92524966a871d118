import { describe, expect, it } from "vitest";
import type { V1Pod } from "#api/generated/types.ts";
import { fieldErrorText } from "#api/validation/field-errors.ts";
import { keepAllButResources, podResizeErrors, resizeRefusal } from "./pod-resize.ts";

const pod = (spec: object, status: object = {}): V1Pod => ({
  metadata: { name: "p" },
  spec: { containers: [{ name: "c", image: "i" }], ...spec },
  status,
});
const container = (name: string, resources: object, more: object = {}) => ({ name, image: "i", resources, ...more });
const containers = (resources: object, more: object = {}) => ({ containers: [container("c", resources, more)] });
const init = (resources: object, more: object = {}) => ({
  ...containers({ requests: { cpu: "1" } }),
  initContainers: [container("i", resources, more)],
});
const restarting = { resizePolicy: [{ resourceName: "cpu", restartPolicy: "RestartContainer" }] };

const cases: readonly [claim: string, spec: object, old: object, faults: string[]][] = [
  ["cpu and memory may change", containers({ requests: { cpu: "2" } }), containers({ requests: { cpu: "1" } }), []],
  [
    "the class may not",
    containers({ requests: { cpu: "2" } }),
    {},
    ['spec: Invalid value: "BestEffort": Pod QOS Class may not change as a result of resizing'],
  ],
  [
    "nothing is taken away, and nothing else changes",
    containers({ requests: { "ephemeral-storage": "2", cpu: "1" } }),
    containers({ requests: { "ephemeral-storage": "1", cpu: "1", memory: "1" }, limits: { cpu: "1" } }),
    [
      "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed",
      "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed",
      "spec: Forbidden: only cpu and memory resources are mutable",
    ],
  ],
  [
    "containers stay as many, in their order",
    { containers: [container("d", {})], initContainers: [container("i", {})] },
    containers({}),
    [
      "spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize",
      "spec.initContainers: Forbidden: initContainers may not be added or removed on resize",
    ],
  ],
  [
    "init containers have faults of their own",
    init({ requests: { cpu: "2", "ephemeral-storage": "1" } }, restarting),
    init({ requests: { cpu: "1" } }, restarting),
    [
      "spec.initContainers[0]: Forbidden: only cpu and memory resources for init or sidecar containers are mutable",
      "spec.initContainers[0]: Forbidden: non-sidecar init containers with a resize policy of RestartContainer cannot be resized",
    ],
  ],
  [
    "a sidecar may start anew",
    init({ requests: { cpu: "2" } }, { ...restarting, restartPolicy: "Always" }),
    init({ requests: { cpu: "1" } }, { ...restarting, restartPolicy: "Always" }),
    [],
  ],
  [
    "claims stand in the way",
    containers({ requests: { cpu: "2" }, claims: [{ name: "k" }] }),
    containers({ requests: { cpu: "1" }, claims: [{ name: "k" }] }),
    ["spec: Forbidden: only cpu and memory resources are mutable"],
  ],
  [
    "a pod's own resources stay",
    { ...containers({ requests: { cpu: "1" } }) },
    { ...containers({ requests: { cpu: "1" } }), resources: { requests: { cpu: "1" } } },
    ["spec.resources: Forbidden: pod-level resources cannot be removed"],
  ],
  [
    "resources of nothing are not the same as none",
    { ...containers({}), resources: {} },
    containers({}),
    ["spec: Forbidden: only cpu and memory resources are mutable"],
  ],
  [
    "and only cpu and memory of them change",
    { resources: { requests: { cpu: "2", "hugepages-2Mi": "4Mi" } } },
    { resources: { requests: { cpu: "1", "hugepages-2Mi": "2Mi" }, limits: { memory: "1" } } },
    [
      "spec.resources.limits: Forbidden: pod-level resource limits cannot be removed",
      "spec: Forbidden: only cpu and memory resources are mutable at pod-level",
    ],
  ],
];

describe("resizing a pod", () => {
  it.each(cases)("%s", (_, spec, old, expected) => {
    expect(podResizeErrors(pod(spec), pod(old)).map(fieldErrorText)).toEqual(expected);
  });

  it("needs a node that reports what containers have", () => {
    const running = { containerStatuses: [{ name: "c", state: { running: {} } }] };
    expect(podResizeErrors(pod({}), pod({}, running)).map(fieldErrorText)).toEqual([
      "spec: Forbidden: Pod running on node without support for resize",
    ]);
  });

  it("is not for static and Windows pods", () => {
    expect(resizeRefusal(pod({}))).toBeUndefined();
    expect(resizeRefusal(pod({ os: { name: "windows" } }))?.message).toBe("Forbidden: windows pods cannot be resized");
  });

  it("takes resources and policies, and nothing else", () => {
    const now = pod({ ...containers({ requests: { cpu: "2" } }, { ...restarting, image: "j" }), hostname: "h" });
    keepAllButResources(now, pod(containers({ requests: { cpu: "1" } })));
    expect(now.spec).toEqual(containers({ requests: { cpu: "2" } }, restarting));
  });
});
