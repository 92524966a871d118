/**
 * Makes src/api/generated from the npm package @kubernetes/client-node (names, types, required, descriptions) and the
 * tables in src/api/facts (proto.json: field numbers; merge.json: merge keys, list types; go.json: each field's Go type with
 * `*` pointer, `?` omitempty, `!` omitzero, in the order of the Go struct; texts.json: descriptions that the package lacks
 * or has on one line; enums.json: values of Go's string types). Runs at install time; its output is not committed.
 *
 * schema.json     {types: {"io.k8s.api.core.v1.Pod": TypeSchema}}
 * structure.json  the same without descriptions and values: what src/api/schema loads
 * types.ts        one interface a type, named as client-node names it: V1Pod, V1PodSpec …
 */
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const models = join(root, "node_modules/@kubernetes/client-node/dist/gen/models");
const out = join(root, "src/api/generated");
const facts = (name: string) => JSON.parse(readFileSync(join(root, "src/api/facts", name), "utf8"));

interface ProtoField {
  type: string;
  id: number;
  rule?: string;
  keyType?: string;
}
interface Message {
  fields: Record<string, ProtoField>;
}
interface Attribute {
  baseName: string;
  type: string;
  format: string;
}
interface Field {
  type: string;
  of?: string;
  ref?: string;
  format?: string;
  required?: true;
  description?: string;
  proto?: number;
  /** Numbers of the embedded messages on the way to the field. */
  via?: number[];
  go?: string;
  [fact: string]: unknown;
}
interface TypeSchema {
  description?: string;
  proto?: string;
  /** Proto messages whose fields JSON shows inline: path of [field number, message]. */
  inline?: { id: number; message: string }[];
  facts?: Record<string, unknown>;
  unions?: unknown;
  fields: Record<string, Field>;
}

/** "k8s.io.api.core.v1" → messages by name. */
function readMessages(): Map<string, Map<string, Message>> {
  const packages = new Map<string, Map<string, Message>>();
  const walk = (node: { nested?: Record<string, never> }, path: string) => {
    for (const [name, inner] of Object.entries(node.nested ?? {}) as [
      string,
      Message & { nested?: Record<string, never> },
    ][]) {
      if (inner.fields !== undefined) {
        if (!packages.has(path)) packages.set(path, new Map());
        packages.get(path)!.set(name, inner);
      }
      walk(inner, path === "" ? name : `${path}.${name}`);
    }
  };
  walk(facts("proto.json"), "");
  return packages;
}

const packages = readMessages();
const messageAt = (full: string): Message | undefined => {
  const cut = full.lastIndexOf(".");
  return packages.get(full.slice(0, cut))?.get(full.slice(cut + 1));
};
/** A field's message type, absolute: "Volume" in package p is "p.Volume", ".k8s.io.x.Y" is "k8s.io.x.Y". */
const absolute = (type: string, inPackage: string) => (type.startsWith(".") ? type.slice(1) : `${inPackage}.${type}`);
/** The OpenAPI name of a proto message: k8s.io.api.core.v1.Pod → io.k8s.api.core.v1.Pod. */
const openApiName = (full: string) =>
  full
    .replace(/^k8s\.io\./, "io.k8s.")
    .replace("apiextensions_apiserver", "apiextensions-apiserver")
    .replace("kube_aggregator", "kube-aggregator");

const unambiguous: Record<string, string> = {
  V1Preconditions: "k8s.io.apimachinery.pkg.apis.meta.v1.Preconditions",
  V1ResourceClaim: "k8s.io.api.resource.v1.ResourceClaim",
  CoreV1ResourceClaim: "k8s.io.api.core.v1.ResourceClaim",
  ResourceV1ResourceClaim: "k8s.io.api.resource.v1.ResourceClaim",
};
/** client-node's model name → the full proto name, where one is known. */
function protoNameOf(model: string): string | undefined {
  if (unambiguous[model] !== undefined) return unambiguous[model];
  const match = model.match(/^([A-Z][a-z]+)??V(\d+(?:alpha\d+|beta\d+)?)([A-Z]\w*)$/);
  if (match === null) return undefined;
  const [, group, version, name] = match;
  const candidates = [...packages]
    .filter(([path, messages]) => path.endsWith(`.v${version}`) && messages.has(name!))
    .map(([path]) => path);
  const served = candidates.filter((path) => !/\.(testapigroup|extensions|imagepolicy)\./.test(path));
  const chosen = group === undefined ? served : served.filter((path) => path.includes(`.${group.toLowerCase()}.`));
  return chosen.length === 1 ? `${chosen[0]}.${name}` : undefined;
}

