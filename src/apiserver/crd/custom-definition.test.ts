/** Columns of custom kinds, and what clients of an old version are told. */
import { describe, expect, it } from "vitest";
import type { V1CustomResourceDefinition } from "#api/generated/types.ts";
import { columnsOf, customDefinition, deprecationOf } from "./custom-definition.ts";

const now = Date.parse("2026-01-01T00:00:00Z");

describe("a column", () => {
  it.each<[string, unknown, unknown]>([
    ["string", "x", "x"],
    ["string", 5, "5"],
    ["string", 0.00001, "1e-05"],
    ["string", 1.25, "1.25"],
    ["string", true, "true"],
    ["string", { b: 1, a: "<" }, '{"a":"\\u003c","b":1}'],
    ["string", ["q"], '["q"]'],
    ["string", null, "<no value>"],
    ["string", undefined, null],
    ["integer", 3.9, 3],
    ["integer", "3", null],
    ["number", 1.5, 1.5],
    ["boolean", "true", null],
    ["boolean", false, false],
    ["date", "2025-12-31T23:59:00Z", "60s"],
    ["date", "2026-02-01T00:00:00Z", "<invalid>"],
    ["date", "yesterday", "<invalid>"],
    ["date", "", "<unknown>"],
    ["date", 5, null],
  ])("of type %s prints %j as %j", (type, value, cell) => {
    const [, column] = columnsOf({
      name: "v1",
      served: true,
      storage: true,
      additionalPrinterColumns: [{ name: "C", type, jsonPath: ".spec.c" }],
    });
    const object = { metadata: { name: "a" }, spec: value === undefined ? {} : { c: value } };
    expect(column!.value(object as never, now)).toBe(cell);
  });
});

it("columns end before the first whose path is none", () => {
  const additionalPrinterColumns = [".spec.a", ".spec.b[", ".spec.c"].map((jsonPath) => ({
    name: jsonPath,
    type: "string",
    jsonPath,
  }));
  const columns = columnsOf({ name: "v1", served: true, storage: true, additionalPrinterColumns });
  expect(columns.map(({ name }) => name)).toEqual(["Name", ".spec.a"]);
});

describe("a deprecated version", () => {
  const definition = (...names: string[]): V1CustomResourceDefinition => ({
    metadata: { name: "widgets.x.io" },
    spec: {
      group: "x.io",
      scope: "Cluster",
      names: { plural: "widgets", kind: "Widget" },
      versions: names.map((name) => ({ name, served: true, storage: name === "v1" })),
    },
  });
  it.each([
    [["v1", "v1beta1"], "x.io/v1beta1 Widget is deprecated; use x.io/v1 Widget"],
    [["v1beta1", "v1beta2", "v2", "v10"], "x.io/v1beta1 Widget is deprecated; use x.io/v10 Widget"],
    [["v1beta1", "v1alpha1", "foo"], "x.io/v1beta1 Widget is deprecated"],
  ])("among %j tells of the newest that is better", (names, text) => {
    const version = { name: "v1beta1", served: true, storage: false, deprecated: true };
    expect(deprecationOf(definition(...names), version)).toBe(text);
    expect(deprecationOf(definition(...names), { ...version, deprecationWarning: "old" })).toBe("old");
    expect(deprecationOf(definition(...names), { ...version, deprecated: false })).toBeUndefined();
  });
});

it("what admission adds and the schema does not know is not kept", () => {
  const openAPIV3Schema = {
    type: "object",
    properties: { data: { type: "object", properties: { a: { type: "string" } } } },
  };
  const version = { name: "v1", served: true, storage: true, schema: { openAPIV3Schema } };
  const names = { kind: "Foo", plural: "foos" };
  const spec = { group: "g.example.com", scope: "Namespaced", names, versions: [version] };
  const crd: V1CustomResourceDefinition = { metadata: { name: "foos.g.example.com" }, spec };
  const definition = customDefinition(crd, version);
  const changed = () => ({ metadata: { name: "x" }, data: { a: "1", b: "2" } });
  const [made, updated] = [changed(), changed()];
  definition.prepareCreate!(made, {} as never);
  definition.prepareUpdate!(updated, { metadata: { name: "x" } }, {} as never);
  expect([made.data, updated.data]).toEqual([{ a: "1" }, { a: "1" }]);
});
