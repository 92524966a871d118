/**
 * Whether an object fits the OpenAPI of its CRD: every fault, with the texts of upstream's validator.
 * Upstream: kube-openapi/pkg/validation/validate, apiextensions apiserver/validation.
 */
import { RE2JS } from "re2js";
import type { FieldError } from "#api/field-error.ts";
import { goJson, goQuote, goValue } from "#api/go-text.ts";
import { invalid, notSupported, required, tooLong, tooMany } from "#api/validation/field-errors.ts";
import { deepEqual as isEqual } from "#api/apply/typed.ts";
import { isIntOrString, type JsonSchema } from "./json-schema.ts";
import { isFormat } from "./formats.ts";

/** No client needs to hear of more. */
const errorsMax = 100;

const patterns = new Map<string, RE2JS | undefined>();
const patternsKeptMax = 1000;

export function validateValue(value: unknown, schema: JsonSchema, path = ""): FieldError[] {
  const errors: FieldError[] = [];
  check(value, schema, path, errors);
  return errors.slice(0, errorsMax);
}

function check(value: unknown, schema: JsonSchema, path: string, errors: FieldError[]): void {
  if (errors.length >= errorsMax) return;
  if (value === null && schema.nullable === true) return;
  if (!checkType(value, schema, path, errors)) return;
  checkEnum(value, schema, path, errors);
  if (typeof value === "string") checkString(value, schema, path, errors);
  else if (typeof value === "number") checkNumber(value, schema, path, errors);
  else if (Array.isArray(value)) checkArray(value, schema, path, errors);
  else if (value !== null && typeof value === "object")
    checkObject(value as Record<string, unknown>, schema, path, errors);
  checkCombined(value, schema, path, errors);
}

const at = (path: string): string => (path === "" ? "" : `${path} `);
const fault = (path: string, value: unknown, text: string): FieldError =>
  invalid(path === "" ? "<nil>" : path, value, `${at(path)}in body ${text}`);

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "number" ? (Number.isInteger(value) ? "integer" : "number") : typeof value;
}

function checkType(value: unknown, schema: JsonSchema, path: string, errors: FieldError[]): boolean {
  const actual = typeOf(value);
  if (isIntOrString(schema)) {
    if (actual === "integer" || actual === "string") return true;
    errors.push(typeFault(path, value, "integer,string", actual));
    return false;
  }
  const { type } = schema;
  if (type === undefined || type === "" || type === actual || (type === "number" && actual === "integer")) return true;
  errors.push(typeFault(path, value, type, actual));
  return false;
}

function typeFault(path: string, value: unknown, wanted: string, actual: string): FieldError {
  const shown = typeof value === "object" && value !== null ? goValue(value) : goJson(value);
  const text = `${at(path)}in body must be of type ${wanted}: ${goQuote(actual)}`;
  return {
    field: path === "" ? "<nil>" : path,
    type: "FieldValueTypeInvalid",
    message: `Invalid value: ${shown === "" ? goQuote(actual) : typeText(value, actual)}: ${text}`,
  };
}

/** Upstream shows the name of the type that was found. */
const typeText = (_value: unknown, actual: string): string => goQuote(actual);

function checkEnum(value: unknown, { enum: allowed }: JsonSchema, path: string, errors: FieldError[]): void {
  if (allowed === undefined || allowed.some((one) => isEqual(one, value))) return;
  errors.push(
    notSupported(
      path,
      value,
      allowed.map((one) => (typeof one === "string" ? one : goJson(one))),
    ),
  );
}

function checkString(value: string, schema: JsonSchema, path: string, errors: FieldError[]): void {
  const { minLength, maxLength, pattern, format } = schema;
  const length = maxLength === undefined && minLength === undefined ? 0 : [...value].length;
  if (maxLength !== undefined && length > maxLength) errors.push(tooLong(path, maxLength));
  if (minLength !== undefined && length < minLength)
    errors.push(fault(path, value, `should be at least ${minLength} chars long`));
  if (pattern !== undefined && pattern !== "" && !matches(pattern, value))
    errors.push(fault(path, value, `should match '${pattern}'`));
  if (format !== undefined && !isFormat(format, value))
    errors.push(fault(path, value, `must be of type ${format}: ${goQuote(value)}`));
}

/** RE2, as in Go: no pattern can make it run away. A pattern that is none matches everything; the CRD was refused before. */
function matches(pattern: string, value: string): boolean {
  if (!patterns.has(pattern)) {
    if (patterns.size >= patternsKeptMax) patterns.clear();
    patterns.set(pattern, compile(pattern));
  }
  return patterns.get(pattern)?.matcher(value).find() ?? true;
}

