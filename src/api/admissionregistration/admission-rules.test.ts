import { describe, expect, it } from "vitest";
import type { FieldError } from "#api/field-error.ts";
import { operationRuleErrors } from "./operation-rules.ts";
import { mutatingPolicyErrors, validatingBindingErrors, validatingPolicyErrors } from "./policy-rules.ts";
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
  it("a mutation has what its type names, and nothing else", () => {
    const of = (mutation: object) =>
      mutatingPolicyErrors({
        metadata: {},
        spec: { matchConstraints, reinvocationPolicy: "Never", mutations: [mutation as never] },
      }).map(({ field }) => field);
    expect(of({ patchType: "JSONPatch", jsonPatch: { expression: "[]" } })).toEqual([]);
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
