/** The schemas of built-in types, made from the generated table when first asked for. */
import { readAsset } from "#lib/asset.ts";
import { type Field, type Kind, type ListType, Schema, StructType } from "./model.ts";

interface FieldEntry {
  type: string;
  of?: string;
  ref?: string;
  required?: true;
  proto?: number;
  via?: number[];
  go?: string;
  listType?: ListType;
  mapType?: string;
  mapKeys?: string[];
  mergeKey?: string;
  patchStrategy?: string;
  default?: unknown;
}
interface TypeEntry {
  facts?: { mapType?: string };
  fields: Record<string, FieldEntry>;
}

let table: Record<string, TypeEntry> | undefined;
const structs = new Map<string, StructType>();

function entries(): Record<string, TypeEntry> {
  table ??= (JSON.parse(readAsset("api/generated/structure.json").toString()) as { types: Record<string, TypeEntry> })
    .types;
  return table;
}

export const isBuiltInType = (name: string): boolean => Object.hasOwn(entries(), name);
export const builtInTypeNames = (): string[] => Object.keys(entries());

/** "io.k8s.api.core.v1.Pod" → its struct. Throws for a name that the table does not have. */
export function builtInType(name: string): StructType {
  let struct = structs.get(name);
  if (struct === undefined) {
    struct = makeStruct(name);
    structs.set(name, struct);
  }
  return struct;
}

const packages: Readonly<Record<string, string>> = {
  "": "io.k8s.api.core",
  "apiextensions.k8s.io": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions",
  "apiregistration.k8s.io": "io.k8s.kube-aggregator.pkg.apis.apiregistration",
  "internal.apiserver.k8s.io": "io.k8s.api.apiserverinternal",
  "meta.k8s.io": "io.k8s.apimachinery.pkg.apis.meta",
};

/** The type of a kind of a group and version, if Kubernetes knows one: ("apps", "v1", "Deployment"). */
export function builtInTypeOf(group: string, version: string, kind: string): StructType | undefined {
  if (group === "" && version === "v1" && kind === "List") return coreList;
  if (group === "meta.k8s.io") {
    const partial = partialTypes.get(`${version}.${kind}`);
    if (partial !== undefined) return partial;
  }
  const name = `${packages[group] ?? `io.k8s.api.${group.split(".")[0]}`}.${version}.${kind}`;
  if (isBuiltInType(name)) return builtInType(name);
  const meta = `io.k8s.apimachinery.pkg.apis.meta.v1.${kind}`;
  return metaKinds.has(kind) && isBuiltInType(meta) ? builtInType(meta) : undefined;
}

/** v1.List: nothing is stored as one, but bodies may be one by mistake. */
const coreList = new StructType({ name: "io.k8s.api.core.v1.List", goName: "v1.List", fields: [] });

const metaPart = (name: string, number: number, schema: Schema): Field => ({
  name,
  index: number,
  schema,
  required: false,
  pointer: false,
  always: true,
  number,
  via: [],
  embedded: undefined,
  mergeKey: undefined,
  patchMerge: false,
  patchReplace: false,
  keyDefault: undefined,
});
const metaStruct = (name: string, fields: readonly Field[]) => new StructType({ name: `meta.k8s.io.${name}`, fields });
const metaType = (name: string) =>
  new Schema({ kind: "struct", struct: () => builtInType(`io.k8s.apimachinery.pkg.apis.meta.v1.${name}`) });

/** Metadata alone, in the versions that clients may ask for. The two differ in the numbers of a list's fields. */
const partial = metaStruct("PartialObjectMetadata", [metaPart("metadata", 1, metaType("ObjectMeta"))]);
const partialItems = new Schema({ kind: "list", of: new Schema({ kind: "struct", struct: partial }) });
const partialList = (metadata: number, items: number) =>
  metaStruct("PartialObjectMetadataList", [
    metaPart("metadata", metadata, metaType("ListMeta")),
    metaPart("items", items, partialItems),
  ]);
const partialTypes = new Map([
  ["v1.PartialObjectMetadata", partial],
  ["v1beta1.PartialObjectMetadata", partial],
  ["v1.PartialObjectMetadataList", partialList(1, 2)],
  ["v1beta1.PartialObjectMetadataList", partialList(2, 1)],
]);

/** Kinds of meta/v1 that every group and version knows. */
const metaKinds = new Set([
  "Status",
  "DeleteOptions",
  "WatchEvent",
  "APIVersions",
  "APIGroupList",
  "APIGroup",
  "APIResourceList",
]);

