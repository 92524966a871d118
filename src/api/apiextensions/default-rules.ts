/**
 * Defaults of a definition are values that the definition itself would accept: no unknown fields, no faults, and embedded
 * objects that say what they are. Upstream: apiextensions-apiserver/pkg/apiserver/schema/defaulting/validation.go.
 */
import { deepEqual } from "#api/apply/typed.ts";
import type { FieldError } from "#api/field-error.ts";
import { invalid } from "#api/validation/field-errors.ts";
import { ConformError } from "#api/decode/conform.ts";
import { ruleOutcome } from "./apply-rules.ts";
import { embeddedErrors, shapeEmbedded } from "./embedded.ts";
import type { JsonSchema } from "./json-schema.ts";
import { prune } from "./prune.ts";
import { validateValue } from "./validate.ts";

export function defaultErrors(schema: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const root = { ...schema, "x-kubernetes-embedded-resource": true };
  check(root, path, { resource: root, steps: [], isInMetadata: false }, errors);
  return errors;
}

/** Where a schema is: the object that it is in, and how it is come to there. */
interface Place {
  resource: JsonSchema;
  /** Names of fields; undefined: an item of a list. */
  steps: readonly (string | undefined)[];
  isInMetadata: boolean;
}

const resourceFields = new Set(["apiVersion", "kind", "metadata"]);

/** The values of maps are not looked at: upstream does not follow them. */
function check(schema: JsonSchema, path: string, at: Place, errors: FieldError[]): void {
  const isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  const place: Place = isEmbedded ? { resource: schema, steps: [], isInMetadata: false } : at;
  const { default: value, items, properties = {} } = schema;
  if (value !== undefined && value !== null)
    errors.push(
      ...(place.isInMetadata ? metadataErrors(value, schema, path, place) : valueErrors(value, schema, path)),
    );
  const below = (step: string | undefined, isInMetadata: boolean): Place => ({
    ...place,
    steps: [...place.steps, step],
    isInMetadata,
  });
  if (items !== undefined && !Array.isArray(items))
    check(items, `${path}.items`, below(undefined, place.isInMetadata), errors);
  for (const [name, inner] of Object.entries(properties)) {
    const isInMetadata = place.isInMetadata || (isEmbedded && resourceFields.has(name));
    check(inner, `${path}.properties[${name}]`, below(name, isInMetadata), errors);
  }
}

/** A default of what an object says of itself: the object that has it, and nothing else, has to be one. */
function metadataErrors(value: unknown, schema: JsonSchema, path: string, { resource, steps }: Place): FieldError[] {
  let object = structuredClone(value);
  for (const step of [...steps].reverse()) object = step === undefined ? [object] : { [step]: object };
  const whole = { apiVersion: "validation/v1", kind: "Validation", ...(object as object) };
  const fault = metadataFault(whole, { ...resource, "x-kubernetes-embedded-resource": true });
  if (fault !== undefined) return [invalid(`${path}.default`, value, `must result in valid metadata: ${fault}`)];
  return plainErrors(value, schema, `${path}.default`);
}

function metadataFault(object: object, schema: JsonSchema): string | undefined {
  try {
    shapeEmbedded(object, schema);
  } catch (error) {
    if (error instanceof ConformError) return error.message;
    throw error;
  }
  const texts = embeddedErrors(object, schema).map(({ field, message }) => `${field}: ${message}`);
  if (texts.length === 0) return undefined;
  return texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
}

function valueErrors(value: unknown, schema: JsonSchema, path: string): FieldError[] {
  const at = `${path}.default`;
  const holder = { value: structuredClone(value) };
  prune(holder, { properties: { value: schema } });
  const unknownFields = deepEqual(holder.value, value) ? [] : [invalid(at, value, "must not have unknown fields")];
  const embedded = embeddedErrors(value, schema, at);
  return [...unknownFields, ...(embedded.length > 0 ? embedded : plainErrors(value, schema, at))];
}

function plainErrors(value: unknown, schema: JsonSchema, path: string): FieldError[] {
  const moved = (error: FieldError) => ({ ...error, field: below(path, error.field) });
  const errors = validateValue(value, withoutExtensions(schema)).map(moved);
  if (errors.length > 0) return errors;
  const kept = ruleOutcome(value, value, schema, false);
  const told = [...kept.errors, ...kept.warnings];
  return (told.length > 0 ? told : ruleOutcome(value, undefined, schema, false).errors).map(moved);
}

/** Upstream makes a default's validator of plain OpenAPI: it does not know what an integer or string is. */
function withoutExtensions(schema: JsonSchema): JsonSchema {
  const { "x-kubernetes-int-or-string": _, properties, items, additionalProperties, ...rest } = schema;
  return {
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, withoutExtensions(one)])),
    }),
    ...(items && !Array.isArray(items) && { items: withoutExtensions(items) }),
    ...(additionalProperties !== undefined && {
      additionalProperties:
        typeof additionalProperties === "object" ? withoutExtensions(additionalProperties) : additionalProperties,
    }),
  };
}

const below = (path: string, field: string): string =>
  field === "" || field === "<nil>" ? path : field.startsWith("[") ? `${path}${field}` : `${path}.${field}`;
