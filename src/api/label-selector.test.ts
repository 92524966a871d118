import { describe, expect, test } from "vitest";
import {
  labelSelectorErrors,
  labelSelectorOf,
  labelSelectorText,
  matchesLabels,
  parseLabelSelector,
} from "./label-selector.ts";
import { fieldErrorText } from "./validation/field-errors.ts";

const labels = { app: "web", tier: "front", n: "5" };

describe("label selector", () => {
  test.each([
    ["", true],
    ["app=web", true],
    ["app==web,tier!=back", true],
    ["app!=web", false],
    ["missing!=x", true],
    ["app in (web,db)", true],
    ["app notin (web)", false],
    ["app", true],
    ["!app", false],
    ["!missing", true],
    ["app in ()", false],
    ["n>4", true],
    ["n<5", false],
    ["missing>1", false],
    ["in in (in)", false],
  ])("%j on the labels of a web pod: %s", (text, isMatch) => {
    expect(matchesLabels(parseLabelSelector(text), labels)).toBe(isMatch);
  });

  test.each([
    [",", "found ',', expected: !, identifier, or 'end of string'"],
    ["app=web=x", "found '=', expected: ',' or 'end of string'"],
    ["app is web", "unable to parse requirement: found 'is', expected: in, notin, =, ==, !=, gt, lt"],
    ["app in (a", "unable to parse requirement: found '', expected: ',' or ')'"],
    ["app in (a,,)", "unable to parse requirement: found ')', expected: ',', or identifier"],
    ["!", "unable to parse requirement: found '', expected: identifier"],
    ["a,", "found '', expected: identifier after ','"],
    [
      "a>x",
      "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
    ],
  ])("%j is refused with upstream's words", (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(message);
  });

  test("the canonical text is sorted by key", () => {
    expect(labelSelectorText(parseLabelSelector("z=1, a in (y,x),!m"))).toBe("a in (x,y),!m,z=1");
  });

  test("an absent selector selects nothing, an empty one everything", () => {
    expect(matchesLabels(labelSelectorOf(undefined), labels)).toBe(false);
    expect(matchesLabels(labelSelectorOf({}), labels)).toBe(true);
    const expressions = [{ key: "app", operator: "In", values: ["web"] }];
    expect(matchesLabels(labelSelectorOf({ matchExpressions: expressions }), labels)).toBe(true);
  });

  test("faults of a selector in a spec name the expression", () => {
    const errors = labelSelectorErrors({ matchExpressions: [{ key: "a", operator: "In" }] }, "spec.selector");
    expect(errors.map(fieldErrorText)).toEqual([
      "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ]);
  });
});
