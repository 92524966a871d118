import { expect, test } from "vitest";
import type { ValidatingAdmissionPolicy } from "#api/admissionregistration/validating-admission-policy.ts";
import type { CustomResourceDefinition } from "#api/apiextensions/custom-resource-definition.ts";
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
  const found = expressionWarnings(given, []);
  expect(found.map(({ fieldRef }) => fieldRef)).toEqual(warned === 0 ? [] : ["spec.validations[0].expression"]);
  for (const { warning } of found) expect(warning).toMatch(/^apps\/v1, Kind=Deployment: ERROR: <input>:1:/);
});

const cronTabs: CustomResourceDefinition = {
  metadata: { name: "crontabs.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { kind: "CronTab", plural: "crontabs" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: { spec: { type: "object", properties: { replicas: { type: "integer" } } } },
          },
        },
      },
    ],
  },
};

const ofCronTabs = (
  expression: string,
  paramKind?: { apiVersion: string; kind: string },
): ValidatingAdmissionPolicy => ({
  metadata: { name: "p" },
  spec: {
    ...(paramKind && { paramKind }),
    matchConstraints: {
      resourceRules: [
        { apiGroups: ["example.com"], apiVersions: ["v1"], resources: ["crontabs"], operations: ["CREATE"] },
        { apiGroups: [""], apiVersions: ["v1"], resources: ["*", "pods"], operations: ["CREATE"] },
      ],
    },
    validations: [{ expression }],
  },
});
const parameters = { apiVersion: "example.com/v1", kind: "CronTab" };

test.each<[claim: string, policy: ValidatingAdmissionPolicy, warned: string[]]>([
  [
    "a custom kind has its schema",
    ofCronTabs("!has(object.spec.replicas)"),
    ["v1, Kind=Pod: undefined field 'replicas'"],
  ],
  ["and the metadata of all", ofCronTabs("object.metadata.labels['a'] == 'b'"), []],
  [
    "the kinds come by group",
    ofCronTabs("object.kind > 1"),
    ["v1, Kind=Pod", "example.com/v1, Kind=CronTab"].map(
      (kind) => `${kind}: found no matching overload for '_>_' applied to '(string, int)'`,
    ),
  ],
  [
    "parameters have a type",
    ofCronTabs("params.spec.replicas == 'a'", parameters),
    ["v1, Kind=Pod", "example.com/v1, Kind=CronTab"].map(
      (kind) => `${kind}: found no matching overload for '_==_' applied to '(int, string)'`,
    ),
  ],
  ["parameters that fit are fine", ofCronTabs("params.spec.replicas == 1", parameters), []],
])("type checking of custom kinds: %s", (_, given, warned) => {
  const [found] = expressionWarnings(given, [cronTabs]);
  const told = (found?.warning ?? "").split("\n").filter((line) => line.includes("ERROR"));
  expect(told.map((line) => line.replace(/ERROR: <input>:1:\d+: /, ""))).toEqual(warned);
});
