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
