/**
 * A schema is structural if its types can be read without solving any logic: junctors (allOf, anyOf, oneOf, not) may only narrow
 * what is said outside of them. Upstream: apiextensions-apiserver/pkg/apiserver/schema/validation.go.
 */
import { RE2JS } from "re2js";
import type { FieldError } from "#api/field-error.ts";
import { compareText } from "#api/go-text.ts";
import { forbidden, invalid, required } from "#api/validation/field-errors.ts";
import { isIntOrString, type JsonSchema, preservesUnknown } from "./json-schema.ts";

type Level = "root" | "field" | "item";

const isEmbedded = (schema: JsonSchema): boolean => schema["x-kubernetes-embedded-resource"] === true;
const itemsOf = ({ items }: JsonSchema): JsonSchema | undefined =>
  items === undefined || Array.isArray(items) ? undefined : items;
const valuesOf = ({ additionalProperties }: JsonSchema): JsonSchema | undefined =>
  typeof additionalProperties === "object" ? additionalProperties : undefined;
const inside = (path: string, property: string): string => `${path}.properties[${property}]`;

export function structuralErrors(schema: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  checkShape(schema, "root", path, errors);
  // Only the root's own junctors: upstream looks at no others here.
  checkJunctorsComplete(schema, schema, path, path, errors);
  return errors.sort((a, b) => compareText(`${a.field}: ${a.message}`, `${b.field}: ${b.message}`));
}

function checkShape(schema: JsonSchema, level: Level, path: string, errors: FieldError[]): void {
  const { type = "", additionalProperties, properties = {} } = schema;
  const items = itemsOf(schema);
  if (type === "array" && schema.items === undefined) errors.push(required(`${path}.items`, "must be specified"));
  if (items !== undefined) checkShape(items, "item", `${path}.items`, errors);
  for (const [name, inner] of Object.entries(properties)) checkShape(inner, "field", inside(path, name), errors);
  checkValues(schema, level, path, errors);
  checkExtensions(schema, path, errors);
  checkJunctors(schema, path, errors, isIntOrStringAnyOf(schema), isIntOrStringAllOf(schema));
  checkType(schema, level, path, errors);
  if (isEmbedded(schema) && additionalProperties !== undefined)
    errors.push(forbidden(`${path}.additionalProperties`, "must not be used if x-kubernetes-embedded-resource is set"));
  checkTypeMeta(schema, level, path, errors);
  if (isEmbedded(schema) && !preservesUnknown(schema) && Object.keys(properties).length === 0) {
    const text =
      "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    errors.push(required(`${path}.properties`, text));
  }
}

function checkValues(schema: JsonSchema, level: Level, path: string, errors: FieldError[]): void {
  const values = valuesOf(schema);
  if (level === "root" && schema.additionalProperties !== undefined)
    errors.push(forbidden(`${path}.additionalProperties`, "must not be used at the root"));
  if (values !== undefined) checkShape(values, "field", `${path}.additionalProperties`, errors);
}

function checkExtensions(schema: JsonSchema, path: string, errors: FieldError[]): void {
  if (!isIntOrString(schema)) return;
  const text = "must be false if x-kubernetes-int-or-string is true";
  if (preservesUnknown(schema)) errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, true, text));
  if (isEmbedded(schema)) errors.push(invalid(`${path}.x-kubernetes-embedded-resource`, true, text));
}

const emptyTypeTexts: Readonly<Record<Level, string>> = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields",
};

function checkType(schema: JsonSchema, level: Level, path: string, errors: FieldError[]): void {
  const { type = "" } = schema;
  const at = `${path}.type`;
  if (isEmbedded(schema) && type !== "object") {
    const text = "must be object if x-kubernetes-embedded-resource is true";
    errors.push(type === "" ? required(at, text) : invalid(at, type, text));
  } else if (type === "" && !isIntOrString(schema) && !preservesUnknown(schema))
    errors.push(required(at, emptyTypeTexts[level]));
  if (level === "root" && type !== "" && type !== "object")
    errors.push(invalid(at, type, "must be object at the root"));
}

/** What every resource has may be narrowed a little only. */
function checkTypeMeta(schema: JsonSchema, level: Level, path: string, errors: FieldError[]): void {
  const { properties = {} } = schema;
  const isResource = level === "root" || isEmbedded(schema);
  for (const name of ["kind", "apiVersion"]) {
    const type = properties[name]?.type ?? "";
    if (isResource && Object.hasOwn(properties, name) && type !== "string")
      errors.push(invalid(`${inside(path, name)}.type`, type, "must be string"));
  }
  const { metadata } = properties;
  if (metadata === undefined) return;
  const at = inside(path, "metadata");
  if (isResource && metadata.type !== "object")
    errors.push(invalid(`${at}.type`, metadata.type ?? "", "must be object"));
  if (level === "root" && saysMore(metadata)) {
    const text = "must not specify anything other than name and generateName, but metadata is implicitly specified";
    errors.push(forbidden(at, text));
  }
}

function saysMore({ properties = {}, ...rest }: JsonSchema): boolean {
  const isForeign = (name: string) => name !== "name" && name !== "generateName";
  return (
    Object.keys(properties).some(isForeign) ||
    Object.entries(rest).some(([name, value]) => name !== "type" && name !== "default" && !isUnset(value))
  );
}

const isUnset = (value: unknown): boolean =>
  value === undefined || value === false || value === "" || (Array.isArray(value) && value.length === 0);

const typesOnly = (schemas: readonly JsonSchema[] | undefined): string =>
  (schemas ?? []).map((one) => (Object.keys(one).length === 1 ? one.type : "?")).join(",");

