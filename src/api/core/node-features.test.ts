import { expect, it } from "vitest";
import type { V1PodSpec } from "#api/generated/types.ts";
import { featuresNeeded, featuresNeededToChange, knownFeatures } from "./node-features.ts";

const specOf = (more: Partial<V1PodSpec> = {}): V1PodSpec => ({ containers: [{ name: "c", image: "i" }], ...more });
const resources = (cpu: string) => ({ requests: { cpu } });
const init = (more: object) => ({ name: "i", image: "i", ...more });
const restartAll = {
  restartPolicyRules: [{ action: "RestartAllContainers", exitCodes: { operator: "In", values: [1] } }],
};
const restart = { restartPolicyRules: [{ action: "Restart", exitCodes: { operator: "In", values: [1] } }] };

it("features are sorted, as a node's status must have them", () => {
  expect(knownFeatures).toEqual(knownFeatures.toSorted());
});

it.each<[claim: string, spec: V1PodSpec, needed: string[]]>([
  ["a plain pod goes anywhere", specOf(), []],
  ["a rule that restarts one container, too", specOf({ initContainers: [init(restart)] }), []],
  [
    "one that restarts all does not",
    specOf({ containers: [init(restartAll)] }),
    ["RestartAllContainersOnContainerExits"],
  ],
  [
    "nor in an init container",
    specOf({ initContainers: [init(restartAll)] }),
    ["RestartAllContainersOnContainerExits"],
  ],
])("%s", (_, spec, needed) => {
  expect(featuresNeeded(spec)).toEqual(needed);
});

const podLevel = "InPlacePodLevelResourcesVerticalScaling";
const ofInit = "InPlacePodVerticalScalingInitContainers";
it.each<[claim: string, old: V1PodSpec, spec: V1PodSpec, needed: string[]]>([
  [
    "resources of containers need nothing",
    specOf({ containers: [init({ resources: resources("1") })] }),
    specOf({ containers: [init({ resources: resources("2") })] }),
    [],
  ],
  ["those of a pod do", specOf({ resources: resources("1") }), specOf({ resources: resources("2") }), [podLevel]],
  ["also where there were none", specOf(), specOf({ resources: {} }), [podLevel]],
  ["but not if they stay", specOf({ resources: resources("1") }), specOf({ resources: resources("1") }), []],
  [
    "those of init containers do",
    specOf({ initContainers: [init({ resources: resources("1") })] }),
    specOf({ initContainers: [init({ resources: resources("2") })] }),
    [ofInit],
  ],
  [
    "those of sidecars do not",
    specOf({ initContainers: [init({ restartPolicy: "Always", resources: resources("1") })] }),
    specOf({ initContainers: [init({ restartPolicy: "Always", resources: resources("2") })] }),
    [],
  ],
])("%s", (_, old, spec, needed) => {
  expect(featuresNeededToChange({ metadata: {}, spec: old }, { metadata: {}, spec })).toEqual(needed);
});
