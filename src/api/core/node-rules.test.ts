import { describe, expect, it } from "vitest";
import type { V1Node } from "#api/generated/types.ts";
import { fieldErrorText } from "#api/validation/field-errors.ts";
import { nodeErrors, nodeUpdateErrors } from "./node-rules.ts";

const node = (more: object): V1Node => ({ metadata: { name: "n" }, ...more }) as V1Node;
const annotated = (key: string, text: string) => ({
  metadata: { name: "n", annotations: { [`scheduler.alpha.kubernetes.io/${key}`]: text } },
});
const avoid = "scheduler.alpha.kubernetes.io/preferAvoidPods";
const taints = "scheduler.alpha.kubernetes.io/taints";
const features = (...declaredFeatures: string[]) => ({ status: { declaredFeatures } });

const cases: readonly [node: object, faults: string[]][] = [
  [{}, []],
  [
    annotated("preferAvoidPods", "["),
    [`metadata.annotations.AvoidPods: Invalid value: "${avoid}": unexpected end of JSON input`],
  ],
  [
    annotated("preferAvoidPods", '{"preferAvoidPods":[{},{"podSignature":{"podController":{"controller":false}}}]}'),
    [
      `metadata.annotations.${avoid}[0].PodSignature: Required value`,
      `metadata.annotations.${avoid}[1].PodSignature.PodController.Controller: Invalid value: false: must point to a controller`,
    ],
  ],
  [
    annotated("taints", "{}"),
    [expect.stringContaining(`metadata.annotations: Invalid value: "${taints}": json: cannot`)],
  ],
  [annotated("taints", '[{"Key":"a"}]'), [`metadata.annotations.${taints}[0].effect: Required value`]],
  [features("A", "A/b", "Bc1"), []],
  [
    features("B", "a", "C", "C"),
    [
      expect.stringContaining(
        'status.declaredFeatures[1]: Invalid value: "a": invalid feature name "a": must start with',
      ),
      'status.declaredFeatures[2]: Invalid value: "C": list must be sorted alphabetically',
      'status.declaredFeatures[3]: Duplicate value: "C"',
    ],
  ],
  [
    { status: { nodeInfo: { swap: { capacity: 0 } } } },
    ["metadata.nodeSwapStatus.capacity: Invalid value: 0: must be greater than zero"],
  ],
  [
    { spec: { podCIDRs: ["10.0.0.0/24", "x"] } },
    [
      expect.stringContaining('spec.podCIDRs[1]: Invalid value: "x": must be a valid CIDR value'),
      "spec.podCIDRs: Internal error: invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[1]: <nil> (invalid CIDR address: x)",
      'spec.podCIDRs: Invalid value: ["10.0.0.0/24","x"]: may specify no more than one CIDR for each IP family',
    ],
  ],
];

const config = (configMap: object) => ({ status: { config: { active: { configMap } } } });
const pair = { spec: { podCIDRs: ["10.0.0.0/24", "fd00::/64"] } };
const once = 'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid';
const changes: readonly [now: object, old: object, faults: string[]][] = [
  [pair, {}, []],
  [{ spec: { podCIDRs: ["10.1.0.0/24", "fd01::/64"] } }, pair, [once, once]],
  [{}, pair, [once]],
  [{ spec: { externalID: "x" } }, {}, ["spec.externalID: Forbidden: may not be updated"]],
  [
    config({ name: "A", kubeletConfigKey: "k", uid: "u" }),
    {},
    [
      "status.config.active.configMap.resourceVersion: Required value",
      "status.config.active.configMap.namespace: Required value",
      expect.stringContaining('status.config.active.configMap.name: Invalid value: "A"'),
    ],
  ],
];

describe("nodes", () => {
  it.each(cases)("%j has these faults", (more, expected) => {
    expect(nodeErrors(node(more)).map(fieldErrorText)).toEqual(expected);
  });

  it.each(changes)("%j has these faults where it was %j", (now, old, expected) => {
    expect(nodeUpdateErrors(node(now), node(old)).map(fieldErrorText)).toEqual(expected);
  });
});
