import { describe, expect, it } from "vitest";
import type { JsonSchema } from "./json-schema.ts";
import { applyDefaults, prune } from "./prune.ts";

const object = (properties: Record<string, JsonSchema>): JsonSchema => ({ type: "object", properties });
const text: JsonSchema = { type: "string" };

describe("prune", () => {
  it.each<[string, JsonSchema, unknown, unknown, string[]]>([
    ["an unknown field", object({ a: text }), { a: "x", b: 1 }, { a: "x" }, ["spec.b"]],
    ["one in a list", { type: "array", items: object({ a: text }) }, [{ a: "x", b: 1 }], [{ a: "x" }], ["spec[0].b"]],
    [
      "none where all are kept",
      { ...object({}), "x-kubernetes-preserve-unknown-fields": true },
      { b: 1 },
      { b: 1 },
      [],
    ],
    [
      "one in a known field of a place where all are kept",
      { ...object({ a: object({}) }), "x-kubernetes-preserve-unknown-fields": true },
      { a: { c: 1 }, b: 1 },
      { a: {}, b: 1 },
      ["spec.a.c"],
    ],
    ["one in a map", { type: "object", additionalProperties: object({}) }, { k: { b: 1 } }, { k: {} }, ["spec.k.b"]],
    [
      "all fields of objects in a map of anything",
      { type: "object", additionalProperties: true },
      { a: 1, b: { c: 1 }, d: [{ e: 1 }, 2] },
      { a: 1, b: {}, d: [{}, 2] },
      ["spec.b.c", "spec.d[0].e"],
    ],
    [
      "a field named like a method",
      object({}),
      JSON.parse('{"__proto__":1,"toString":2}'),
      {},
      ["spec.__proto__", "spec.toString"],
    ],
  ])("takes %s", (_name, schema, value, left, gone) => {
    const whole = { kind: "K", apiVersion: "v", metadata: { name: "a" }, spec: value };
    expect(prune(whole, object({ spec: schema }))).toEqual(gone);
    expect(whole).toEqual({ kind: "K", apiVersion: "v", metadata: { name: "a" }, spec: left });
  });
});

describe("applyDefaults", () => {
  const schema = object({
    a: { ...text, default: "x" },
    b: { ...object({ c: { type: "integer", default: 3 } }), default: {} },
    d: { ...text, nullable: true, default: "y" },
    e: { type: "array", items: object({ f: { type: "boolean", default: true } }) },
    g: { type: "array", items: { ...text, default: "z" } },
  });
  it.each([
    ["all", {}, { a: "x", b: { c: 3 }, d: "y" }],
    ["a null that may not be", { a: null }, { a: "x", b: { c: 3 }, d: "y" }],
    ["no null that may be", { d: null }, { a: "x", b: { c: 3 }, d: null }],
    ["items", { e: [{}, { f: false }] }, { a: "x", b: { c: 3 }, d: "y", e: [{ f: true }, { f: false }] }],
    ["items for nulls that may not be", { g: [null, "w"] }, { a: "x", b: { c: 3 }, d: "y", g: ["z", "w"] }],
    ["nothing that is there", { a: "", b: { c: 0 } }, { a: "", b: { c: 0 }, d: "y" }],
  ])("gives %s", (_name, value: Record<string, unknown>, expected) => {
    applyDefaults(value, schema);
    expect(value).toEqual(expected);
  });

  it.each<[string, JsonSchema]>([
    ["typed", object({ n: text })],
    ["of any type", object({ n: { "x-kubernetes-preserve-unknown-fields": true } })],
    ["an integer or a text", object({ n: { "x-kubernetes-int-or-string": true } })],
    ["a map's", { type: "object", additionalProperties: text }],
  ])("takes a null away where it may not be and nothing is given instead: %s", (_name, one) => {
    const value = { n: null };
    applyDefaults(value, one);
    expect(value).toEqual({});
  });

  it("leaves nulls where nothing is said of them", () => {
    const value = { m: { n: null }, l: [null], o: { n: null } };
    applyDefaults(
      value,
      object({
        m: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        l: { type: "array", items: text },
        o: { type: "object", additionalProperties: { ...text, nullable: true } },
      }),
    );
    expect(value).toEqual({ m: { n: null }, l: [null], o: { n: null } });
  });

  it("gives each object a default of its own", () => {
    const first = {} as { b?: object };
    const second = {} as { b?: object };
    applyDefaults(first, schema);
    applyDefaults(second, schema);
    expect(first.b).not.toBe(second.b);
  });
});
