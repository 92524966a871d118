import { describe, expect, it } from "vitest";
import type { JsonSchema } from "./json-schema.ts";
import { validateValue } from "./validate.ts";

const faults = (value: unknown, schema: JsonSchema) => validateValue(value, schema, "spec");

describe("validateValue", () => {
  it.each<[string, JsonSchema, unknown]>([
    ["a text", { type: "string", minLength: 1, maxLength: 3, pattern: "^a" }, "abc"],
    ["an integer as a number", { type: "number" }, 3],
    ["a null that may be", { type: "string", nullable: true }, null],
    ["either of two", { anyOf: [{ type: "string" }, { type: "integer" }], "x-kubernetes-int-or-string": true }, 3],
    ["anything", {}, { a: [1] }],
    ["an integer of more bits than its format", { type: "integer", format: "int32" }, 2 ** 40],
    ["a list where a text has a format", { type: "string", format: "date" }, []],
  ])("takes %s", (_name, schema, value) => {
    expect(faults(value, schema)).toEqual([]);
  });

  it.each<[string, JsonSchema, unknown]>([
    ["another type", { type: "string" }, 3],
    ["a fraction", { type: "integer" }, 1.5],
    ["a null", { type: "string" }, null],
    ["a value that is not listed", { type: "string", enum: ["a", "b"] }, "c"],
    ["a text that does not match", { type: "string", pattern: "^a$" }, "b"],
    ["too short a text", { type: "string", minLength: 2 }, "b"],
    ["too large a number", { type: "integer", maximum: 3 }, 4],
    ["too many items", { type: "array", maxItems: 1 }, [1, 2]],
    ["a missing field", { type: "object", required: ["a"] }, {}],
    ["what fits none", { anyOf: [{ type: "string" }, { type: "boolean" }] }, 3],
    ["what must not be", { not: { type: "string" } }, "a"],
  ])("refuses %s", (_name, schema, value) => {
    expect(faults(value, schema)).not.toEqual([]);
  });

  it.each<[JsonSchema, unknown, string]>([
    [{ type: "string", format: "date-time" }, 5, 'date-time: "int64"'],
    [{ type: "string", format: "date-time" }, 1.5, 'date-time: "double"'],
    [{ type: "string", format: "byte" }, {}, 'byte: ""'],
    [{ type: "string", format: "byte" }, null, 'string: "null"'],
    [{ type: "string", format: "mine" }, 5, 'string: "integer"'],
    [{ type: "integer", format: "int32" }, true, 'integer: "boolean"'],
  ])("says of %j what %j is", (schema, value, text) => {
    expect(faults(value, schema)[0]?.message).toContain(`spec in body must be of type ${text}`);
  });

  it("takes no time over a pattern that backtracking would hang on", () => {
    expect(faults(`${"a".repeat(50_000)}!`, { type: "string", pattern: "^(a+)+$" })).toHaveLength(1);
  });

  it("tells of a bounded number of faults", () => {
    expect(
      faults(
        Array.from({ length: 5000 }, () => 1),
        { type: "array", items: { type: "string" } },
      ).length,
    ).toBe(100);
  });
});
