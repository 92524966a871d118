/** What defaults may say of the metadata of objects inside of custom objects. */
import { describe, expect, it } from "vitest";
import { applyCustomDefaults } from "./embedded.ts";
import type { JsonSchema } from "./json-schema.ts";

const embedded = (more: Partial<JsonSchema>): JsonSchema => ({
  type: "object",
  properties: { inner: { type: "object", "x-kubernetes-embedded-resource": true, ...more } },
});
const given = { apiVersion: "v1", kind: "Pod", metadata: { name: "a", unheard: "of" } };

describe("a default", () => {
  it.each<[string, JsonSchema, object]>([
    ["of the object", embedded({ default: given }), {}],
    [
      "of its metadata",
      embedded({ properties: { metadata: { type: "object", default: given.metadata } } }),
      { inner: {} },
    ],
    [
      "of a field of its metadata",
      embedded({
        properties: {
          metadata: {
            type: "object",
            properties: { name: { type: "string", default: "a" }, unheard: { type: "string", default: "of" } },
          },
        },
      }),
      { inner: { metadata: {} } },
    ],
  ])("%s adds no unknown field to metadata", (_, schema, object) => {
    applyCustomDefaults(object, schema);
    expect(object).toMatchObject({ inner: { metadata: { name: "a" } } });
    expect((object as { inner: { metadata: object } }).inner.metadata).not.toHaveProperty("unheard");
  });
});

it("metadata that was stored before it was any keeps what can be read", () => {
  const object = { inner: { metadata: { name: "a", labels: { x: "y" }, annotations: { x: 1 }, other: 2 } } };
  applyCustomDefaults(object, embedded({}), { mayDrop: true });
  expect(object.inner.metadata).toEqual({ name: "a", labels: { x: "y" } });
  const text = { inner: { metadata: "text" } };
  applyCustomDefaults(text, embedded({}), { mayDrop: true });
  expect(text.inner.metadata).toEqual({});
});
