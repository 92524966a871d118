import { describe, expect, it } from "vitest";
import { ruleOutcome } from "./apply-rules.ts";
import { fieldPathIn } from "./field-path.ts";
import type { JsonSchema, ValidationRule } from "./json-schema.ts";
import { schemaErrors } from "./schema-rules.ts";
import { structuralErrors } from "./structural-rules.ts";

const inSpec = (schema: JsonSchema): JsonSchema => ({ type: "object", properties: { spec: schema } });
const told = (errors: readonly { field: string; message: string }[]) =>
  errors.map(({ field, message }) => `${field}: ${message}`.replaceAll("s.properties[spec]", "$").split("\n")[0]);

describe("a schema", () => {
  it.each<[string, JsonSchema, string[]]>([
    [
      "has a type everywhere",
      { description: "x" },
      ["$.type: Required value: must not be empty for specified object fields"],
    ],
    [
      "may leave an integer or string open",
      { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
      [],
    ],
    [
      "says nothing of types in junctors",
      { type: "string", anyOf: [{ type: "string" }] },
      ["$.anyOf[0].type: Forbidden: must be empty to be structural"],
    ],
    [
      "has patterns that are regular expressions",
      { type: "string", allOf: [{ pattern: "[" }] },
      [
        '$.allOf[0].pattern: Invalid value: "[": must be a valid regular expression, but isn\'t: error parsing regexp: missing closing ]: `[`',
      ],
    ],
    [
      "is told of in the order of the texts",
      { type: "object", properties: { b: { type: "array" }, a: {} } },
      [
        "$.properties[a].type: Required value: must not be empty for specified object fields",
        "$.properties[b].items: Required value: must be specified",
      ],
    ],
  ])("%s", (_claim, schema, errors) => {
    expect(
      told(structuralErrors(inSpec(schema), "s")).map((text) => text?.replaceAll("s.properties[spec]", "$")),
    ).toEqual(errors);
  });

  it("specifies what the root's junctors speak of", () => {
    const schema: JsonSchema = { type: "object", not: { properties: { a: { pattern: "x" } } } };
    expect(told(structuralErrors(schema, "s"))).toEqual([
      "s.properties[a]: Required value: because it is defined in s.not.properties[a]",
    ]);
    expect(structuralErrors(inSpec(schema), "s")).toEqual([]);
  });

  it.each<[string, JsonSchema, string[]]>([
    [
      "has no null type",
      { type: "null" },
      ["$.type: Forbidden: type cannot be set to null, use nullable as an alternative"],
    ],
    [
      "has properties or a map's values",
      { type: "object", properties: { a: { type: "string" } }, additionalProperties: { type: "string" } },
      ["$.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive"],
    ],
    [
      "tells keyed items apart by what they have",
      {
        type: "array",
        items: { type: "object", properties: {} },
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["a"],
      },
      ['$.x-kubernetes-list-map-keys: Invalid value: ["a"]: entries must all be names of item properties'],
    ],
    [
      "has rules that give a boolean",
      { type: "integer", "x-kubernetes-validations": [{ rule: "self + 1" }] },
      ["$.x-kubernetes-validations[0].rule: Invalid value: {}: cel expression must evaluate to a bool"],
    ],
    [
      "lets no rule look at the old self of a plain list's items",
      { type: "array", items: { type: "integer", "x-kubernetes-validations": [{ rule: "self == oldSelf" }] } },
      [
        '$.items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within $',
      ],
    ],
    [
      "is told of before the rules in it, and by all rules that stand",
      {
        type: "object",
        "x-kubernetes-validations": [{ rule: "self.b" }],
        properties: {
          a: { type: "object", "x-kubernetes-validations": [{ rule: "1" }] },
          b: { type: "integer" },
        },
      },
      [
        "$.properties[a].x-kubernetes-validations[0].rule: Invalid value: {}: cel expression must evaluate to a bool",
        "$.x-kubernetes-validations[0].rule: Invalid value: {}: cel expression must evaluate to a bool",
      ],
    ],
    [
      "has items in sets that are told apart as a whole",
      { type: "array", items: { type: "object" }, "x-kubernetes-list-type": "set" },
      [
        "$.items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set",
      ],
    ],
    [
      "has rules of bounded cost",
      {
        type: "array",
        maxItems: 10,
        items: { type: "string", maxLength: 10 },
        "x-kubernetes-validations": [{ rule: "self.all(a, self.exists(b, a == b))" }],
      },
      [],
    ],
  ])("%s", (_claim, schema, errors) => {
    const found = schemaErrors(inSpec(schema), "s", true);
    expect(
      told(found).filter((text) => !text!.includes("not supported") && !text!.startsWith("$.type: Unsupported")),
    ).toEqual(errors);
  });

  it("refuses a rule that unbounded lists make dear", () => {
    const rule = { rule: "self.all(a, self.exists(b, a == b))" };
    const errors = schemaErrors(
      inSpec({ type: "array", items: { type: "string" }, "x-kubernetes-validations": [rule] }),
      "s",
      true,
    );
    expect(errors.map(({ type }) => type)).toEqual([
      "FieldValueForbidden",
      "FieldValueForbidden",
      "FieldValueForbidden",
    ]);
  });
});

describe("rules", () => {
  const rule = { rule: "self < 10", message: "too big" };
  const schema = inSpec({
    type: "object",
    properties: {
      n: { type: "integer", "x-kubernetes-validations": [rule] },
      fixed: { type: "string", "x-kubernetes-validations": [{ rule: "self == oldSelf" }] },
    },
  });

  it("fail with their message", () => {
    expect(told(ruleOutcome({ spec: { n: 50 } }, undefined, schema).errors)).toEqual([
      "spec.n: Invalid value: 50: too big",
    ]);
  });

  it("only warn of what an update leaves as it was", () => {
    const { errors, warnings } = ruleOutcome({ spec: { n: 50, fixed: "a" } }, { spec: { n: 50, fixed: "a" } }, schema);
    expect([errors.length, told(warnings)]).toEqual([0, ["spec.n: Invalid value: 50: too big"]]);
  });

  it("about old values hold for new ones", () => {
    expect(ruleOutcome({ spec: { fixed: "a" } }, undefined, schema).errors).toEqual([]);
    expect(told(ruleOutcome({ spec: { fixed: "b" } }, { spec: { fixed: "a" } }, schema).errors)).toEqual([
      'spec.fixed: Invalid value: "b": failed rule: self == oldSelf',
    ]);
  });

  it("only warn of what is in a list that an update leaves as it was", () => {
    const list = inSpec({ type: "array", items: { type: "integer", "x-kubernetes-validations": [rule] } });
    const kept = ruleOutcome({ spec: [50], other: 1 }, { spec: [50] }, list);
    expect([kept.errors.length, kept.warnings.length]).toEqual([0, 1]);
    expect(told(ruleOutcome({ spec: [50, 1] }, { spec: [50] }, list).errors)).toEqual([
      "spec[0]: Invalid value: 50: too big",
    ]);
  });

  it.each<[string, Partial<ValidationRule> & { rule: string }, unknown, string]>([
    [
      "why they cannot be told",
      { rule: "10 / int(self) > 1 " },
      0,
      'Invalid value: "": division by zero evaluating rule: 10 / int(self) > 1',
    ],
    [
      "that operands do not match",
      { rule: "self + 1 == 2", message: " m " },
      "a",
      "Invalid value: \"\": 'no such overload': call arguments did not match a supported operator, function or macro signature for rule: m",
    ],
    ["a value there twice", { rule: "false", reason: "FieldValueDuplicate" }, "a", 'Duplicate value: "a"'],
    [
      "a value that is missing",
      { rule: "false", reason: "FieldValueRequired", message: "m" },
      "a",
      "Required value: m",
    ],
    [
      "a message that is no more than its own",
      { rule: "false", messageExpression: "'a\\nb'" },
      "a",
      'Invalid value: "a": failed rule: false',
    ],
  ])("tell %s", (_claim, one, value, text) => {
    const either = inSpec({ "x-kubernetes-int-or-string": true, "x-kubernetes-validations": [one] });
    expect(told(ruleOutcome({ spec: value }, undefined, either).errors)).toEqual([`spec: ${text}`]);
  });
});

describe("a path into a schema", () => {
  const labels: JsonSchema = { type: "object", additionalProperties: { type: "string" } };
  const whole = inSpec({ type: "object", properties: { labels, a: { type: "string" } } });

  it.each([
    [".spec.a", "spec.a"],
    ["['spec'].labels['a.b']", "spec.labels[a.b]"],
    ["", ""],
  ])("%s", (path, text) => {
    expect(fieldPathIn(path, whole)).toMatchObject({ text });
  });

  it.each([
    ["spec", "expected [ or . but got: spec"],
    [".", "unexpected end of JSON path"],
    [".spec..a", "does not refer to a valid field"],
    [".spec.a.b", "does not refer to a valid field"],
    [".spec[0]", "expected single quoted string but got 0"],
    [".spec['a'", "unexpected end of JSON path"],
    [".spec['\\q']", "invalid string literal: invalid escape char \\q"],
  ])("%s leads nowhere", (path, text) => {
    expect(fieldPathIn(path, whole)).toBe(text);
  });
});
