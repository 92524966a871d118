import { describe, expect, it } from "vitest";
import type { V1Pod, V1PodSpec } from "#api/generated/types.ts";
import { fieldErrorText } from "#api/validation/field-errors.ts";
import { adoptAppArmorAnnotations, appArmorPrefix, podAnnotationsErrors } from "./pod-annotations.ts";

const spec: V1PodSpec = { containers: [{ name: "c", image: "i" }] };
const tolerations = "scheduler.alpha.kubernetes.io/tolerations";

const cases: readonly [annotations: Record<string, string>, faults: string[]][] = [
  [
    { "kubernetes.io/config.mirror": "x" },
    ['m[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set'],
  ],
  [{ [tolerations]: "[" }, [`m: Invalid value: "${tolerations}": unexpected end of JSON input`]],
  [
    { [tolerations]: "{}" },
    [`m: Invalid value: "${tolerations}": json: cannot unmarshal object into Go value of type []core.Toleration`],
  ],
  [{ [tolerations]: '[{"key":"a","operator":"Exists"}]' }, []],
  [
    { [tolerations]: '[{"Key":"a","Effect":"x"}]' },
    [
      `m.${tolerations}[0].effect: Unsupported value: "x": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"`,
    ],
  ],
  [
    { "controller.kubernetes.io/pod-deletion-cost": "+1" },
    ['m[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "+1": must be a 32bit integer'],
  ],
  [
    { "controller.kubernetes.io/pod-deletion-cost": "05" },
    ['m[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "05": must be a 32bit integer'],
  ],
  [{ "controller.kubernetes.io/pod-deletion-cost": "-05" }, []],
  [
    {
      [`${appArmorPrefix}c`]: "x",
      "container.seccomp.security.alpha.kubernetes.io/c": "y",
      "seccomp.security.alpha.kubernetes.io/pod": "z",
    },
    [
      'm.seccomp.security.alpha.kubernetes.io/pod: Invalid value: "z": must be a valid seccomp profile',
      'm.container.seccomp.security.alpha.kubernetes.io/c: Invalid value: "y": must be a valid seccomp profile',
      `m[${appArmorPrefix}c]: Invalid value: "x": invalid AppArmor profile name: "x"`,
    ],
  ],
];

describe("annotations of pods", () => {
  it.each(cases)("%j have these faults", (annotations, expected) => {
    expect(podAnnotationsErrors(annotations, spec, "m").map(fieldErrorText)).toEqual(expected);
  });
});

const adoptions: readonly [
  claim: string,
  annotation: string,
  spec: Partial<V1PodSpec>,
  profile: object | undefined,
  isWarned: boolean,
][] = [
  ["becomes the field", "runtime/default", {}, { type: "RuntimeDefault" }, true],
  ["names a profile of the node", "localhost/a", {}, { type: "Localhost", localhostProfile: "a" }, true],
  ["is left if it is none", "magic", {}, undefined, true],
  [
    "adds nothing to the pod's own",
    "unconfined",
    { securityContext: { appArmorProfile: { type: "Unconfined" } } },
    undefined,
    false,
  ],
  ["means nothing on Windows", "unconfined", { os: { name: "windows" } }, undefined, false],
];

describe("an AppArmor annotation of a new pod", () => {
  it.each(adoptions)("%s", (_, annotation, more, profile, isWarned) => {
    const key = `${appArmorPrefix}c`;
    const pod: V1Pod = {
      metadata: { name: "p", annotations: { [key]: annotation } },
      spec: { containers: [{ name: "c", image: "i" }], ...more },
    };
    const warnings: string[] = [];
    adoptAppArmorAnnotations(pod, (text) => warnings.push(text));
    expect(pod.spec!.containers[0]!.securityContext?.appArmorProfile).toEqual(profile);
    expect(warnings).toEqual(
      isWarned ? [`metadata.annotations[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`] : [],
    );
  });
});
