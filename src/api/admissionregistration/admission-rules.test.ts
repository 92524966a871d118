import { describe, expect, it } from "vitest";
import type { FieldError } from "#api/field-error.ts";
import { operationRuleErrors } from "./operation-rules.ts";
import { validatingBindingErrors } from "./binding-rules.ts";
import { mutatingPolicyErrors } from "./mutating-policy-rules.ts";
import { validatingPolicyErrors, validatingPolicyStatusErrors } from "./policy-rules.ts";
import { defaultWebhook, webhooksErrors } from "./webhook-rules.ts";

const shown = (errors: readonly FieldError[]) => errors.map(({ field, message }) => `${field}: ${message}`);
const rule = { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] };
const webhook = (more = {}) => {
  const made = {
    name: "a.example.com",
    clientConfig: { url: "https://x/y" },
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    ...more,
  };
  defaultWebhook(made);
  return made;
};
const matchConstraints = { resourceRules: [rule] };

describe("webhooks", () => {
  it.each<[object, string[]]>([
    [{}, []],
    [{ name: "a.b" }, ["webhooks[0].name"]],
    [{ timeoutSeconds: 31 }, ["webhooks[0].timeoutSeconds"]],
    [{ clientConfig: {} }, ["webhooks[0].clientConfig"]],
    [{ sideEffects: "Some" }, ["webhooks[0].sideEffects"]],
    [{ admissionReviewVersions: ["v7"] }, ["webhooks[0].admissionReviewVersions"]],
  ])("%j beside the usual has faults here", (more, expected) =>
    expect(webhooksErrors([webhook(more)], undefined).map(({ field }) => field)).toEqual(expected),
  );
  it("what was there before is let pass", () => {
    const before = [
      webhook({
        sideEffects: "Some",
        objectSelector: { matchLabels: { a: "b c" } },
        matchConditions: [{ name: "a b", expression: "1" }],
      }),
    ];
    expect(webhooksErrors(before, undefined).map(({ field }) => field)).toEqual([
      "webhooks[0].sideEffects",
      "webhooks[0].objectSelector.matchLabels",
      "webhooks[0].matchConditions[0].expression",
      "webhooks[0].matchConditions[0].name",
    ]);
    expect(webhooksErrors(before, before)).toEqual([]);
    expect(shown(webhooksErrors([webhook({ sideEffects: "No" })], before))).toEqual([
      'webhooks[0].sideEffects: Unsupported value: "No": supported values: "None", "NoneOnDryRun", "Some", "Unknown"',
    ]);
  });
  it("names differ, unless they did not before", () => {
    const twice = [webhook(), webhook()];
    expect(webhooksErrors(twice, undefined).map(({ field }) => field)).toEqual(["webhooks[1].name"]);
    expect(webhooksErrors(twice, twice)).toEqual([]);
  });
});

describe("rules of operations", () => {
  it.each<[object, string[]]>([
    [{}, []],
    [
      { operations: ["*", "CREATE"] },
      ['r.operations: Invalid value: ["*","CREATE"]: if \'*\' is present, must not specify other operations'],
    ],
    [
      { resources: ["pods/*", "pods/status"] },
      ["r.resources[1]: Invalid value: \"pods/status\": if 'pods/*' is present, must not specify pods/status"],
    ],
    [
      { resources: ["*", "pods"] },
      [
        'r.resources: Invalid value: ["*","pods"]: if \'*\' is present, must not specify other resources without subresources',
      ],
    ],
    [{ resources: ["pods", "*"] }, []],
    [{ resources: ["*", "pods/status"] }, []],
  ])("%j beside the usual has these faults", (more, expected) =>
    expect(shown(operationRuleErrors({ ...rule, ...more }, "r"))).toEqual(expected),
  );
});

