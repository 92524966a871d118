/** The structural OpenAPI of a custom resource as the one schema model: what field ownership and apply walk along. */
import { builtInType } from "#api/schema/built-in.ts";
import { type Field, Schema, StructType, anySchema } from "#api/schema/model.ts";

/** Of apiextensions' JSONSchemaProps, what is used here. */
export interface JsonSchema {
  type?: string;
  format?: string;
  title?: string;
  description?: string;
  nullable?: boolean;
  default?: unknown;
  enum?: readonly unknown[];
  properties?: Readonly<Record<string, JsonSchema>>;
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  required?: readonly string[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  allOf?: readonly JsonSchema[];
  anyOf?: readonly JsonSchema[];
  oneOf?: readonly JsonSchema[];
  not?: JsonSchema;
  "x-kubernetes-int-or-string"?: boolean;
  "x-kubernetes-preserve-unknown-fields"?: boolean;
  "x-kubernetes-embedded-resource"?: boolean;
  "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  "x-kubernetes-list-map-keys"?: readonly string[];
  "x-kubernetes-map-type"?: "atomic" | "granular";
  "x-kubernetes-validations"?: readonly ValidationRule[];
}

/** A CEL rule of a schema. */
export interface ValidationRule {
  rule: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
  fieldPath?: string;
  optionalOldSelf?: boolean;
}

export const preservesUnknown = (schema: JsonSchema): boolean =>
  schema["x-kubernetes-preserve-unknown-fields"] === true;
export const isIntOrString = (schema: JsonSchema): boolean => schema["x-kubernetes-int-or-string"] === true;

const objectMeta = () => builtInType("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
const text = new Schema({ kind: "string", goType: "string" });

const resourceFieldNames: readonly string[] = ["apiVersion", "kind", "metadata"];

/** What every object has, the whole one and those embedded in it. */
const resourceFields = (): [string, Schema, JsonSchema][] => [
  ["apiVersion", text, {}],
  ["kind", text, {}],
  ["metadata", new Schema({ kind: "struct", goType: "v1.ObjectMeta", struct: objectMeta }), {}],
];

/** The whole object: the schema's own fields, and those that every object has. */
export function structOfSchema(name: string, schema: JsonSchema | undefined): StructType {
  const own = Object.entries(schema?.properties ?? {}).filter(([field]) => !resourceFieldNames.includes(field));
  const fields: [string, Schema, JsonSchema][] = [
    ...resourceFields(),
    ...own.map(([field, inner]): [string, Schema, JsonSchema] => [field, nodeOf(inner), inner]),
  ];
  const isOpen = schema === undefined || preservesUnknown(schema);
  return new StructType({
    name,
    fields: fields.map(fieldOf(schema?.required)),
    ...(isOpen ? { others: anySchema } : {}),
  });
}

const fieldOf =
  (required: readonly string[] = []) =>
  ([name, schema, source]: [string, Schema, JsonSchema], index: number): Field => ({
    name,
    index,
    schema,
    required: required.includes(name),
    // Absent and empty differ in a custom resource: nothing is left out.
    pointer: name !== "apiVersion" && name !== "kind",
    always: false,
    number: 0,
    via: [],
    embedded: undefined,
    mergeKey: undefined,
    patchMerge: false,
    patchReplace: false,
    keyDefault: source.default,
  });

function nodeOf(schema: JsonSchema): Schema {
  if (isIntOrString(schema)) return new Schema({ kind: "any", goType: "interface {}" });
  switch (schema.type) {
    case "object":
      return objectNode(schema);
    case "array":
      return new Schema({
        kind: "list",
        goType: "[]interface {}",
        of: schema.items === undefined ? anySchema : nodeOf(schema.items),
        listType: schema["x-kubernetes-list-type"] ?? "atomic",
        keys: schema["x-kubernetes-list-map-keys"] ?? [],
      });
    case "string":
      return text;
    case "integer":
      return new Schema({ kind: "integer", goType: "int64" });
    case "number":
      return new Schema({ kind: "number", goType: "float64" });
    case "boolean":
      return new Schema({ kind: "boolean", goType: "bool" });
    default:
      return anySchema;
  }
}

function objectNode(schema: JsonSchema): Schema {
  const atomic = schema["x-kubernetes-map-type"] === "atomic";
  const { properties, additionalProperties } = schema;
  if (properties === undefined) {
    if (preservesUnknown(schema) || additionalProperties === true) return anySchema;
    const of = typeof additionalProperties === "object" ? nodeOf(additionalProperties) : anySchema;
    return new Schema({ kind: "map", goType: "map[string]interface {}", of, atomic });
  }
  const isResource = schema["x-kubernetes-embedded-resource"] === true;
  const entries = [
    ...(isResource ? resourceFields() : []),
    ...Object.entries(properties)
      .filter(([name]) => !isResource || !resourceFieldNames.includes(name))
      .map(([name, inner]): [string, Schema, JsonSchema] => [name, nodeOf(inner), inner]),
  ];
  const struct = new StructType({
    name: "",
    atomic,
    fields: entries.map(fieldOf(schema.required)),
    ...(preservesUnknown(schema) ? { others: anySchema } : {}),
  });
  return new Schema({ kind: "struct", goType: "map[string]interface {}", struct, atomic });
}