/** The two patterns of an integer or string that are let pass. */
const isIntOrStringAnyOf = (schema: JsonSchema): boolean => typesOnly(schema.anyOf) === "integer,string";
const isIntOrStringAllOf = (schema: JsonSchema): boolean => typesOnly(schema.allOf?.[0]?.anyOf) === "integer,string";

function checkJunctors(
  { anyOf = [], allOf = [], oneOf = [], not, pattern = "" }: JsonSchema,
  path: string,
  errors: FieldError[],
  skipsAnyOf = false,
  skipsFirstAllOf = false,
): void {
  if (!skipsAnyOf) for (const [index, one] of anyOf.entries()) checkNested(one, `${path}.anyOf[${index}]`, errors);
  for (const [index, one] of allOf.entries())
    checkNested(one, `${path}.allOf[${index}]`, errors, skipsFirstAllOf && index === 0);
  for (const [index, one] of oneOf.entries()) checkNested(one, `${path}.oneOf[${index}]`, errors);
  if (not !== undefined) checkNested(not, `${path}.not`, errors);
  const fault = pattern === "" ? undefined : patternFault(pattern);
  if (fault !== undefined)
    errors.push(invalid(`${path}.pattern`, pattern, `must be a valid regular expression, but isn't: ${fault}`));
}

function patternFault(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const empty = "must be empty to be structural";
const undefinedText = "must be undefined to be structural";
const falseText = "must be false to be structural";

/** What may not be said inside of a junctor. */
const barred: readonly (readonly [keyof JsonSchema, string])[] = [
  ["type", empty],
  ["additionalProperties", undefinedText],
  ["default", undefinedText],
  ["title", empty],
  ["description", empty],
  ["nullable", falseText],
  ["x-kubernetes-preserve-unknown-fields", falseText],
  ["x-kubernetes-embedded-resource", falseText],
  ["x-kubernetes-int-or-string", falseText],
  ["x-kubernetes-list-map-keys", empty],
  ["x-kubernetes-list-type", undefinedText],
  ["x-kubernetes-map-type", undefinedText],
  ["x-kubernetes-validations", empty],
];

function checkNested(schema: JsonSchema, path: string, errors: FieldError[], skipsAnyOf = false): void {
  checkJunctors(schema, path, errors, skipsAnyOf);
  const items = itemsOf(schema);
  if (items !== undefined) checkNested(items, `${path}.items`, errors);
  for (const [name, inner] of Object.entries(schema.properties ?? {})) checkNested(inner, inside(path, name), errors);
  for (const [field, text] of barred)
    if (!isUnset(schema[field]) && schema[field] !== null) errors.push(forbidden(`${path}.${field}`, text));
  if (Object.hasOwn(schema.properties ?? {}, "metadata"))
    errors.push(forbidden(inside(path, "metadata"), "must not be specified in a nested context"));
}

/** Every field that a junctor speaks of is specified outside of it too. */
function checkJunctorsComplete(
  nested: JsonSchema,
  schema: JsonSchema,
  path: string,
  nestedPath: string,
  errors: FieldError[],
): void {
  const { not, allOf = [], anyOf = [], oneOf = [] } = nested;
  const check = (one: JsonSchema, at: string) => checkNestedComplete(one, schema, path, `${nestedPath}.${at}`, errors);
  if (not !== undefined) check(not, "not");
  for (const [index, one] of allOf.entries()) check(one, `allOf[${index}]`);
  for (const [index, one] of anyOf.entries()) check(one, `anyOf[${index}]`);
  for (const [index, one] of oneOf.entries()) check(one, `oneOf[${index}]`);
}

function checkNestedComplete(
  nested: JsonSchema,
  schema: JsonSchema | undefined,
  path: string,
  nestedPath: string,
  errors: FieldError[],
): void {
  if (schema === undefined) {
    errors.push(required(path, `because it is defined in ${nestedPath}`));
    return;
  }
  checkJunctorsComplete(nested, schema, path, nestedPath, errors);
  const items = itemsOf(nested);
  if (items !== undefined) checkNestedComplete(items, itemsOf(schema), `${path}.items`, `${nestedPath}.items`, errors);
  for (const [name, inner] of Object.entries(nested.properties ?? {})) {
    const own = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties![name] : undefined;
    checkNestedComplete(inner, own, inside(path, name), inside(nestedPath, name), errors);
  }
}

/** What no structural schema can be made of at all; the first such thing. Upstream: apiserver/schema/convert.go. */
export function unstructured(schema: JsonSchema): string | undefined {
  const said = schema as Record<string, unknown>;
  for (const [field, name] of neverStructural)
    if (isSaid(said[field])) return `OpenAPIV3Schema '${name}' is not supported`;
  if (Array.isArray(schema.items) && schema.items.length > 0)
    return "OpenAPIV3Schema 'items' must be a schema, but is an array";
  if (schema["x-kubernetes-preserve-unknown-fields"] === false)
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
  const { not, allOf = [], anyOf = [], oneOf = [], properties = {} } = schema;
  const inner = [not, itemsOf(schema), valuesOf(schema), ...allOf, ...anyOf, ...oneOf, ...Object.values(properties)];
  for (const one of inner) {
    const fault = one === undefined ? undefined : unstructured(one);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const neverStructural: readonly (readonly [string, string])[] = [
  ["id", "id"],
  ["$schema", "schema"],
  ["$ref", "$ref"],
  ["patternProperties", "patternProperties"],
  ["dependencies", "dependencies"],
  ["additionalItems", "additionalItems"],
  ["definitions", "definitions"],
];

/** That a field which may be left out is there. */
export function isSaid(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}