function compile(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(pattern);
  } catch {
    return undefined;
  }
}

function checkNumber(value: number, schema: JsonSchema, path: string, errors: FieldError[]): void {
  const { minimum, maximum, exclusiveMinimum = false, exclusiveMaximum = false, multipleOf } = schema;
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum))
    errors.push(fault(path, value, `should be less than ${exclusiveMaximum ? "" : "or equal to "}${maximum}`));
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum))
    errors.push(fault(path, value, `should be greater than ${exclusiveMinimum ? "" : "or equal to "}${minimum}`));
  if (multipleOf !== undefined && multipleOf > 0 && !Number.isInteger(value / multipleOf))
    errors.push(fault(path, value, `should be a multiple of ${multipleOf}`));
}

function checkArray(value: readonly unknown[], schema: JsonSchema, path: string, errors: FieldError[]): void {
  const { minItems, maxItems, uniqueItems, items } = schema;
  if (maxItems !== undefined && value.length > maxItems) errors.push(tooMany(path, value.length, maxItems));
  if (minItems !== undefined && value.length < minItems)
    errors.push(fault(path, value, `should have at least ${minItems} items`));
  if (uniqueItems === true && hasDuplicates(value)) errors.push(fault(path, value, "shouldn't contain duplicates"));
  if (items !== undefined) for (const [index, item] of value.entries()) check(item, items, `${path}[${index}]`, errors);
  checkListKeys(value, schema, path, errors);
}

const hasDuplicates = (value: readonly unknown[]): boolean =>
  new Set(value.map((item) => JSON.stringify(item))).size < value.length;

/** Items of sets and of lists with keys are told apart. Upstream: apiserver/schema/listtype. */
function checkListKeys(value: readonly unknown[], schema: JsonSchema, path: string, errors: FieldError[]): void {
  const type = schema["x-kubernetes-list-type"];
  if (type !== "set" && type !== "map") return;
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const seen = new Set<string>();
  for (const [index, item] of value.entries()) {
    const key =
      type === "set"
        ? item
        : Object.fromEntries(keys.map((name) => [name, (item as Record<string, unknown> | null)?.[name]]));
    const shown = JSON.stringify(key);
    if (seen.has(shown))
      errors.push({
        field: `${path}[${index}]`,
        type: "FieldValueDuplicate",
        message: `Duplicate value: ${goJson(key)}`,
      });
    seen.add(shown);
  }
}

function checkObject(value: Record<string, unknown>, schema: JsonSchema, path: string, errors: FieldError[]): void {
  const { properties = {}, additionalProperties, required: needed = [], minProperties, maxProperties } = schema;
  const names = Object.keys(value);
  if (minProperties !== undefined && names.length < minProperties)
    errors.push(fault(path, value, `should have at least ${minProperties} properties`));
  if (maxProperties !== undefined && names.length > maxProperties)
    errors.push(tooMany(path, names.length, maxProperties));
  const child = (name: string) => (path === "" ? name : `${path}.${name}`);
  for (const name of needed) if (!Object.hasOwn(value, name)) errors.push(required(child(name)));
  for (const name of names.sort()) {
    const inner = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (inner !== undefined) {
      if (path !== "" || name !== "metadata") check(value[name], inner, child(name), errors);
    } else if (typeof additionalProperties === "object") check(value[name], additionalProperties, child(name), errors);
  }
}

function checkCombined(
  value: unknown,
  { allOf, anyOf, oneOf, not }: JsonSchema,
  path: string,
  errors: FieldError[],
): void {
  const fits = (schema: JsonSchema) => validateValue(value, schema, path).length === 0;
  if (anyOf !== undefined && anyOf.length > 0 && !anyOf.some(fits))
    errors.push(fault(path, shownWhole(value), "must validate at least one schema (anyOf)"));
  if (oneOf !== undefined && oneOf.length > 0) {
    const count = oneOf.filter(fits).length;
    const found = count === 0 ? "Found none valid" : `Found ${count} valid alternatives`;
    if (count !== 1)
      errors.push(fault(path, shownWhole(value), `must validate one and only one schema (oneOf). ${found}`));
  }
  for (const schema of allOf ?? []) check(value, schema, path, errors);
  if (not !== undefined && fits(not)) errors.push(fault(path, shownWhole(value), "must not validate the schema (not)"));
}

/** Upstream's error of a combination carries no value. */
const shownWhole = (_value: unknown): unknown => "";
