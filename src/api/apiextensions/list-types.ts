/** Items of sets and of lists with keys are told apart. Upstream: apiextensions-apiserver/pkg/apiserver/schema/listtype. */
import type { FieldError } from "#api/field-error.ts";
import { goJson } from "#api/go-text.ts";
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
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, item] of value.entries()) {
    const key = goJson(type === "set" ? item : keysOf(item, schema));
    if (seen.has(key))
      errors.push({ field: `${path}[${index}]`, type: "FieldValueDuplicate", message: `Duplicate value: ${key}` });
    seen.add(key);
  }
  return errors;
}