function makeStruct(name: string): StructType {
  const entry = entries()[name];
  if (entry === undefined) throw new Error(`no built-in type is called ${name}`);
  const parts = name.split(".");
  return new StructType({
    name,
    goName: `${parts.at(-2)}.${parts.at(-1)}`,
    atomic: entry.facts?.mapType === "atomic",
    fields: Object.entries(entry.fields).map(([field, facts], index) => makeField(field, facts, index, parts.at(-1)!)),
  });
}

const nonPointers = new Set(["object", "quantity", "time", "microTime", "intOrString", "raw"]);

/** What Go writes of a field that is always there, and what its OpenAPI has for its default. */
const zeroScalars: Readonly<Record<string, unknown>> = { string: "", integer: 0, number: 0, boolean: false };

/** Go's structs that others embed, by these and the way to them in protobuf: Go's errors name them. */
const embedded: Readonly<Record<string, string>> = {
  "Volume 2": "VolumeSource",
  "PersistentVolumeSpec 2": "PersistentVolumeSource",
  "Probe 1": "ProbeHandler",
  "EphemeralContainer 1": "EphemeralContainerCommon",
  "IngressRule 2": "IngressRuleValue",
  "RuleWithOperations 2": "Rule",
  "NamedRuleWithOperations 2": "RuleWithOperations",
  "NamedRuleWithOperations 2.2": "RuleWithOperations.Rule",
  "DeviceAllocationConfiguration 3": "DeviceConfiguration",
  "DeviceClaimConfiguration 2": "DeviceConfiguration",
  "DeviceClassConfiguration 1": "DeviceConfiguration",
};
/** The others that have one: ConfigMapKeySelector, SecretProjection, … */
const embeddedElsewhere = "LocalObjectReference";

function makeField(name: string, entry: FieldEntry, index: number, owner: string): Field {
  const go = entry.go ?? "?";
  const pointer = go.startsWith("*");
  const omitEmpty = go.includes("?");
  // omitempty leaves no Go struct out, however empty; omitzero does.
  const always = !omitEmpty || (!pointer && !go.includes("!") && entry.go !== undefined && nonPointers.has(entry.type));
  const strategies = entry.patchStrategy?.split(",") ?? [];
  return {
    name,
    index,
    schema: schemaOf(entry, go.replace(/[?!]+$/, "").replace(/^\*/, "")),
    required: entry.required === true,
    pointer,
    always,
    number: entry.proto ?? 0,
    via: entry.via ?? [],
    embedded: entry.via && (embedded[`${owner} ${entry.via.join(".")}`] ?? embeddedElsewhere),
    mergeKey: entry.mergeKey,
    patchMerge: strategies.includes("merge"),
    patchReplace: strategies.includes("replace"),
    keyDefault: entry.default ?? (omitEmpty || pointer ? undefined : zeroScalars[entry.type]),
  };
}

function schemaOf(entry: FieldEntry, goType: string): Schema {
  if (entry.type === "array") {
    const of = elementOf(entry, goType.replace(/^\[\]/, ""));
    return new Schema({ kind: "list", goType, of, listType: entry.listType ?? "atomic", keys: entry.mapKeys ?? [] });
  }
  if (entry.type === "map") {
    const of = elementOf(entry, mapElement(goType));
    return new Schema({ kind: "map", goType, of, atomic: entry.mapType === "atomic" });
  }
  return schemaOfType(entry.type, entry.ref, goType, entry.mapType);
}

function elementOf(entry: FieldEntry, goType: string): Schema {
  if (entry.of === "strings") {
    return new Schema({ kind: "list", goType, of: new Schema({ kind: "string", goType: "string" }) });
  }
  return schemaOfType(entry.of!, entry.ref, goType, undefined);
}

/** Named map types whose elements' type matters: to errors, and to what they may hold. */
const namedMaps: Readonly<Record<string, string>> = {
  "v1.ResourceList": "resource.Quantity",
  "v1.JSONSchemaDependencies": "v1.JSONSchemaPropsOrStringArray",
};

/** "map[string]resource.Quantity" → "resource.Quantity". */
function mapElement(goType: string): string {
  return namedMaps[goType] ?? goType.replace(/^map\[[^\]]*\]/, "");
}

function schemaOfType(type: string, ref: string | undefined, goType: string, mapType: string | undefined): Schema {
  const kind = type === "object" ? "struct" : (type as Kind);
  if (ref === undefined) return new Schema({ kind, goType, atomic: kind === "any" || kind === "raw" });
  const atomic = mapType === undefined ? entries()[ref]?.facts?.mapType === "atomic" : mapType === "atomic";
  return new Schema({ kind, goType, struct: () => builtInType(ref), atomic: atomic || kind === "schemaOr" });
}
