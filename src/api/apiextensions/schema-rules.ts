/**
 * The OpenAPI of a definition, field by field: what is not supported, list and map types, and the CEL rules' own form.
 * Upstream: apiextensions/validation/validation.go, ValidateCustomResourceDefinitionOpenAPISchema.
 */
import type { FieldError } from "#api/field-error.ts";
import { forbidden, invalid, notSupported, required } from "#api/validation/field-errors.ts";
import type { JsonSchema } from "./json-schema.ts";
import {
  type RuleContext,
  childContext,
  rootContext,
  ruleErrors,
  ruleFormErrors,
  totalCostErrors,
} from "./rule-rules.ts";
import { isSaid } from "./structural-rules.ts";

/** Faults of the form are told before those of rules. */
interface Faults {
  form: FieldError[];
  rules: FieldError[];
}

interface Standing {
  /** Why no default may be here. */
  bars?: string;
  isInMetadata: boolean;
  isRoot: boolean;
  /** undefined: rules are not compiled here. */
  rules: RuleContext | undefined;
}

/** `compiles`: the schema is structural, so that CEL rules can be understood. `isOld`: an update leaves it as it was. */
export function schemaErrors(schema: JsonSchema, path: string, compiles: boolean, isOld = false): FieldError[] {
  const rules = compiles ? rootContext(isOld) : undefined;
  const faults = check(schema, path, { isInMetadata: false, isRoot: true, rules });
  const costly = rules === undefined ? [] : totalCostErrors(rules, path);
  return [...faults.form, ...faults.rules, ...costly];
}

const metaFields = new Set(["metadata", "kind", "apiVersion"]);

function check(schema: JsonSchema, path: string, standing: Standing): Faults {
  const inner = innerFaults(schema, path, standing);
  const form = [
    ...unsupportedErrors(schema, path, standing),
    ...shapeErrors(schema, path),
    ...inner.form,
    ...extensionErrors(schema, path),
    ...ruleFormErrors(schema, path),
  ];
  // Rules are not looked into where the schema that they are about is at fault.
  const rules = form.length > 0 || standing.rules === undefined ? [] : ruleErrors(schema, path, standing.rules);
  return { form, rules: [...inner.rules, ...rules] };
}

const unsupported = ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"] as const;
const types = ["array", "boolean", "integer", "number", "object", "string"];

function unsupportedErrors(schema: JsonSchema, path: string, { bars, isInMetadata }: Standing): FieldError[] {
  const errors: FieldError[] = [];
  const said = schema as Record<string, unknown>;
  const hasDefault = schema.default !== undefined && schema.default !== null;
  const { type = "" } = schema;
  if (type !== "" && !types.includes(type)) errors.push(notSupported(`${path}.type`, type, types));
  if (hasDefault && bars !== undefined) errors.push(forbidden(`${path}.default`, `must not be set ${bars}`));
  for (const field of unsupported)
    if (isSaid(said[field])) errors.push(forbidden(`${path}.${field}`, `${field} is not supported`));
  if (type === "null")
    errors.push(forbidden(`${path}.type`, "type cannot be set to null, use nullable as an alternative"));
  if (Array.isArray(schema.items) && schema.items.length > 0)
    errors.push(forbidden(`${path}.items`, "items must be a schema object and not an array"));
  if (isInMetadata && schema["x-kubernetes-embedded-resource"] === true)
    errors.push(forbidden(`${path}.x-kubernetes-embedded-resource`, "must not be used inside of resource meta"));
  return errors;
}

