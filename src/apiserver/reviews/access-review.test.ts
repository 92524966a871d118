import { describe, expect, it } from "vitest";
import type { V1ResourceAttributes, V1SubjectAccessReviewSpec } from "#api/generated/types.ts";
import { accessReviewErrors, type ReviewScope } from "./access-review-rules.ts";
import { reviewSelectors } from "./review-selectors.ts";

const pods = (more: Partial<V1ResourceAttributes> = {}): V1ResourceAttributes => ({
  resource: "pods",
  verb: "list",
  ...more,
});

describe("a question about rights", () => {
  it.each<[ReviewScope, V1SubjectAccessReviewSpec, object, string[]]>([
    ["self", { resourceAttributes: pods() }, {}, []],
    ["anyone", { resourceAttributes: pods() }, {}, ["spec.user"]],
    ["anyone", {}, {}, ["spec.resourceAttributes", "spec.user"]],
    ["anyone", { user: "u", resourceAttributes: pods() }, { namespace: "n" }, ["metadata"]],
    ["local", { user: "u", resourceAttributes: pods({ namespace: "n" }) }, { namespace: "n" }, []],
    ["local", { user: "u", nonResourceAttributes: { path: "/" } }, { namespace: "n" }, ["spec.nonResourceAttributes"]],
    [
      "self",
      {
        resourceAttributes: pods({ labelSelector: { requirements: [{ key: "a b", operator: "In", values: ["-"] }] } }),
      },
      {},
      [
        "spec.resourceAttributes.labelSelector.requirements[0].key",
        "spec.resourceAttributes.labelSelector.requirements[0].values[0]",
      ],
    ],
    [
      "self",
      { resourceAttributes: pods({ fieldSelector: {} }) },
      {},
      ["spec.resourceAttributes.fieldSelector.requirements"],
    ],
  ])("%s with %j and the metadata %j has faults at %j", (scope, spec, metadata, expected) =>
    expect(accessReviewErrors({ metadata, spec }, scope).map(({ field }) => field)).toEqual(expected),
  );

  const requirement = (key: string, operator: string, ...values: string[]) => ({ key, operator, values });
  it.each<[Partial<V1ResourceAttributes>, string | undefined, string[]]>([
    [{ fieldSelector: { rawSelector: "a=b" } }, "a=b", []],
    [
      { fieldSelector: { rawSelector: "a" } },
      undefined,
      ["spec.resourceAttributes.fieldSelector ignored due to parse error"],
    ],
    [{ fieldSelector: { requirements: [requirement("a", "In", "b"), requirement("c", "Near")] } }, "a=b", []],
    [
      { fieldSelector: { requirements: [requirement("a", "NotIn", "b"), requirement("c", "Exists")] } },
      "a!=b",
      ["spec.resourceAttributes.fieldSelector partially ignored due to parse error"],
    ],
    [
      { labelSelector: { rawSelector: "a in (b" } },
      undefined,
      ["spec.resourceAttributes.labelSelector ignored due to parse error"],
    ],
  ])("the selectors of %j are %j, with the faults %j", (attributes, selector, faults) =>
    expect(reviewSelectors(pods(attributes))).toEqual({ ...(selector && { fieldSelector: selector }), faults }),
  );
});