describe("admission policies", () => {
  it.each<[object, string[]]>([
    [{ validations: [{ expression: "true" }] }, []],
    [{}, ["spec.validations", "spec.auditAnnotations"]],
    [{ validations: [{ expression: " " }] }, ["spec.validations[0].expression"]],
    [{ validations: [{ expression: "true", message: "a\nb" }] }, ["spec.validations[0].message"]],
    [
      { validations: [{ expression: "true" }], variables: [{ name: "in", expression: "1" }] },
      ["spec.variables[0].name"],
    ],
    [
      { validations: [{ expression: "true" }], paramKind: { apiVersion: "a/b/c", kind: "K" } },
      ["spec.paramKind.apiVersion"],
    ],
  ])("%j has faults here", (more, expected) => {
    const errors = validatingPolicyErrors({ metadata: { name: "p" }, spec: { matchConstraints, ...more } });
    expect(errors.map(({ field }) => field)).toEqual(expected);
  });
  it("rules come in the order of the fields, expressions where they stand", () => {
    const of = (spec: object, old?: object) =>
      shown(validatingPolicyErrors({ metadata: { name: "p" }, spec }, old && { metadata: {}, spec: old }));
    const spec = {
      matchConstraints: { matchPolicy: "Near" },
      matchConditions: [{ name: "", expression: " 1 " }],
      variables: [{ name: "v", expression: "1" }],
      validations: [{ expression: "variables.v", messageExpression: "authorizer.path('/')", reason: "Why" }],
      auditAnnotations: [{ key: "k", valueExpression: " 1 " }],
    };
    const found = of(spec);
    expect(found.map((text) => text.replace(/compilation failed.*/s, "…"))).toEqual([
      'spec.matchConstraints.matchPolicy: Unsupported value: "Near": supported values: "Equivalent", "Exact"',
      "spec.matchConstraints.resourceRules: Required value",
      'spec.matchConditions[0].expression: Invalid value: "1": must evaluate to bool but got int',
      "spec.matchConditions[0].name: Required value",
      'spec.validations[0].expression: Invalid value: "variables.v": must evaluate to bool but got int',
      "spec.validations[0].messageExpression: Invalid value: \"authorizer.path('/')\": …",
      'spec.validations[0].reason: Unsupported value: "Why": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
      'spec.auditAnnotations[0].valueExpression: Invalid value: " 1 ": must evaluate to one of [string null_type] but got int',
    ]);
    expect(of(spec, spec)).toEqual(found.filter((text) => !text.startsWith("spec.matchConditions")));
  });
  it("the warnings of type checks say where", () => {
    const of = (fieldRef: string, warning: string) =>
      shown(
        validatingPolicyStatusErrors({
          metadata: {},
          status: { typeChecking: { expressionWarnings: [{ fieldRef, warning }] } },
        }),
      );
    expect(of("spec.validations[0].expression", "w")).toEqual([]);
    expect(of(" ", "")).toEqual([
      "status.typeChecking.expressionWarnings[0].warning: Required value",
      "status.typeChecking.expressionWarnings[0].fieldRef: Required value",
    ]);
  });
  it("a mutation has what its type names, and nothing else", () => {
    const of = (mutation: object) =>
      mutatingPolicyErrors({
        metadata: {},
        spec: { matchConstraints, reinvocationPolicy: "Never", mutations: [mutation as never] },
      }).map(({ field }) => field);
    expect(of({ patchType: "JSONPatch", jsonPatch: { expression: "[JSONPatch{op: 'remove', path: '/x'}]" } })).toEqual(
      [],
    );
    expect(of({ patchType: "JSONPatch", applyConfiguration: { expression: "Object{}" } })).toEqual([
      "spec.mutations[0].jsonPatch",
      "spec.mutations[0].applyConfiguration",
    ]);
  });
  it("a binding does not tell twice", () => {
    const of = (validationActions: string[]) =>
      validatingBindingErrors({ metadata: {}, spec: { policyName: "p", validationActions } });
    expect(of(["Deny", "Audit"])).toEqual([]);
    expect([of([]), of(["Deny", "Deny"]), of(["Deny", "Warn"])].map(({ length }) => length)).toEqual([1, 1, 1]);
  });
});
