import { expect, test } from "vitest";
import { ruleOutcome } from "./apply-rules.ts";
import type { JsonSchema } from "./json-schema.ts";

const text: JsonSchema = { type: "string" };
const whole: JsonSchema = { type: "integer" };
const open: JsonSchema = { "x-kubernetes-preserve-unknown-fields": true };
const list = (items: JsonSchema): JsonSchema => ({ type: "array", items });

const schema: JsonSchema = {
  type: "object",
  properties: {
    a: { type: "object", properties: { b: whole, d: { ...whole, nullable: true } } },
    open: list({ type: "object", properties: { known: whole }, ...open }),
    held: list({ type: "object", properties: { any: open } }),
    odd: list({ type: "object", properties: { "k!": text } }),
    at: { ...text, format: "date-time" },
    span: { ...text, format: "duration" },
    share: { "x-kubernetes-int-or-string": true, nullable: true },
    nullable: list({ ...text, nullable: true }),
  },
};
const object = {
  a: { b: 1, d: null },
  open: [{ known: 1, x: "a" }, { known: 1, x: "b" }, { known: 1, x: "b" }, { known: 1 }],
  held: [{ any: 1 }, { any: "1" }, { any: 1 }],
  odd: [{ "k!": "a" }, { "k!": "b" }, { "k!": "a" }],
  at: "2011-08-18T19:03:37.01+01:00",
  span: "1 day 2h",
  share: null,
  nullable: [null, "x"],
};

const outcome = (rule: string) =>
  ruleOutcome(object, undefined, { ...schema, "x-kubernetes-validations": [{ rule }] }).errors.map(
    ({ message }) => message,
  );

test.each([
  "!has(self.a.d) && !self.a.?d.hasValue()",
  "!has(self.share)",
  "type(self.nullable[0]) == null_type && self.nullable[1] == 'x'",
  "self.open[0] != self.open[1] && self.open[1] == self.open[2] && self.open[0] != self.open[3]",
  "self.held[0] != self.held[1] && self.held[0] == self.held[2]",
  "self.odd[0] != self.odd[1] && self.odd[0] == self.odd[2]",
  "string(self.at) == '2011-08-18T19:03:37.01+01:00' && self.at.getHours() == 19 && self.at.getHours('UTC') == 18",
  "string(self.at + duration('1h')) == '2011-08-18T20:03:37.01+01:00'",
  "self.span == duration('26h')",
])("holds: %s", (rule) => expect(outcome(rule)).toEqual([]));

test.each([
  ["self.a.d == 1", "no such key: d"],
  ["type(self.share) == int", "no such key: share"],
  ["self.nullable[0] == null", "found no matching overload for '_==_' applied to '(string, null)'"],
  ["has(self.open[0].x)", "undefined field 'x'"],
])("fails: %s", (rule, fault) => expect(outcome(rule)).toEqual([expect.stringContaining(fault)]));

const told = (value: unknown, of: JsonSchema, budget?: number) =>
  ruleOutcome(value, undefined, of, true, budget).errors.map(({ field, message }) => `${field}: ${message}`);
const outOfBudget = "validation failed due to running out of cost budget, no further validation rules will be run";

test("rules end where all of them together cost too much", () => {
  const rules = [{ rule: "self == 'a'" }, { rule: "self == 'b'" }];
  const one: JsonSchema = { ...text, "x-kubernetes-validations": rules };
  const both: JsonSchema = { type: "object", properties: { x: one, y: one } };
  expect(told({ x: "c", y: "c" }, both, 3)).toEqual([
    `x: Invalid value: "c": failed rule: self == 'a'`,
    `x: Invalid value: "string": ${outOfBudget}`,
  ]);
  expect(told({ x: "c" }, both, 0)).toEqual([`x: Invalid value: "string": ${outOfBudget}`]);
  expect(told({ x: "c", y: "c" }, both)).toHaveLength(4);
});

test("one rule or message that costs too much ends the rules", () => {
  const many = { x: Array.from({ length: 100 }, () => 1) };
  const loop = "self.x.all(a, self.x.all(b, self.x.all(c, a + b + c > 0)))";
  const withRules = (...rules: object[]): JsonSchema => ({
    type: "object",
    properties: { x: list(whole) },
    "x-kubernetes-validations": [...rules, { rule: "false" }] as never,
  });
  expect(told(many, withRules({ rule: loop }))).toEqual([
    `<nil>: Invalid value: "object": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: ${loop}`,
  ]);
  expect(told(many, withRules({ rule: "false", messageExpression: `${loop} ? 'a' : 'b'` }))).toEqual([
    `<nil>: Invalid value: "object": no further validation rules will be run due to call cost exceeds limit for messageExpression: "${loop} ? 'a' : 'b'"`,
  ]);
  expect(told(many, withRules({ rule: "false", messageExpression: "'a' + string(self.x[0])" }), 1)).toEqual([
    '<nil>: Invalid value: "object": messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run',
  ]);
});

test("rules for items of what is no list any more cannot be told", () => {
  const items = { ...whole, "x-kubernetes-validations": [{ rule: "self > 0" }] };
  const text = "rule compiler initialization error: Failed to convert to declType for CEL validation rules";
  expect(told([1, 2], { type: "object", items })).toEqual([
    `[0]: Invalid value: "integer": ${text}`,
    `[1]: Invalid value: "integer": ${text}`,
  ]);
  expect(told([1, 2], list(items))).toEqual([]);
});