function shapeErrors({ uniqueItems, additionalProperties, properties = {} }: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (uniqueItems === true) {
    const text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    errors.push(forbidden(`${path}.uniqueItems`, text));
  }
  if (additionalProperties !== undefined && additionalProperties !== true && Object.keys(properties).length > 0)
    errors.push(forbidden(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive"));
  return errors;
}

/** A schema inside of another, and what is so of it there. */
type Inner = [schema: JsonSchema, path: string, standing: Standing];

function innerFaults(schema: JsonSchema, path: string, standing: Standing): Faults {
  const all: Inner[] = [
    ...fieldSchemas(schema, path, standing),
    ...junctors(schema, path, standing),
    ...itemSchemas(schema, path, standing),
  ];
  const faults = all.map((inner) => check(...inner));
  return { form: faults.flatMap(({ form }) => form), rules: faults.flatMap(({ rules }) => rules) };
}

function fieldSchemas(schema: JsonSchema, path: string, standing: Standing): Inner[] {
  const { properties = {}, additionalProperties } = schema;
  const all: Inner[] = [];
  const inMetadata = (place: string): Standing => ({
    ...standing,
    isRoot: false,
    ...(standing.isInMetadata ? { bars: `inside ${place} applying to object metadata` } : {}),
  });
  if (typeof additionalProperties === "object") {
    const rules = childContext(standing.rules, schema, additionalProperties, "value", path);
    const below = { ...inMetadata("additionalProperties"), rules };
    all.push([additionalProperties, `${path}.additionalProperties`, below]);
  }
  for (const [name, one] of Object.entries(properties)) {
    const rules = childContext(standing.rules, schema, one, "property", path);
    all.push([one, `${path}.properties[${name}]`, { ...propertyStanding(schema, name, standing), rules }]);
  }
  return all;
}

function itemSchemas(schema: JsonSchema, path: string, standing: Standing): Inner[] {
  const { items } = schema;
  const one = (item: JsonSchema, at: string): Inner => {
    const rules = childContext(standing.rules, schema, item, "item", path);
    return [item, at, { ...standing, isRoot: false, rules }];
  };
  if (Array.isArray(items)) return items.map((item: JsonSchema, index) => one(item, `${path}.items[${index}]`));
  return items === undefined ? [] : [one(items, `${path}.items`)];
}

/** No rule is understood in these. */
function junctors(schema: JsonSchema, path: string, standing: Standing): Inner[] {
  const { not, allOf = [], oneOf = [], anyOf = [] } = schema;
  const { definitions, dependencies } = schema as { definitions?: unknown; dependencies?: unknown };
  const below: Standing = { ...standing, isRoot: false, rules: undefined };
  const all: Inner[] = not === undefined ? [] : [[not, `${path}.not`, below]];
  for (const [name, list] of Object.entries({ allOf, oneOf, anyOf }))
    for (const [index, one] of list.entries()) all.push([one, `${path}.${name}[${index}]`, below]);
  for (const [name, group] of Object.entries({ definitions, dependencies }))
    for (const [key, one] of Object.entries(group ?? {}))
      if (typeof one === "object" && one !== null && !Array.isArray(one))
        all.push([one as JsonSchema, `${path}.${name}[${key}]`, below]);
  return all;
}

function propertyStanding(schema: JsonSchema, name: string, standing: Standing): Standing {
  const below = { ...standing, isRoot: false };
  const isResource = standing.isRoot || schema["x-kubernetes-embedded-resource"] === true;
  if (!isResource || !metaFields.has(name)) return below;
  return { ...below, isInMetadata: true, ...(standing.isRoot ? { bars: `in top-level ${name}` } : {}) };
}

/** A type that an extension needs. */
function typeErrors(schema: JsonSchema, path: string, extension: string, wanted: string): FieldError[] {
  const { type = "" } = schema;
  if (type === wanted) return [];
  const text = `must be ${wanted} if ${extension} is specified`;
  return [type === "" ? required(`${path}.type`, text) : invalid(`${path}.type`, type, text)];
}

function extensionErrors(schema: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (schema["x-kubernetes-preserve-unknown-fields"] === false)
    errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, "must be true or undefined"));
  const mapType = schema["x-kubernetes-map-type"];
  if (mapType !== undefined) {
    errors.push(...typeErrors(schema, path, "x-kubernetes-map-type", "object"));
    if (mapType !== "atomic" && mapType !== "granular")
      errors.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, ["atomic", "granular"]));
  }
  return [...errors, ...listErrors(schema, path)];
}

