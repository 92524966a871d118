/**
 * The schemas of custom kinds and their lists as documents show them: with the fields that every object has, and for
 * version 2 without what that cannot say. Upstream: apiextensions-apiserver/pkg/controller/openapi/builder.
 */
import type { Catalogue, ServedResource } from "#apiserver/catalogue.ts";
import type { JsonSchema } from "#api/apiextensions/json-schema.ts";
import { typeOf } from "./kinds.ts";
import { metaType } from "./operation.ts";
import { collectSchemas, refOf, type Schema, type SpecVersion } from "./type-schemas.ts";

export const customInfo = { title: "Kubernetes CRD Swagger", version: "v0.1.0" };

const objectMeta = metaType("ObjectMeta");
const words = {
  apiVersion:
    "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources",
  kind: "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
  metadata:
    "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
  listMetadata:
    "Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
};

/** Both schemas of each custom kind of a group and version, with what they refer to. */
export function customSchemas(
  catalogue: Catalogue,
  group: string,
  version: string,
  spec: SpecVersion,
): Record<string, Schema> {
  const found: Record<string, Schema> = {};
  for (const resource of catalogue.custom()) {
    if (resource.group !== group || resource.version !== version) continue;
    const type = typeOf(resource);
    found[type] = structuralSchema(resource, spec);
    found[`${type}List`] = listSchema(resource, type, spec);
  }
  if (Object.keys(found).length === 0) return found;
  return { ...collectSchemas([metaType("ListMeta"), objectMeta], spec, new Map()), ...found };
}

function listSchema({ group, version, kind, plural, custom }: ServedResource, type: string, spec: SpecVersion): Schema {
  return {
    description: `${kind}List is a list of ${kind}`,
    type: "object",
    required: ["items"],
    properties: {
      apiVersion: { description: words.apiVersion, type: "string" },
      items: {
        description: `List of ${plural}. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md`,
        type: "array",
        items: { $ref: refOf(type, spec) },
      },
      kind: { description: words.kind, type: "string" },
      metadata: reference(words.listMetadata, metaType("ListMeta"), spec),
    },
    "x-kubernetes-group-version-kind": [{ group, kind: custom!.listKind, version }],
  };
}

function reference(description: string, type: string, spec: SpecVersion): Schema {
  const to = { $ref: refOf(type, spec) };
  return spec === 2 ? { description, ...to } : { description, allOf: [to] };
}

function structuralSchema({ custom, group, version, kind }: ServedResource, spec: SpecVersion): Schema {
  const selectable = custom!.selectableOf(version);
  const source = custom!.schemaOf(version) ?? { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const own = (spec === 2 ? versionTwoForm(source) : publishedForm(source)) as JsonSchema & Schema;
  const metadata = reference(words.metadata, objectMeta, spec);
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
  metadata: reference(words.metadata, objectMeta, 3),
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
