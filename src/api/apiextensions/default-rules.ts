/**
 * Defaults of a definition are values that the definition itself would accept: no unknown fields, no faults, and embedded
 * objects that say what they are. Upstream: apiextensions-apiserver/pkg/apiserver/schema/defaulting/validation.go.
 */
import { deepEqual } from "#api/apply/typed.ts";
import type { FieldError } from "#api/field-error.ts";
import { invalid } from "#api/validation/field-errors.ts";
import { embeddedErrors } from "./embedded.ts";
import type { JsonSchema } from "./json-schema.ts";
import { prune } from "./prune.ts";
import { validateValue } from "./validate.ts";

export function defaultErrors(schema: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  check(schema, path, false, true, errors);
  return errors;
}

function check(
  schema: JsonSchema,
  path: string,
  isInMetadata: boolean,
  isResource: boolean,
  errors: FieldError[],
): void {
  const { default: value, items, properties = {}, additionalProperties } = schema;
  if (value !== undefined && value !== null && !isInMetadata) errors.push(...valueErrors(value, schema, path));
  if (items !== undefined && !Array.isArray(items)) check(items, `${path}.items`, isInMetadata, false, errors);
  for (const [name, inner] of Object.entries(properties)) {
    const isMeta = isInMetadata || (isResource && name === "metadata");
    const isEmbedded = inner["x-kubernetes-embedded-resource"] === true;
    check(inner, `${path}.properties[${name}]`, isMeta, isEmbedded, errors);
  }
  if (typeof additionalProperties === "object")
    check(additionalProperties, `${path}.additionalProperties`, isInMetadata, false, errors);
}

function valueErrors(value: unknown, schema: JsonSchema, path: string): FieldError[] {
  const at = `${path}.default`;
  const holder = { value: structuredClone(value) };
  prune(holder, { properties: { value: schema } });
  if (!deepEqual(holder.value, value)) return [invalid(at, value, "must not have unknown fields")];
  const embedded = embeddedErrors(value, schema, at);
  if (embedded.length > 0) return embedded;
  return validateValue(value, withoutExtensions(schema)).map((error) => ({ ...error, field: below(at, error.field) }));
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
