import { describe, expect, it } from "vitest";
import type { V1Pod } from "#api/generated/types.ts";
import { fieldErrorText } from "#api/validation/field-errors.ts";
import { ephemeralContainersRefusal, podAnnotationsUpdateErrors, podUpdateErrors } from "./pod-update.ts";

const pod = (spec: object, annotations: Record<string, string> = {}): V1Pod => ({
  metadata: { name: "p", annotations },
  spec: { containers: [{ name: "c", image: "i" }], nodeName: "n", ...spec },
});
const gate = { schedulingGates: [{ name: "g" }] };
const required = (...nodeSelectorTerms: object[]) => ({
  ...gate,
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const a = { key: "a", operator: "Exists" };
const b = { key: "b", operator: "Exists" };
const terms = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";

const updates: readonly [claim: string, spec: object, old: object, faults: string[]][] = [
  ["an image may change", { containers: [{ name: "c", image: "j" }] }, {}, []],
  [
    "a new gate is named once, at its last place",
    { schedulingGates: [{ name: "g" }, { name: "h" }, { name: "h" }] },
    gate,
    ["spec.schedulingGates[2].name: Forbidden: only deletion is allowed, but found new scheduling gate 'h'"],
  ],
  [
    "a gated pod's terms may get more requirements",
    required({ matchExpressions: [a, b] }),
    required({ matchExpressions: [a] }),
    [],
  ],
  [
    "and no fewer",
    required({ matchExpressions: [b] }),
    required({ matchExpressions: [a] }),
    [expect.stringMatching(/nodeSelectorTerms\[0\]: Invalid value: .*: only additions are allowed \(no mutations/)],
  ],
  [
    "and stay as many",
    gate,
    required({ matchExpressions: [a] }),
    [`${terms}: Invalid value: null: no additions/deletions to non-empty NodeSelectorTerms list are allowed`],
  ],
  [
    "an empty term stays empty",
    required({ matchFields: [a] }),
    required({}),
    [expect.stringContaining("only additions are allowed (no mutations or deletions)")],
  ],
];

const key = "container.apparmor.security.beta.kubernetes.io/c";
const mirror = "kubernetes.io/config.mirror";
const annotations: readonly [now: Record<string, string>, old: Record<string, string>, faults: string[]][] = [
  [{ [key]: "unconfined" }, { [key]: "unconfined" }, []],
  [
    {},
    { [key]: "unconfined" },
    [`metadata.annotations[${key}]: Forbidden: may not remove or update AppArmor annotations`],
  ],
  [{ [key]: "unconfined" }, {}, [`metadata.annotations[${key}]: Forbidden: may not add AppArmor annotations`]],
  [
    { [mirror]: "y", [key]: "x" },
    { [mirror]: "x" },
    [
      `metadata.annotations[${mirror}]: Forbidden: may not remove or update mirror pod annotation`,
      `metadata.annotations[${key}]: Forbidden: may not add AppArmor annotations`,
      `metadata.annotations[${key}]: Invalid value: "x": invalid AppArmor profile name: "x"`,
    ],
  ],
];

describe("updates of pods", () => {
  it.each(updates)("%s", (_, spec, old, expected) => {
    expect(podUpdateErrors(pod(spec), pod(old)).map(fieldErrorText)).toEqual(expected);
  });

  it.each(annotations)("annotations become %j from %j with these faults", (now, old, expected) => {
    expect(podAnnotationsUpdateErrors(pod({}, now), pod({}, old)).map(fieldErrorText)).toEqual(expected);
  });

  it("a static pod takes no ephemeral containers", () => {
    expect(ephemeralContainersRefusal(pod({}))).toBeUndefined();
    expect(ephemeralContainersRefusal(pod({}, { [mirror]: "x" }))?.message).toBe(
      "Forbidden: static pods do not support ephemeral containers",
    );
  });
});
