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
  const selectable = custom!.selectableOf(version);
  const source = custom!.schemaOf(version) ?? { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const own = (spec === 2 ? versionTwoForm(source) : publishedForm(source)) as JsonSchema & Schema;
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
    ...(selectable.length === 0
      ? {}
      : { "x-kubernetes-selectable-fields": selectable.map((path) => ({ fieldPath: path.replace(/^\./, "") })) }),
  };
}

const embeddedWords = {
  apiVersion:
    "apiVersion defines the versioned schema of this representation of an object. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources",
  kind: "kind is a string value representing the type of this object. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
};

/** Says in OpenAPI's own words what extensions say: integers or strings, and objects in objects. */
function publishedForm(schema: JsonSchema): JsonSchema & Schema {
  const { properties, items, additionalProperties, ...rest } = schema;
  const inner = Object.fromEntries(Object.entries(properties ?? {}).map(([name, one]) => [name, publishedForm(one)]));
  const isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  const isEither = schema["x-kubernetes-int-or-string"] === true && schema.type === undefined;
  return {
    ...rest,
    ...(isEither && rest.anyOf === undefined && rest.allOf === undefined
      ? { anyOf: [{ type: "integer" }, { type: "string" }] }
      : {}),
    ...(properties !== undefined || isEmbedded
      ? { properties: isEmbedded ? { ...inner, ...embeddedFields } : inner }
      : {}),
    ...(isEmbedded
      ? { required: ["kind", "apiVersion", ...(schema.required ?? []).filter((name) => !(name in embeddedFields))] }
      : {}),
    ...(items !== undefined ? { items: publishedForm(items) } : {}),
    ...(additionalProperties === undefined
      ? {}
      : {
          additionalProperties:
            typeof additionalProperties === "object" ? publishedForm(additionalProperties) : additionalProperties,
        }),
  } as JsonSchema & Schema;
}

const embeddedFields = {
  apiVersion: { description: embeddedWords.apiVersion, type: "string" },
  kind: { description: embeddedWords.kind, type: "string" },
  metadata: { description: words.metadata, allOf: [{ $ref: `#/components/schemas/${objectMeta}` }] },
};

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
