import { expect, test } from "vitest";
import type { ValidatingAdmissionPolicy } from "#api/admissionregistration/validating-admission-policy.ts";
import { expressionWarnings } from "./type-checking.ts";

const policy = (resources: string[], expression: string, variable?: string): ValidatingAdmissionPolicy => ({
  metadata: { name: "p" },
  spec: {
    matchConstraints: {
      resourceRules: [{ apiGroups: ["apps"], apiVersions: ["v1"], resources, operations: ["CREATE"] }],
    },
    ...(variable === undefined ? {} : { variables: [{ name: "v", expression: variable }] }),
    validations: [{ expression }],
  },
});

test.each<[claim: string, policy: ValidatingAdmissionPolicy, warned: number]>([
  ["a field that is there is fine", policy(["deployments"], "object.spec.replicas < 5"), 0],
  ["a field that no kind has is warned of", policy(["deployments"], "object.spec.nothing < 5"), 1],
  ["a comparison across types is warned of", policy(["deployments"], "object.spec.replicas == 'a'"), 1],
  ["any resource is not checked", policy(["*"], "object.spec.nothing < 5"), 0],
  ["a subresource is not checked", policy(["deployments/scale"], "object.spec.nothing < 5"), 0],
  [
    "a variable has the type of its expression",
    policy(["deployments"], "variables.v == 'a'", "object.spec.replicas"),
    1,
  ],
  ["what holds itself is no trouble", policy(["deployments"], "object.spec.template.spec.containers.size() > 0"), 0],
])("type checking: %s", (_, given, warned) => {
  const found = expressionWarnings(given);
  expect(found.map(({ fieldRef }) => fieldRef)).toEqual(warned === 0 ? [] : ["spec.validations[0].expression"]);
  for (const { warning } of found) expect(warning).toMatch(/^apps\/v1, Kind=Deployment: ERROR: <input>:1:/);
});