function listErrors(schema: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { items } = schema;
  const type = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  if (type !== undefined) {
    const wrong = typeErrors(schema, path, "x-kubernetes-list-type", "array");
    errors.push(...wrong);
    if (wrong.length === 0 && type === "set" && items !== undefined) errors.push(...setItemErrors(items, path));
    if (type !== "atomic" && type !== "set" && type !== "map")
      errors.push(notSupported(`${path}.x-kubernetes-list-type`, type, ["atomic", "map", "set"]));
  }
  if (keys.length > 0 && type !== "map") {
    const at = `${path}.x-kubernetes-list-type`;
    const text = "must be map if x-kubernetes-list-map-keys is non-empty";
    errors.push(type === undefined ? required(at, text) : invalid(at, type, text));
  }
  if (type === "map") errors.push(...keyErrors(schema, keys, path));
  return [...errors, ...distinctErrors(schema, type, keys, path)];
}

function keyErrors({ items }: JsonSchema, keys: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const at = `${path}.x-kubernetes-list-map-keys`;
  if (keys.length === 0) errors.push(required(at, "must not be empty if x-kubernetes-list-type is map"));
  if (items === undefined)
    errors.push(required(`${path}.items`, "must have a schema if x-kubernetes-list-type is map"));
  if (items === undefined || Array.isArray(items)) return errors;
  if (items.type !== "object") {
    const text = "must be object if parent array's x-kubernetes-list-type is map";
    return [...errors, invalid(`${path}.items.type`, items.type ?? "", text)];
  }
  for (const [index, key] of keys.entries()) {
    const property = Object.hasOwn(items.properties ?? {}, key) ? items.properties![key] : undefined;
    if (property === undefined) errors.push(invalid(at, keys, "entries must all be names of item properties"));
    else if (property.type === "array" || property.type === "object") {
      const text = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.push(invalid(`${path}.items.properties[${key}].type`, items.type, text));
    }
    if (keys.indexOf(key) < index) errors.push(invalid(at, keys, "must not contain duplicate entries"));
  }
  return errors;
}

/** Items that are told apart cannot be null, nor can what tells them apart be missing. Upstream: validateMapListKeysMapSet. */
function distinctErrors(
  { items }: JsonSchema,
  type: string | undefined,
  keys: readonly string[],
  path: string,
): FieldError[] {
  if (items === undefined || Array.isArray(items) || (type !== "map" && type !== "set")) return [];
  const errors: FieldError[] = [];
  if (items.nullable === true)
    errors.push(forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${type}`));
  if (type === "set") return errors;
  const needed = new Set(items.required ?? []);
  for (const key of keys) {
    const property = items.properties?.[key];
    if (property === undefined) continue;
    const at = `${path}.items.properties[${key}]`;
    if (!needed.has(key) && (property.default === undefined || property.default === null)) {
      const text =
        "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
      errors.push(required(`${at}.default`, text));
    }
    if (property.nullable === true)
      errors.push(
        forbidden(`${at}.nullable`, "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"),
      );
  }
  return errors;
}

function setItemErrors(items: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (items.type === "object" && items["x-kubernetes-map-type"] !== "atomic") {
    const at = `${path}.items.x-kubernetes-map-type`;
    const text = "must be atomic as item of a list with x-kubernetes-list-type=set";
    // Upstream shows the list type here, whatever the map type is.
    errors.push(invalid(at, items["x-kubernetes-list-type"] ?? null, text));
  }
  const listType = items["x-kubernetes-list-type"];
  if (items.type === "array" && listType !== undefined && listType !== "atomic") {
    const text = "must be atomic as item of a list with x-kubernetes-list-type=set";
    errors.push(invalid(`${path}.items.x-kubernetes-list-type`, listType, text));
  }
  return errors;
}
