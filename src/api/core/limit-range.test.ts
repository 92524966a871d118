import { describe, expect, it } from "vitest";
import type { V1LimitRangeItem } from "#api/generated/types.ts";
import { fieldErrorText } from "#api/validation/field-errors.ts";
import { LimitRange } from "./limit-range.ts";

const context = { now: 0, user: { name: "u", groups: [] }, dryRun: false };
const faults = (...limits: object[]) =>
  LimitRange.validate!({ metadata: {}, spec: { limits: limits as V1LimitRangeItem[] } }, undefined, context).map(
    fieldErrorText,
  );

describe("limit ranges", () => {
  it("a claim's ratio is looked at after its bounds", () => {
    expect(faults({ type: "PersistentVolumeClaim", maxLimitRequestRatio: { odd: "2" } })).toEqual([
      "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided",
      'spec.limits[0].maxLimitRequestRatio[odd]: Invalid value: "odd": must be a standard resource type or fully qualified',
    ]);
  });

  it("a pod has no defaults, and a type comes once", () => {
    expect(faults({ type: "Pod", default: { cpu: "1" } }, { type: "Pod", max: { storage: "1" } })).toEqual([
      "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
      'spec.limits[1].type: Duplicate value: "Pod"',
      'spec.limits[1].max[storage]: Invalid value: "storage": must be a standard resource for containers',
    ]);
  });

  it("what is not said follows from what is, for containers", () => {
    const item: V1LimitRangeItem = { type: "Container", max: { cpu: "2" }, min: { memory: "1Gi" } };
    LimitRange.defaults!({ metadata: {}, spec: { limits: [item] } });
    expect(item).toMatchObject({ default: { cpu: "2" }, defaultRequest: { cpu: "2", memory: "1Gi" } });
  });
});
