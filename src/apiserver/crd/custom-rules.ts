/** The checks of a custom object, in upstream's order. Upstream: apiextensions-apiserver/pkg/registry/customresource. */
import { embeddedErrors } from "#api/apiextensions/embedded.ts";
import { listTypeErrors } from "#api/apiextensions/list-types.ts";
import type { JsonSchema } from "#api/apiextensions/json-schema.ts";
import { validateValue } from "#api/apiextensions/validate.ts";
import { hasRules, ruleOutcome } from "#api/apiextensions/apply-rules.ts";
import type { FieldError } from "#api/field-error.ts";
import { parseLabelSelector } from "#api/label-selector.ts";
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
  if (schema === undefined) return scaleErrors(object, rules.scale);
  return withRules(
    [...validateValue(object, schema, "", old), ...scaleErrors(object, rules.scale)],
    object,
    old,
    schema,
    warn,
  );
}

/** Of an update through the status subresource the status alone is checked, by itself; rules see the whole object. */
export function customStatusErrors(
  object: CustomObject,
  old: CustomObject | undefined,
  { schema }: CustomSchema,
  warn?: Warn,
): FieldError[] {
  if (schema === undefined) return [];
  const own = schema.properties?.["status"];
  const { status } = object;
  const errors =
    own === undefined || status === undefined ? [] : validateValue(status, own, "", (old as CustomObject)?.["status"]);
  const placed = errors.map((error) => ({ ...error, field: below(error.field) }));
  return withRules(placed, object, old, schema, warn);
}

const below = (field: string): string => (field === "<nil>" ? "status" : `status.${field}`);

const blocking = new Set(["FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid"]);
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
  const all = [...errors, ...embeddedErrors(object, schema), ...(wasDistinct ? listTypeErrors(object, schema) : [])];
  if (!hasRules(schema)) return all;
  if (all.some(({ type }) => blocking.has(type))) return [...all, invalid("<nil>", null, unchecked)];
  const { errors: broken, warnings } = ruleOutcome(object, old, schema);
  for (const warning of warnings) warn?.(fieldErrorText(warning));
  return [...all, ...broken];
}

const int32Max = 2 ** 31 - 1;

function scaleErrors(object: CustomObject, scale: ScalePaths | undefined): FieldError[] {
  if (scale === undefined) return [];
  const counts = [scale.specReplicas, scale.statusReplicas].flatMap((path) => {
    const value = valueAt(object, path);
    if (typeof value !== "number") return [];
    if (value < 0) return [invalid(path, value, "should be a non-negative integer")];
    return value > int32Max ? [invalid(path, value, `should be less than or equal to ${int32Max}`)] : [];
  });
  const selector = scale.labelSelector === undefined ? undefined : valueAt(object, scale.labelSelector);
  return [...counts, ...(typeof selector === "string" ? selectorErrors(scale.labelSelector!, selector) : [])];
}

function selectorErrors(path: string, selector: string): FieldError[] {
  try {
    parseLabelSelector(selector);
    return [];
  } catch (error) {
    return [invalid(path, selector, (error as Error).message)];
  }
}

const valueAt = (object: unknown, path: string): unknown =>
  path
    .replace(/^\./, "")
    .split(".")
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined | null)?.[key], object);
