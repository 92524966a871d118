/**
 * The schemas of custom kinds and their lists as documents show them: with the fields that every object has, and for
 * version 2 without what that cannot say. Upstream: apiextensions-apiserver/pkg/controller/openapi/builder.
 */
import type { Catalogue, ServedResource } from "#apiserver/catalogue.ts";
import type { JsonSchema } from "#api/apiextensions/json-schema.ts";
import { typeOf } from "./kinds.ts";
import { metaType } from "./operation.ts";
import { type Schema, type SpecVersion, refOf } from "./schema.ts";
import { collectSchemas } from "./type-schemas.ts";

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
  const source = custom!.schemaOf(version);
  const gvk = { "x-kubernetes-group-version-kind": [{ group, kind, version }] };
  // With any property named, readers of version 2 would refuse what is preserved.
  if (source === undefined || (spec === 2 && source["x-kubernetes-preserve-unknown-fields"] === true))
    return { type: "object", ...gvk };
  const own = publishedForm(spec === 2 ? versionTwoForm(source) : source, spec);
  return {
    ...own,
    properties: {
      ...own.properties,
      apiVersion: { description: words.apiVersion, type: "string" },
      kind: { description: words.kind, type: "string" },
      metadata: reference(words.metadata, objectMeta, spec),
    },
    ...gvk,
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
function publishedForm(schema: JsonSchema, spec: SpecVersion): JsonSchema & Schema {
  const form = overFields(schema, (one) => publishedForm(one, spec));
  const isEither = schema["x-kubernetes-int-or-string"] === true && schema.type === undefined;
  const isUnsaid = spec === 2 && schema["x-kubernetes-preserve-unknown-fields"] === true;
  return {
    ...form,
    ...(spec === 3 && isEither && form.anyOf === undefined && form.allOf === undefined
      ? { anyOf: [{ type: "integer" }, { type: "string" }] }
      : {}),
    ...(schema["x-kubernetes-embedded-resource"] === true && !isUnsaid ? embedded(form, spec) : {}),
  } as JsonSchema & Schema;
}

function embedded({ properties, required = [] }: JsonSchema, spec: SpecVersion): Schema {
  return {
    properties: {
      ...properties,
      apiVersion: { description: embeddedWords.apiVersion, type: "string" },
      kind: { description: embeddedWords.kind, type: "string" },
      metadata: reference(words.metadata, objectMeta, spec),
    },
    required: [...required, ...["kind", "apiVersion"].filter((name) => !required.includes(name))],
  };
}

/** The schema with each schema in it changed. */
function overFields(schema: JsonSchema, change: (one: JsonSchema) => JsonSchema): JsonSchema {
  const { properties, items, additionalProperties } = schema;
  return {
    ...schema,
    ...(properties === undefined
      ? {}
      : { properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, change(one)])) }),
    ...(items === undefined ? {} : { items: change(items) }),
    ...(typeof additionalProperties === "object" ? { additionalProperties: change(additionalProperties) } : {}),
  };
}

/**
 * What version 2 has no words for is left out, and with it what kubectl reads wrongly without it.
 * Upstream: apiextensions-apiserver/pkg/controller/openapi/v2/conversion.go.
 */
function versionTwoForm(schema: JsonSchema): JsonSchema {
  const { nullable } = schema;
  const isPreserving = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const kept: JsonSchema = { ...schema };
  for (const name of ["allOf", "anyOf", "oneOf", "not", "nullable"] as const) delete kept[name];
  if (nullable === true || isPreserving) {
    delete kept.items;
    delete kept.properties;
  }
  const isList = kept.type === "array" && kept.items === undefined;
  if (nullable === true || isList || (isPreserving && kept.type === "object")) delete kept.type;
  const required = (kept.required ?? []).filter((name) => kept.properties?.[name]?.nullable !== true);
  const { additionalProperties: rest } = kept;
  if (required.length === 0 || (typeof rest === "object" && rest.nullable === true)) delete kept.required;
  else kept.required = required;
  return overFields(kept, versionTwoForm);
}
