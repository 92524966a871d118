/** Defaults that a definition may have. */
import { describe, expect, it } from "vitest";
import type { V1CustomResourceDefinitionVersion } from "#api/generated/types.ts";
import { fieldErrorText } from "#api/validation/field-errors.ts";
import { defaultErrors } from "./default-rules.ts";
import type { JsonSchema } from "./json-schema.ts";
import { versionFieldsErrors } from "./version-rules.ts";

const inSpec = (schema: JsonSchema): JsonSchema => ({ type: "object", properties: { spec: schema } });
const embedded = (metadata: JsonSchema): JsonSchema => ({
  type: "object",
  "x-kubernetes-embedded-resource": true,
  "x-kubernetes-preserve-unknown-fields": true,
  properties: { apiVersion: { type: "string" }, kind: { type: "string" }, metadata },
});
const texts = (schema: JsonSchema) =>
  defaultErrors(schema, "s").map((error) => fieldErrorText(error).replaceAll("s.properties[spec]", "$"));

describe("a default", () => {
  it.each<[string, JsonSchema, string[]]>([
    ["fits its own schema", { type: "string", default: "a", maxLength: 1 }, []],
    [
      "has no fields that go, and no other faults",
      { type: "object", properties: { a: { type: "string" } }, default: { a: 1, b: 2 } },
      [
        '$.default: Invalid value: {"a":1,"b":2}: must not have unknown fields',
        '$.default.a: Invalid value: "integer": a in body must be of type string: "integer"',
      ],
    ],
    [
      "keeps the rules about it",
      { type: "integer", default: 1, "x-kubernetes-validations": [{ rule: "self > 1" }] },
      ["$.default: Invalid value: 1: failed rule: self > 1"],
    ],
    [
      "keeps the rules about changes, as one from itself",
      { type: "integer", default: 1, "x-kubernetes-validations": [{ rule: "self > oldSelf" }] },
      ["$.default: Invalid value: 1: failed rule: self > oldSelf"],
    ],
    [
      "is not looked at in what a map holds",
      { type: "object", additionalProperties: { type: "string", default: 1 } },
      [],
    ],
    [
      "of an embedded object says what it is",
      { ...embedded({ type: "object" }), default: { kind: "A" } },
      ["$.default.apiVersion: Required value"],
    ],
    [
      "of metadata makes an object of it that may be",
      embedded({ type: "object", properties: { name: { type: "string", default: "a/b" } } }),
      [
        '$.properties[metadata].properties[name].default: Invalid value: "a/b": must result in valid metadata: metadata.name: Invalid value: "a/b": may not contain \'/\'',
      ],
    ],
  ])("%s", (_claim, schema, errors) => {
    expect(texts(inSpec(schema))).toEqual(errors);
  });
});

describe("a schema that none can be made of", () => {
  const told = (schema: object) => {
    const version = { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } };
    return versionFieldsErrors([version as V1CustomResourceDefinitionVersion]).map((error) =>
      fieldErrorText(error).replace("spec.validation.openAPIV3Schema", "s"),
    );
  };

  it.each<[string, object, string[]]>([
    [
      "is refused by name",
      { dependencies: { a: ["b"] } },
      ["s.dependencies: Forbidden: dependencies is not supported"],
    ],
    [
      "has no other faults of its structure told",
      { type: "object", properties: { a: {}, b: { type: "string", id: "x" } } },
      ["s.properties[b].id: Forbidden: id is not supported"],
    ],
    [
      "is refused as a whole where nothing else is wrong",
      { type: "object", $schema: "http://json-schema.org/schema#" },
      ["s: Invalid value: \"\": OpenAPIV3Schema 'schema' is not supported"],
    ],
    [
      "preserves what is unknown, or says nothing of it",
      { type: "object", "x-kubernetes-preserve-unknown-fields": false },
      ["s.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined"],
    ],
  ])("%s", (_claim, schema, errors) => {
    expect(told(schema)).toEqual(errors);
  });
});
