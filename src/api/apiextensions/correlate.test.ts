/** What an update leaves as it was. */
import { expect, test } from "vitest";
import { correlatedItem, isUnchanged } from "./correlate.ts";
import type { JsonSchema } from "./json-schema.ts";

const keyed: JsonSchema = {
  type: "array",
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": ["name", "port"],
  items: {
    type: "object",
    properties: { name: { type: "string" }, port: { type: "integer", default: 80 }, text: { type: "string" } },
  },
};
const set: JsonSchema = { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } };
const a = { name: "a", port: 80, text: "x" };
const b = { name: "b", port: 80, text: "y" };

test.each<[boolean, string, unknown, unknown, JsonSchema]>([
  [true, "the same", [a, b], [a, b], keyed],
  [true, "another order of items with keys", [b, a], [a, b], keyed],
  [true, "another order below", { l: [b, a] }, { l: [a, b] }, { type: "object", properties: { l: keyed } }],
  [false, "another item", [b, { ...a, text: "z" }], [a, b], keyed],
  [false, "fewer items", [a], [a, b], keyed],
  [false, "other keys", [a, { ...b, port: 81 }], [a, b], keyed],
  [false, "another order of a set", ["y", "x"], ["x", "y"], set],
])("unchanged %s: %s", (is, _name, value, old, schema) => {
  expect(isUnchanged(value, old, schema)).toBe(is);
});

test("of items with the same keys, defaults counted in, the first is the old one", () => {
  const old = [{ name: "a", text: "x" }, a, b];
  expect(correlatedItem({ name: "a", port: 80 }, keyed, old)).toBe(old[0]);
  expect(correlatedItem({ name: "c" }, keyed, old)).toBeUndefined();
});