function readModel(model: string): {
  attributes: Attribute[];
  description?: string;
  docs: Record<string, { text?: string; required: boolean }>;
} {
  const source = readFileSync(join(models, `${model}.js`), "utf8");
  const list = source.match(/\.attributeTypeMap = (\[[\s\S]*?\n\]);/)?.[1];
  const attributes = list === undefined ? [] : (JSON.parse(list) as Attribute[]);
  const types = readFileSync(join(models, `${model}.d.ts`), "utf8");
  const description = types
    .match(/\/\*\*\n\* ([^\n]*(?:\n\* [^\n]*)*)\n\*\/\nexport declare class/)?.[1]
    ?.replace(/\\+(['"])/g, "$1");
  const docs: Record<string, { text?: string; required: boolean }> = {};
  for (const [, , text, name, optional] of types.matchAll(
    /( {4}\/\*\*\n((?: {4}\* [^\n]*\n)+) {4}\*\/\n)? {4}'([^']+)'(\?)?: /g,
  )) {
    docs[name!] = {
      text: text
        ?.replace(/^ {4}\* /gm, "")
        .replace(/\n$/, "")
        .replace(/\\+(['"])/g, "$1")
        // An end of a comment in a comment.
        .replaceAll("*_/", "*/")
        .replaceAll("/_*", "/*"),
      required: optional === undefined,
    };
  }
  return { attributes, description, docs };
}

const plain = (name: string) => name.replace(/[^A-Za-z0-9]/g, "").toLowerCase();
type FlatField = ProtoField & { inPackage: string; via: number[] };
/** A message's fields with those of embedded messages that JSON shows inline. */
function flatFields(
  full: string,
  jsonNames: Set<string>,
): { fields: Map<string, FlatField>; inline: { id: number; message: string }[] } {
  const fields = new Map<string, FlatField>();
  const inline: { id: number; message: string }[] = [];
  const inPackage = full.slice(0, full.lastIndexOf("."));
  for (const [name, field] of Object.entries(messageAt(full)?.fields ?? {})) {
    const key = plain(name);
    if (!jsonNames.has(key) && field.rule === undefined && field.keyType === undefined) {
      const inner = absolute(field.type, inPackage);
      if (messageAt(inner) !== undefined) {
        inline.push({ id: field.id, message: openApiName(inner) });
        for (const [innerName, innerField] of flatFields(inner, jsonNames).fields) {
          fields.set(innerName, { ...innerField, via: [field.id, ...innerField.via] });
        }
        continue;
      }
    }
    fields.set(key, { ...field, inPackage, via: [] });
  }
  return { fields, inline };
}

const quantity = "k8s.io.apimachinery.pkg.api.resource.Quantity";
const special: Record<string, string> = {
  [quantity]: "quantity",
  "k8s.io.apimachinery.pkg.apis.meta.v1.Time": "time",
  "k8s.io.apimachinery.pkg.apis.meta.v1.MicroTime": "microTime",
  "k8s.io.apimachinery.pkg.apis.meta.v1.Duration": "duration",
  "k8s.io.apimachinery.pkg.apis.meta.v1.FieldsV1": "any",
  "k8s.io.apimachinery.pkg.runtime.RawExtension": "any",
  "k8s.io.apimachinery.pkg.util.intstr.IntOrString": "intOrString",
};

const names = readdirSync(models)
  .filter((file) => file.endsWith(".d.ts"))
  .map((file) => file.slice(0, -5));
const byModel = new Map<string, string>();
for (const model of names) {
  const proto = protoNameOf(model);
  if (proto !== undefined) byModel.set(model, proto);
}
// Two models of one name: the one with the group in its name is the newer.
if (byModel.has("ResourceV1ResourceClaim")) byModel.delete("V1ResourceClaim");
const goFacts = facts("go.json") as Record<string, Record<string, string>>;
const mergeFacts = facts("merge.json") as Record<string, Record<string, Record<string, unknown>>>;
const textFacts = facts("texts.json") as Record<string, Record<string, string | null>>;
const enumFacts = facts("enums.json") as Record<string, [value: string, text: string][]>;

function scalar(type: string, format: string): { type: string; ref?: string; format?: string } {
  if (type === "Date") return { type: format === "date-time-micro" ? "microTime" : "time" };
  if (type === "V1MicroTime" || format === "date-time-micro") return { type: "microTime" };
  if (type === "IntOrString" || format === "int-or-string") return { type: "intOrString" };
  if (type === "number")
    return format === "double"
      ? { type: "number", format }
      : { type: "integer", format: format === "int32" ? "int32" : "int64" };
  if (type === "string") return format === "byte" ? { type: "bytes" } : { type: "string" };
  if (type === "boolean") return { type: "boolean" };
  if (type === "any") return { type: "any" };
  const proto = byModel.get(type);
  return proto === undefined ? { type: "any" } : { type: "object", ref: openApiName(proto) };
}

function fieldOf(attribute: Attribute, proto: FlatField | undefined): Field {
  const array = attribute.type.match(/^(?:Array|Set)<(.+)>$/)?.[1];
  const map = attribute.type.match(/^\{ \[key: string\]: (.+); \}$/)?.[1];
  const inner = array ?? map;
  const base = scalar(inner?.match(/^Array<(.+)>$/)?.[1] ?? inner ?? attribute.type, attribute.format);
  if (proto !== undefined) {
    const full = absolute(proto.type, proto.inPackage);
    if (special[full] !== undefined) {
      base.type = special[full];
      delete base.ref;
    }
    if (proto.type === "bytes") base.type = "bytes";
    if (proto.type === "int32" || proto.type === "int64") base.format = proto.type;
  }
  const { type, ...rest } = base;
  if (map !== undefined && map.startsWith("Array<")) return { type: "map", of: "strings", proto: proto?.id };
  if (inner !== undefined) return { type: array === undefined ? "map" : "array", of: type, ...rest, proto: proto?.id };
  return { type, ...rest, proto: proto?.id };
}

function inGoOrder(attributes: Attribute[], go: Record<string, string>): Attribute[] {
  const order = new Map(Object.keys(go).map((name, index) => [name, index]));
  const place = ({ baseName }: Attribute) => order.get(baseName) ?? order.size;
  return attributes.toSorted((a, b) => place(a) - place(b));
}

const emptyStructs: Record<string, string> = {
  "v1.CustomResourceSubresourceStatus":
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus",
  "v1alpha2.BasicSchedulingPolicy": "io.k8s.api.scheduling.v1alpha2.BasicSchedulingPolicy",
  "v1alpha1.StorageVersionSpec": "io.k8s.api.apiserverinternal.v1alpha1.StorageVersionSpec",
};
const jsonSchema = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";
/** Types that OpenAPI cannot say: structs without fields, and a schema or something else in its place. */
function goKind(field: Field, go = ""): Field {
  const type = go.replace(/^\*|[?!]+$/g, "");
  if (field.type === "any" && emptyStructs[type] !== undefined)
    return { ...field, type: "object", ref: emptyStructs[type] };
  if (type.startsWith("v1.JSONSchemaPropsOr")) return { ...field, type: "schemaOr", ref: jsonSchema };
  if (type === "v1.JSONSchemaDependencies") return { ...field, of: "schemaOr", ref: jsonSchema };
  if (type === "runtime.RawExtension" || type === "v1.FieldsV1") return { ...field, type: "raw" };
  if (type === "[]runtime.RawExtension") return { ...field, of: "raw" };
  return field;
}

/** The values of an enumeration, of a field or of the elements of a list. */
const enumOf = (go = ""): { enum?: unknown } => {
  const values = enumFacts[go.replace(/^(?:\*|\[\])|[?!]+$/g, "")];
  return values === undefined ? {} : { enum: values };
};
/** A text of the facts, or the model's own; null there: the model's is another's. */
const textOf = (type: string, field: string, own: string | undefined): { description?: string } => {
  const fact = textFacts[type]?.[field];
  const text = fact === undefined ? own : fact;
  return text === undefined || text === null ? {} : { description: text };
};

const types: Record<string, TypeSchema> = {};
const fieldsOf = new Map<string, Record<string, Field>>();
for (const [model, proto] of byModel) {
  const { attributes, description, docs } = readModel(model);
  const name = openApiName(proto);
  const { fields: protoFields, inline } = flatFields(proto, new Set(attributes.map(({ baseName }) => plain(baseName))));
  const merge = mergeFacts[name] ?? {};
  const go = goFacts[name] ?? {};
  const fields: Record<string, Field> = {};
  for (const attribute of inGoOrder(attributes, go)) {
    const flat =
      protoFields.get(plain(attribute.baseName)) ?? protoFields.get(plain(attribute.baseName.replace(/^\$/, "")));
    const doc =
      docs[attribute.baseName] ??
      docs[`_${attribute.baseName}`] ??
      Object.entries(docs).find(([key]) => plain(key) === plain(attribute.baseName))?.[1];
    fields[attribute.baseName] = {
      ...goKind(fieldOf(attribute, flat), go[attribute.baseName]),
      ...(flat === undefined || flat.via.length === 0 ? {} : { via: flat.via }),
      ...(go[attribute.baseName] === undefined ? {} : { go: go[attribute.baseName] }),
      ...(doc?.required === true ? { required: true } : {}),
      ...textOf(name, attribute.baseName, doc?.text),
      ...enumOf(go[attribute.baseName]),
      ...merge[attribute.baseName],
    };
  }
  const { "(type)": facts, "(unions)": unions } = merge;
  types[name] = {
    ...textOf(name, "(type)", description),
    proto,
    ...(inline.length > 0 ? { inline } : {}),
    ...(facts === undefined ? {} : { facts }),
    ...(unions === undefined ? {} : { unions }),
    fields,
  };
  fieldsOf.set(model, fields);
}

for (const name of Object.values(emptyStructs)) types[name] ??= { ...textOf(name, "(type)", undefined), fields: {} };

function typeScript(field: Field): string {
  const one = (type: string): string =>
    type === "integer" || type === "number"
      ? "number"
      : type === "boolean"
        ? "boolean"
        : type === "intOrString"
          ? "number | string"
          : type === "any" || type === "raw" || type === "schemaOr"
            ? "any"
            : type === "strings"
              ? "string[]"
              : type === "object"
                ? (modelOf.get(field.ref!) ?? "any")
                : "string";
  if (field.type === "array") return `(${one(field.of!)})[]`;
  if (field.type === "map") return `Record<string, ${one(field.of!)}>`;
  return one(field.type);
}

function interfaceOf(model: string, fields: Record<string, Field>): string {
  const lines = Object.entries(fields).map(([name, field]) => {
    const loose = name === "metadata" && field.ref?.endsWith(".ObjectMeta");
    return `  ${/^\w+$/.test(name) ? name : JSON.stringify(name)}${field.required === true || loose ? "" : "?"}: ${typeScript(field)};`;
  });
  return `export interface ${model} {\n${lines.join("\n")}\n}`;
}

const modelOf = new Map<string, string>();
for (const [model, proto] of byModel) modelOf.set(openApiName(proto), model);
const source = [...fieldsOf].map(([model, fields]) => interfaceOf(model, fields)).join("\n\n");

mkdirSync(out, { recursive: true });
const write = (name: string, text: string) => {
  const file = join(out, name);
  if (statSync(file, { throwIfNoEntry: false }) !== undefined && readFileSync(file, "utf8") === text) return;
  writeFileSync(file, text);
};
write("types.ts", `/* Made by scripts/generate.ts. */\n/* eslint-disable */\n\n${source}\n`);
write("schema.json", JSON.stringify({ types }));
const structural = (key: string, value: unknown) =>
  (key === "description" && typeof value === "string") || (key === "enum" && Array.isArray(value)) ? undefined : value;
write("structure.json", JSON.stringify({ types }, structural));
