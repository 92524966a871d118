/** The checks of a custom object, in upstream's order. Upstream: apiextensions-apiserver/pkg/registry/customresource. */
import { embeddedErrors } from "#api/apiextensions/embedded.ts";
import { listTypeErrors } from "#api/apiextensions/list-types.ts";
import type { JsonSchema } from "#api/apiextensions/json-schema.ts";
import { validateValue } from "#api/apiextensions/validate.ts";
import { hasRules, ruleOutcome } from "#api/apiextensions/apply-rules.ts";
import type { FieldError } from "#api/field-error.ts";
import { goValue } from "#api/go-text.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { ScalePaths } from "#api/resource.ts";
import { invalid, fieldErrorText } from "#api/validation/field-errors.ts";

type CustomObject = KubernetesObject & Record<string, unknown>;

export interface CustomSchema {
  schema: JsonSchema | undefined;
  isNamespaced: boolean;
  scale?: ScalePaths;
}

type Warn = ((text: string) => void) | undefined;

/** `warn` hears of rules that failed before and fail still. */
export function customErrors(
  object: CustomObject,
  old: CustomObject | undefined,
  rules: CustomSchema,
  warn?: Warn,
): FieldError[] {
  const { schema } = rules;
  const scale = [...scaleSpecErrors(object, rules.scale), ...scaleStatusErrors(object, rules.scale)];
  if (schema === undefined) return scale;
  const own = [...validateValue(object, schema, "", old), ...scale, ...embeddedErrors(object, schema)];
  return withRules(own, object, old, schema, warn);
}

/** Of an update through the status subresource the status alone is checked, by itself; rules see the whole object. */
export function customStatusErrors(
  object: CustomObject,
  old: CustomObject | undefined,
  { schema, scale }: CustomSchema,
  warn?: Warn,
): FieldError[] {
  const scaled = scaleStatusErrors(object, scale);
  if (schema === undefined) return scaled;
  const own = schema.properties?.["status"];
  const { status } = object;
  const errors =
    own === undefined || status === undefined ? [] : validateValue(status, own, "", (old as CustomObject)?.["status"]);
  const placed = errors.map((error) => ({ ...error, field: below(error.field) }));
  return withRules([...placed, ...scaled], object, old, schema, warn);
}

const below = (field: string): string => (field === "<nil>" ? "status" : `status.${field}`);

const blocking = new Set([
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
]);
const unchecked =
  "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";

function withRules(
  errors: readonly FieldError[],
  object: CustomObject,
  old: CustomObject | undefined,
  schema: JsonSchema,
  warn: Warn,
): FieldError[] {
  const wasDistinct = old === undefined || listTypeErrors(old, schema).length === 0;
  const all = [...errors, ...(wasDistinct ? listTypeErrors(object, schema) : [])];
  if (!hasRules(schema)) return all;
  if (all.some(({ type }) => blocking.has(type))) return [...all, invalid("<nil>", null, unchecked)];
  const { errors: broken, warnings } = ruleOutcome(object, old, schema);
  for (const warning of warnings) warn?.(fieldErrorText(warning));
  return [...all, ...broken];
}

const int32Max = 2 ** 31 - 1;

function scaleSpecErrors(object: CustomObject, scale: ScalePaths | undefined): FieldError[] {
  return scale === undefined ? [] : countErrors(object, scale.specReplicas);
}

function scaleStatusErrors(object: CustomObject, scale: ScalePaths | undefined): FieldError[] {
  if (scale === undefined) return [];
  const { statusReplicas, labelSelector } = scale;
  return [
    ...countErrors(object, statusReplicas),
    ...(labelSelector === undefined ? [] : fieldAt(object, labelSelector, "string", "").errors),
  ];
}

function countErrors(object: CustomObject, path: string): FieldError[] {
  const { value, errors } = fieldAt(object, path, "int64", 0);
  if (errors.length > 0 || typeof value !== "number") return errors;
  if (value < 0) return [invalid(path, value, "should be a non-negative integer")];
  return value > int32Max ? [invalid(path, value, `should be less than or equal to ${int32Max}`)] : [];
}

/** `none`: what an error shows where there is no value of the type. Upstream: unstructured.NestedInt64, NestedString. */
function fieldAt(
  object: unknown,
  path: string,
  wanted: "int64" | "string",
  none: string | number,
): { value?: unknown; errors: FieldError[] } {
  const steps = path.replace(/^\./, "").split(".");
  const refusal = (at: readonly string[], value: unknown, type: string) => {
    const text = `.${at.join(".")} accessor error: ${goValue(value)} is of the type ${goType(value)}, expected ${type}`;
    return { errors: [invalid(path, none, text)] };
  };
  let value = object;
  for (const [index, step] of steps.entries()) {
    if (value === null) return { errors: [] };
    if (typeof value !== "object" || Array.isArray(value) || value instanceof Number)
      return refusal(steps.slice(0, index + 1), value, "map[string]interface{}");
    value = (value as Record<string, unknown>)[step];
    if (value === undefined) return { errors: [] };
  }
  return goType(value) === wanted ? { value, errors: [] } : refusal(steps, value, wanted);
}

function goType(value: unknown): string {
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return "[]interface {}";
  if (value instanceof Number) return "int64";
  switch (typeof value) {
    case "number":
      return Number.isInteger(value) ? "int64" : "float64";
    case "boolean":
      return "bool";
    case "string":
      return "string";
    default:
      return "map[string]interface {}";
  }
}
