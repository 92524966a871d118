import { describe, expect, it } from "vitest";
import type { V1ResourceQuotaSpec } from "#api/generated/types.ts";
import { fieldErrorText } from "#api/validation/field-errors.ts";
import { ResourceQuota } from "./resource-quota.ts";

const context = { now: 0, user: { name: "u", groups: [] }, dryRun: false };
const faults = (spec: V1ResourceQuotaSpec) =>
  ResourceQuota.validate!({ metadata: {}, spec }, undefined, context).map(fieldErrorText);
const selector = (...scopes: string[]) => ({
  matchExpressions: scopes.map((scopeName) => ({ scopeName, operator: "Exists" })),
});
const path = "spec.scopeSelector.matchExpressions";

describe("scopes of quotas", () => {
  it.each<[V1ResourceQuotaSpec, string[]]>([
    [{ hard: { pods: "1" }, scopes: ["BestEffort"] }, []],
    [{ hard: { services: "1" }, scopes: ["Odd"] }, ['spec.scopes: Invalid value: ["Odd"]: unsupported scope']],
    [
      { hard: { services: "1" }, scopes: ["BestEffort"] },
      ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
    ],
    [
      { hard: { services: "1" }, scopeSelector: selector("Odd") },
      [`${path}.scopeName: Invalid value: "Odd": unsupported scope`],
    ],
    [
      { hard: { pods: "1" }, scopeSelector: selector("BestEffort", "NotBestEffort") },
      [`${path}: Invalid value: null: conflicting scopes`],
    ],
  ])("%j have these faults", (spec, expected) => {
    expect(faults(spec)).toEqual(expected);
  });
});
