/** A custom kind's own schema as a document shows it: with the fields that every object has, and for version 2 without what that cannot say. */
import type { ServedResource } from "#apiserver/catalogue.ts";
import type { JsonSchema } from "#api/apiextensions/json-schema.ts";
import type { Schema } from "./type-schemas.ts";

const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const words = {
  apiVersion:
    "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources",
  kind: "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
  metadata:
    "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
};

export function structuralSchema({ custom, group, version, kind }: ServedResource, spec: 2 | 3): Schema {
  const source = custom!.schemaOf(version) ?? { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const own = (spec === 2 ? versionTwoForm(source) : source) as JsonSchema & Schema;
  const metadata =
    spec === 2
      ? { description: words.metadata, $ref: `#/definitions/${objectMeta}` }
      : { description: words.metadata, allOf: [{ $ref: `#/components/schemas/${objectMeta}` }] };
  return {
    ...own,
    properties: {
      ...own.properties,
      apiVersion: { description: words.apiVersion, type: "string" },
      kind: { description: words.kind, type: "string" },
      metadata,
    },
    "x-kubernetes-group-version-kind": [{ group, kind, version }],
  };
}

const unsaid = new Set(["nullable", "anyOf", "oneOf", "not", "default"]);

/** Upstream: openapi/v2/conversion.go: what version 2 has no words for is left out, and then the fields below it too. */
function versionTwoForm(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(versionTwoForm);
  if (value === null || typeof value !== "object") return value;
  const schema = value as JsonSchema & Schema;
  const { nullable } = schema;
  const entries = Object.entries(schema).filter(
    ([name]) =>
      !unsaid.has(name) && !(nullable === true && (name === "type" || name === "items" || name === "properties")),
  );
  return Object.fromEntries(
    entries.map(([name, inner]) => [
      name,
      name === "properties"
        ? Object.fromEntries(
            Object.entries(inner as Record<string, unknown>).map(([field, one]) => [field, versionTwoForm(one)]),
          )
        : name === "items" || name === "additionalProperties" || name === "allOf"
          ? versionTwoForm(inner)
          : inner,
    ]),
  );
}
