/** What is wrong with a custom object, whole and status. */
import { describe, expect, it } from "vitest";
import type { JsonSchema } from "#api/apiextensions/json-schema.ts";
import { fieldErrorText } from "#api/validation/field-errors.ts";
import { customErrors, customStatusErrors } from "./custom-rules.ts";

type Fields = Record<string, unknown>;
const object = (fields: Fields) => ({ apiVersion: "x.io/v1", kind: "A", metadata: { name: "a" }, ...fields });
const schema = (spec: JsonSchema): JsonSchema => ({ type: "object", properties: { spec } });
const texts = (fields: Fields, of: JsonSchema, old?: Fields) =>
  customErrors(object(fields), old && object(old), { schema: of, isNamespaced: true }).map(fieldErrorText);

describe("a custom object", () => {
  const scale = { specReplicas: ".spec.n", statusReplicas: ".status.n", labelSelector: ".status.selector" };
  const scaled = (fields: Fields) =>
    customErrors(object(fields), undefined, { schema: undefined, isNamespaced: true, scale }).map(fieldErrorText);

  it.each<[Fields, string[]]>([
    [{ spec: { n: 1 }, status: { n: 0, selector: "a=b" } }, []],
    [{}, []],
    [{ spec: { n: -1 } }, [".spec.n: Invalid value: -1: should be a non-negative integer"]],
    [{ spec: { n: 2 ** 31 } }, [".spec.n: Invalid value: 2147483648: should be less than or equal to 2147483647"]],
    [
      { spec: { n: "1" } },
      [".spec.n: Invalid value: 0: .spec.n accessor error: 1 is of the type string, expected int64"],
    ],
    [
      { spec: { n: 1.5 } },
      [".spec.n: Invalid value: 0: .spec.n accessor error: 1.5 is of the type float64, expected int64"],
    ],
    [
      { spec: [1] },
      [
        ".spec.n: Invalid value: 0: .spec.n accessor error: [1] is of the type []interface {}, expected map[string]interface{}",
      ],
    ],
    [
      { status: { n: 1, selector: { a: true } } },
      [
        '.status.selector: Invalid value: "": .status.selector accessor error: map[a:true] is of the type map[string]interface {}, expected string',
      ],
    ],
    [{ status: { selector: "no (selector" } }, []],
  ])("is scaled by whole numbers: %j", (fields, errors) => {
    expect(scaled(fields)).toEqual(errors);
  });

  it("has its status alone checked where that alone is written", () => {
    const errors = customStatusErrors(object({ spec: { n: -1 }, status: { n: -1 } }), undefined, {
      schema: undefined,
      isNamespaced: true,
      scale,
    });
    expect(errors.map(({ field }) => field)).toEqual([".status.n"]);
  });

  it.each<[string, JsonSchema, unknown, string]>([
    ["a value that is none of them", { type: "string", enum: ["a"] }, "b", "spec: Unsupported value"],
    ["a wrong type", { type: "string" }, 1, "spec: Invalid value"],
  ])("has no rules looked into beside %s", (_claim, spec, value, fault) => {
    const ruled = schema({ ...spec, "x-kubernetes-validations": [{ rule: "false" }] });
    const [first, second, ...rest] = texts({ spec: value }, ruled);
    expect([first?.slice(0, fault.length), rest]).toEqual([fault, []]);
    expect(second).toBe(
      "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
    );
  });

  it("has rules looked into beside other faults", () => {
    const ruled = schema({ type: "integer", minimum: 1, "x-kubernetes-validations": [{ rule: "false" }] });
    expect(texts({ spec: 0 }, ruled)).toEqual([
      "spec: Invalid value: 0: spec in body should be greater than or equal to 1",
      "spec: Invalid value: 0: failed rule: false",
    ]);
  });

  it("has what is twice in a set told once, if it was not there twice before", () => {
    const set = schema({ type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set" });
    expect(texts({ spec: ["a", "b", "a", "a"] }, set)).toEqual(['spec[2]: Duplicate value: "a"']);
    expect(texts({ spec: ["a", "a", "b"] }, set, { spec: ["a", "a"] })).toEqual([]);
  });

  it("has objects in its lists with keys", () => {
    const list = schema({ type: "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"] });
    expect(texts({ spec: [{ a: 1 }, "b"] }, list)).toEqual([
      'spec[1]: Invalid value: "b": must be an object for an array of list-type map',
    ]);
  });
});
