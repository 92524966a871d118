/** Types of the generated table as OpenAPI schemas, version 2 or 3. Upstream: k8s.io/kube-openapi/pkg/builder, builder3. */
import { readAsset } from "#lib/asset.ts";
import type { Catalogue } from "#apiserver/catalogue.ts";

export type Schema = Record<string, unknown>;
export type SpecVersion = 2 | 3;

interface FieldEntry {
  type: string;
  of?: string;
  ref?: string;
  required?: true;
  format?: string;
  description?: string;
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
  fields: Record<string, FieldEntry>;
}

const intOrString = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
const quantity = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const time = "io.k8s.apimachinery.pkg.apis.meta.v1.Time";
const microTime = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime";
const rawExtension = "io.k8s.apimachinery.pkg.runtime.RawExtension";

let types: Record<string, TypeEntry> | undefined;

export function typeTable(): Record<string, TypeEntry> {
  return (types ??= (
    JSON.parse(readAsset("api/generated/schema.json").toString("utf8")) as { types: Record<string, TypeEntry> }
  ).types);
}

/** Types that have a schema of their own though Go gives them a JSON form of its own. */
const special: Readonly<Record<string, (version: SpecVersion) => Schema>> = {
  [intOrString]: (version) => ({
    description:
      "IntOrString is a type that can hold an int32 or a string. When used in JSON or YAML marshalling and unmarshalling, it produces or consumes the inner type. This allows you to have, for example, a JSON field that can accept a name or number.",
    ...(version === 2
      ? { type: "string", format: "int-or-string" }
      : { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] }),
  }),
  [quantity]: (version) => ({
    description:
      "Quantity is a fixed-point representation of a number. It provides convenient marshaling/unmarshaling in JSON and YAML, in addition to String() and AsInt64() accessors.",
    ...(version === 2 ? { type: "string" } : { oneOf: [{ type: "string" }, { type: "number" }] }),
  }),
  [time]: () => ({
    description:
      "Time is a wrapper around time.Time which supports correct marshaling to YAML and JSON. Wrappers are provided for many of the factory methods that the time package offers.",
    type: "string",
    format: "date-time",
  }),
  [microTime]: () => ({
    description: "MicroTime is version of Time with microsecond level precision.",
    type: "string",
    format: "date-time",
  }),
  [rawExtension]: () => ({
    description: "RawExtension is used to hold extensions in external versions.",
    type: "object",
  }),
};

const refOf = (name: string, version: SpecVersion): string =>
  version === 2 ? `#/definitions/${name}` : `#/components/schemas/${name}`;

/** The schema of a type, and the names of the types that it refers to. */
export function schemaOfType(name: string, version: SpecVersion, refs: Set<string>): Schema | undefined {
  const known = special[name];
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
    ...(required.length === 0 ? {} : { required: required.sort() }),
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
    ...(entry.facts?.mapType === undefined ? {} : { "x-kubernetes-map-type": entry.facts.mapType }),
  };
}

function fieldSchema(field: FieldEntry, version: SpecVersion, refs: Set<string>): Schema {
  const { description, listType, mapType, mapKeys, mergeKey, patchStrategy } = field;
  const extensions = {
    ...(mapKeys === undefined ? {} : { "x-kubernetes-list-map-keys": mapKeys }),
    ...(listType === undefined ? {} : { "x-kubernetes-list-type": listType }),
    ...(mapType === undefined ? {} : { "x-kubernetes-map-type": mapType }),
    ...(mergeKey === undefined ? {} : { "x-kubernetes-patch-merge-key": mergeKey }),
    ...(patchStrategy === undefined ? {} : { "x-kubernetes-patch-strategy": patchStrategy }),
  };
  const shape = valueSchema(field, version, refs);
  const words = description === undefined ? {} : { description };
  const preset = version === 3 ? defaultOf(field) : {};
  if (version === 3 && shape["$ref"] !== undefined) return { ...words, ...preset, allOf: [shape], ...extensions };
  return { ...words, ...shape, ...preset, ...extensions };
}

