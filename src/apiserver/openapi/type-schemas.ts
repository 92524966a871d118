/** Types of the generated table as OpenAPI schemas, version 2 or 3. Upstream: k8s.io/kube-openapi/pkg/generators, builder3. */
import { readAsset } from "#lib/asset.ts";
import type { GroupVersionKind } from "./kinds.ts";
import { type Schema, type SpecVersion, refOf } from "./schema.ts";
import { specialSchemas, specialTypes } from "./special-schemas.ts";

interface FieldEntry {
  type: string;
  of?: string;
  ref?: string;
  required?: true;
  format?: string;
  description?: string;
  /** Values of an enumeration, sorted, with what is said of each; upstream says some twice. */
  enum?: readonly (readonly [value: string, text: string])[];
  listType?: string;
  mapType?: string;
  mapKeys?: readonly string[];
  mergeKey?: string;
  patchStrategy?: string;
  default?: unknown;
  go?: string;
}

export interface TypeEntry {
  description?: string;
  facts?: { mapType?: string };
  unions?: readonly unknown[];
  /** In the order of the Go struct. */
  fields: Record<string, FieldEntry>;
}

let types: Record<string, TypeEntry> | undefined;

export function typeTable(): Record<string, TypeEntry> {
  return (types ??= (
    JSON.parse(readAsset("api/generated/schema.json").toString("utf8")) as { types: Record<string, TypeEntry> }
  ).types);
}

/** The schema of a type, and the names of the types that it refers to. */
export function schemaOfType(name: string, version: SpecVersion, refs: Set<string>): Schema | undefined {
  const known = specialSchemas[name];
  if (known !== undefined) return known(version);
  const entry = typeTable()[name];
  if (entry === undefined) return undefined;
  const required = Object.entries(entry.fields).flatMap(([field, facts]) => (facts.required === true ? [field] : []));
  const properties = Object.fromEntries(
    Object.keys(entry.fields)
      .sort()
      .map((field) => [field, fieldSchema(entry.fields[field]!, version, refs)]),
  );
  return {
    ...(entry.description === undefined ? {} : { description: entry.description }),
    type: "object",
    ...(required.length === 0 ? {} : { required }),
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
    ...(entry.facts?.mapType === undefined ? {} : { "x-kubernetes-map-type": entry.facts.mapType }),
    ...(entry.unions === undefined ? {} : { "x-kubernetes-unions": entry.unions }),
  };
}

function fieldSchema(field: FieldEntry, version: SpecVersion, refs: Set<string>): Schema {
  const { listType, mapType, mapKeys, mergeKey, patchStrategy } = field;
  const extensions = {
    ...(mapKeys === undefined ? {} : { "x-kubernetes-list-map-keys": mapKeys }),
    ...(listType === undefined ? {} : { "x-kubernetes-list-type": listType }),
    ...(mapType === undefined ? {} : { "x-kubernetes-map-type": mapType }),
    ...(mergeKey === undefined ? {} : { "x-kubernetes-patch-merge-key": mergeKey }),
    ...(patchStrategy === undefined ? {} : { "x-kubernetes-patch-strategy": patchStrategy }),
  };
  const shape = valueSchema(field, version, refs);
  const description = describe(field);
  const words = description === undefined ? {} : { description };
  const preset = version === 3 ? defaultOf(field) : {};
  if (version === 3 && shape["$ref"] !== undefined) return { ...words, ...preset, allOf: [shape], ...extensions };
  return { ...words, ...shape, ...preset, ...extensions };
}

/** What the field is, and for a single value of an enumeration what values there are. */
function describe({ type, description, enum: values }: FieldEntry): string | undefined {
  if (values === undefined || type !== "string") return description;
  const lines = values.map(([value, text]) => ` - \`${JSON.stringify(value)}\` ${text}`.trimEnd());
  return `${description ?? ""}\n\nPossible enum values:\n${lines.join("\n")}`;
}

/** Version 3 says what an absent value reads as: upstream takes it from the Go type. */
function defaultOf(field: FieldEntry): Schema {
  if (field.default !== undefined) return { default: field.default };
  const go = field.go ?? "?";
  if (go.startsWith("*")) return {};
  if (field.type === "object") return { default: {} };
  if (/[?!]/.test(go)) return {};
  if (field.type === "string") return { default: "" };
  if (field.type === "integer" || field.type === "number") return { default: 0 };
  return field.type === "boolean" ? { default: false } : {};
}

function valueSchema(field: FieldEntry, version: SpecVersion, refs: Set<string>): Schema {
  if (field.type === "array") return { type: "array", items: elementSchema(field, version, refs) };
  if (field.type === "map") return { type: "object", additionalProperties: elementSchema(field, version, refs) };
  return { ...scalarSchema(field, field.type, version, refs), ...enumOf(field) };
}

const enumOf = ({ enum: values }: FieldEntry): Schema =>
  values === undefined ? {} : { enum: values.map(([value]) => value) };

/** Elements are there or not: they have no default. */
function elementSchema(field: FieldEntry, version: SpecVersion, refs: Set<string>): Schema {
  const { of = "any" } = field;
  if (of === "strings") return { type: "array", items: { type: "string" } };
  return { ...scalarSchema(field, of, version, refs), ...enumOf(field) };
}

/** Types of their own, by the generated table's name for them. */
const namedTypes: Readonly<Record<string, string>> = {
  quantity: specialTypes.quantity,
  time: specialTypes.time,
  microTime: specialTypes.microTime,
  intOrString: specialTypes.intOrString,
};
/** Types of their own, by the end of their Go name. */
const goTypes: Readonly<Record<string, string>> = {
  "v1.FieldsV1": specialTypes.fieldsV1,
  "v1.JSON": specialTypes.json,
  "v1.JSONSchemaPropsOrArray": specialTypes.schemaOrArray,
  "v1.JSONSchemaPropsOrBool": specialTypes.schemaOrBool,
  "v1.JSONSchemaDependencies": specialTypes.schemaOrStrings,
  "runtime.RawExtension": specialTypes.rawExtension,
};

function scalarSchema(field: FieldEntry, type: string, version: SpecVersion, refs: Set<string>): Schema {
  const { ref, format, go = "" } = field;
  const named =
    namedTypes[type] ?? goTypes[go.replace(/^(?:\*|\[\])|[?!]+$/g, "")] ?? (type === "object" ? ref : undefined);
  if (named !== undefined) {
    refs.add(named);
    return { $ref: refOf(named, version) };
  }
  switch (type) {
    case "object":
      return { type };
    case "raw":
      return { type: "object" };
    case "bytes":
      return { type: "string", format: "byte" };
    case "integer":
      return { type, format: format ?? "int32" };
    case "number":
      return { type, format: format ?? "double" };
    case "boolean":
    case "string":
      return { type, ...(format === undefined ? {} : { format }) };
    default:
      return {};
  }
}

/** Every schema that `roots` need, with group, version and kind where a type is a kind that is known. */
export function collectSchemas(
  roots: Iterable<string>,
  version: SpecVersion,
  kinds: ReadonlyMap<string, readonly GroupVersionKind[]>,
): Record<string, Schema> {
  const found: Record<string, Schema> = {};
  const waiting = new Set(roots);
  for (const name of waiting) {
    const schema = schemaOfType(name, version, waiting);
    if (schema === undefined) continue;
    const own = kinds.get(name);
    found[name] = own === undefined ? schema : { ...schema, "x-kubernetes-group-version-kind": own };
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}
