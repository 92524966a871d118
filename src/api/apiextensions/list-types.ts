/** Items of sets and of lists with keys are told apart. Upstream: apiextensions-apiserver/pkg/apiserver/schema/listtype. */
import type { FieldError } from "#api/field-error.ts";
import { goJson } from "#api/go-text.ts";
import { invalid } from "#api/validation/field-errors.ts";
import { keysOf } from "./correlate.ts";
import type { JsonSchema } from "./json-schema.ts";

export function listTypeErrors(value: unknown, schema: JsonSchema | undefined, path = ""): FieldError[] {
  if (schema === undefined || value === null || typeof value !== "object" || value instanceof Number) return [];
  if (Array.isArray(value))
    return [
      ...duplicateErrors(value, schema, path),
      ...value.flatMap((item, index) => listTypeErrors(item, schema.items, `${path}[${index}]`)),
    ];
  const { properties = {}, additionalProperties } = schema;
  return Object.entries(value).flatMap(([name, inner]) => {
    if (Object.hasOwn(properties, name))
      return listTypeErrors(inner, properties[name], path === "" ? name : `${path}.${name}`);
    return typeof additionalProperties === "object"
      ? listTypeErrors(inner, additionalProperties, `${path}[${name}]`)
      : [];
  });
}

function duplicateErrors(value: readonly unknown[], schema: JsonSchema, path: string): FieldError[] {
  const type = schema["x-kubernetes-list-type"];
  if (type !== "set" && type !== "map") return [];
  const stray = type === "map" ? value.findIndex((item) => item !== null && !isObject(item)) : -1;
  if (stray >= 0)
    return [invalid(`${path}[${stray}]`, value[stray], "must be an object for an array of list-type map")];
  const errors: FieldError[] = [];
  const seen = new Map<string, number>();
  for (const [index, item] of value.entries()) {
    const key = goJson(type === "set" ? item : keysOf(item, schema));
    const times = seen.get(key) ?? 0;
    // The second of a kind is told of, the third is not.
    if (times === 1)
      errors.push({ field: `${path}[${index}]`, type: "FieldValueDuplicate", message: `Duplicate value: ${key}` });
    seen.set(key, times + 1);
  }
  return errors;
}

const isObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Number);