/** Version 3 says what an absent value reads as: upstream takes it from the Go type. */
function defaultOf(field: FieldEntry): Schema {
  if (field.default !== undefined) return { default: field.default };
  const go = field.go ?? "?";
  if (go.startsWith("*")) return {};
  if (field.type === "object") return { default: {} };
  if (go.includes("?")) return {};
  if (field.type === "string") return { default: "" };
  if (field.type === "integer" || field.type === "number") return { default: 0 };
  return field.type === "boolean" ? { default: false } : {};
}

function valueSchema(field: FieldEntry, version: SpecVersion, refs: Set<string>): Schema {
  if (field.type === "array") {
    const items =
      field.of === "strings" ? { type: "array", items: { type: "string" } } : elementSchema(field, version, refs);
    return { type: "array", items };
  }
  if (field.type === "map") {
    const of =
      field.of === "strings" ? { type: "array", items: { type: "string" } } : elementSchema(field, version, refs);
    return { type: "object", additionalProperties: of };
  }
  return scalarSchema(field.type, field.ref, field.format, version, refs);
}

function elementSchema({ of = "any", ref, format }: FieldEntry, version: SpecVersion, refs: Set<string>): Schema {
  const shape = scalarSchema(of, ref, format, version, refs);
  if (version === 2) return shape;
  if (shape["$ref"] !== undefined) return { default: {}, allOf: [shape] };
  return shape["type"] === "string" && format === undefined && of === "string" ? { ...shape, default: "" } : shape;
}

function scalarSchema(
  type: string,
  ref: string | undefined,
  format: string | undefined,
  version: SpecVersion,
  refs: Set<string>,
): Schema {
  const to = (name: string): Schema => {
    refs.add(name);
    return { $ref: refOf(name, version) };
  };
  switch (type) {
    case "object":
      return ref === undefined ? { type: "object" } : to(ref);
    case "quantity":
      return to(quantity);
    case "time":
      return to(time);
    case "microTime":
      return to(microTime);
    case "intOrString":
      return to(intOrString);
    case "raw":
      return to(rawExtension);
    case "bytes":
      return { type: "string", format: "byte" };
    case "integer":
      return { type: "integer", format: format ?? "int32" };
    case "number":
      return { type: "number", format: format ?? "double" };
    case "boolean":
    case "string":
      return { type, ...(format === undefined ? {} : { format }) };
    default:
      return ref === undefined ? {} : to(ref);
  }
}

/** Every schema that `roots` need, with group, version and kind where a type is a kind that is served. */
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

export interface GroupVersionKind {
  group: string;
  kind: string;
  version: string;
}

/** Which kinds each type is. Types of meta/v1 that every group knows list them all. */
export function kindsByType(catalogue: Catalogue): Map<string, GroupVersionKind[]> {
  const kinds = new Map<string, GroupVersionKind[]>();
  const add = (type: string, kind: GroupVersionKind) => kinds.set(type, [...(kinds.get(type) ?? []), kind]);
  const versions = new Map<string, { group: string; version: string }>();
  for (const { schema, group, version, kind, custom } of catalogue.all()) {
    if (custom !== undefined) continue;
    add(schema, { group, kind, version });
    add(`${schema}List`, { group, kind: `${kind}List`, version });
    versions.set(`${group}/${version}`, { group, version });
  }
  for (const { group, version } of [...versions.values()].sort((a, b) =>
    `${a.group}/${a.version}` < `${b.group}/${b.version}` ? -1 : 1,
  ))
    for (const kind of ["DeleteOptions", "WatchEvent"])
      add(`io.k8s.apimachinery.pkg.apis.meta.v1.${kind}`, { group, kind, version });
  add("io.k8s.apimachinery.pkg.apis.meta.v1.Status", { group: "", kind: "Status", version: "v1" });
  return kinds;
}
