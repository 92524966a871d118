/**
 * Whether a value fits the OpenAPI of its CRD: every fault, with the texts of upstream's validator. What an update leaves as it
 * was is not looked at again. Upstream: kube-openapi/pkg/validation/validate, apiextensions apiserver/validation/ratcheting.go.
 */
import { RE2JS } from "re2js";
import { deepEqual as isEqual } from "#api/apply/typed.ts";
import type { FieldError } from "#api/field-error.ts";
import { goJson, goQuote } from "#api/go-text.ts";
import { invalid, notSupported, required, tooLong, tooMany, typeInvalid } from "#api/validation/field-errors.ts";
import { correlatedItem, isUnchanged } from "./correlate.ts";
import { isFormat, isKnownFormat } from "./formats.ts";
import { isIntOrString, type JsonSchema } from "./json-schema.ts";

/** No client needs to hear of more. */
const errorsMax = 100;
/** No fault names a place deeper than this. */
const depthMax = 200;

const patterns = new Map<string, RE2JS | undefined>();
const patternsKeptMax = 1000;

/** `old`: the value that an update replaces. */
export function validateValue(value: unknown, schema: JsonSchema, path = "", old?: unknown): FieldError[] {
  return check(value, schema, path, old, 0).errors.slice(0, errorsMax);
}

interface Outcome {
  errors: FieldError[];
  /** How much of the schema fitted: it picks which alternative's faults are told. */
  matches: number;
}

type Part = (value: never, schema: JsonSchema, path: string, old: unknown, depth: number) => FieldError[];

function check(value: unknown, schema: JsonSchema, path: string, old: unknown, depth: number): Outcome {
  if (depth > depthMax || (old !== undefined && isUnchanged(value, old, schema))) return { errors: [], matches: 0 };
  if (value === null && schema.nullable === true) return { errors: [], matches: 1 };
  const outcome: Outcome = { errors: [], matches: 0 };
  const parts: Part[] = [typeErrors, combinedErrors, ...partsOf(value), enumErrors];
  for (const part of parts) {
    const errors = part(value as never, schema, path, old, depth);
    outcome.errors.push(...errors);
    if (errors.length === 0) outcome.matches += 1;
    if (outcome.errors.length >= errorsMax) break;
  }
  return outcome;
}

function partsOf(value: unknown): Part[] {
  if (typeof value === "string") return [stringErrors, formatErrors];
  if (typeof value === "number" || value instanceof Number) return [numberErrors];
  if (Array.isArray(value)) return [arrayErrors];
  return value !== null && typeof value === "object" ? [objectErrors] : [];
}

const fault = (path: string, value: unknown, text: string): FieldError =>
  invalid(fieldOf(path), value, `${path} in body ${text}`);
/** Upstream's errors of a combination name no field. */
const whole = (path: string, text: string): FieldError => invalid("<nil>", "", `"${path}" ${text}`);
const fieldOf = (path: string): string => (path === "" ? "<nil>" : path);
const child = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (value instanceof Number) return "integer"; // one that no double can hold
  return typeof value === "number" ? (Number.isSafeInteger(value) ? "integer" : wholeOrNot(value)) : typeof value;
}

/** Go's integers end where int64 does. */
const wholeOrNot = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 2 ** 63 ? "integer" : "number";

function typeErrors(value: unknown, schema: JsonSchema, path: string): FieldError[] {
  const actual = typeOf(value);
  const { type = "", format = "" } = schema;
  if (isIntOrString(schema)) {
    const fits = actual === "integer" || actual === "string";
    return fits ? [] : [typeFault(path, "integer,string", actual)];
  }
  if (type === "" || type === actual || (type === "number" && actual === "integer")) return [];
  const isFormatted = isKnownFormat(format) && actual !== "null";
  if (!isFormatted) return [typeFault(path, type, actual)];
  // Where a format is asked for, upstream compares formats, and looks at texts and lists elsewhere: at lists not at all.
  if (actual === "string" || actual === "array")
    return type === "number" || type === "integer" ? [typeFault(path, type, actual)] : [];
  return [typeFault(path, format, formatOf[actual] ?? "")];
}

/** Of what is no text. */
const formatOf: Readonly<Record<string, string>> = { integer: "int64", number: "double" };

const typeFault = (path: string, wanted: string, actual: string): FieldError =>
  typeInvalid(fieldOf(path), actual, `${path} in body must be of type ${wanted}: ${goQuote(actual)}`);

function enumErrors(value: unknown, { enum: allowed }: JsonSchema, path: string): FieldError[] {
  if (allowed === undefined || allowed.length === 0 || allowed.some((one) => isEqual(one, value))) return [];
  const names = allowed.map((one) => (typeof one === "string" ? one : goJson(one)));
  return [notSupported(fieldOf(path), value, names)];
}

function stringErrors(value: string, schema: JsonSchema, path: string): FieldError[] {
  const { minLength, maxLength, pattern = "" } = schema;
  const errors: FieldError[] = [];
  const length = maxLength === undefined && minLength === undefined ? 0 : [...value].length;
  if (maxLength !== undefined && length > maxLength) errors.push(tooLong(fieldOf(path), maxLength));
  if (minLength !== undefined && length < minLength)
    errors.push(fault(path, value, `should be at least ${minLength} chars long`));
  if (pattern !== "" && !matches(pattern, value)) errors.push(fault(path, value, `should match '${pattern}'`));
  return errors;
}

function formatErrors(value: string, { format }: JsonSchema, path: string): FieldError[] {
  if (format === undefined || isFormat(format, value)) return [];
  return [typeInvalid(fieldOf(path), value, `${path} in body must be of type ${format}: ${goQuote(value)}`)];
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

/** Formats of numbers are not looked at: those are all formats of texts. */
function numberErrors(value: number, schema: JsonSchema, path: string): FieldError[] {
  const { minimum, maximum, exclusiveMinimum = false, exclusiveMaximum = false, multipleOf, type } = schema;
  const errors: FieldError[] = [];
  if (type === "integer" && typeOf(value) !== "integer")
    errors.push(invalid("<nil>", "", `Checked value must be of type integer (default format) in ${path}`));
  if (multipleOf !== undefined && multipleOf > 0 && !Number.isInteger(value / multipleOf))
    errors.push(fault(path, value, `should be a multiple of ${multipleOf}`));
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum))
    errors.push(fault(path, value, `should be less than ${exclusiveMaximum ? "" : "or equal to "}${maximum}`));
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum))
    errors.push(fault(path, value, `should be greater than ${exclusiveMinimum ? "" : "or equal to "}${minimum}`));
  return errors;
}

function arrayErrors(
  value: readonly unknown[],
  schema: JsonSchema,
  path: string,
  old: unknown,
  depth: number,
): FieldError[] {
  const { minItems, maxItems, uniqueItems, items } = schema;
  const errors: FieldError[] = [];
  if (items !== undefined) {
    for (const [index, item] of value.entries()) {
      const before = correlatedItem(item, schema, old);
      errors.push(...check(item, items, `${path}[${index}]`, before, depth + 1).errors);
      if (errors.length >= errorsMax) break;
    }
  }
  if (minItems !== undefined && value.length < minItems)
    errors.push(fault(path, value.length, `should have at least ${minItems} items`));
  if (maxItems !== undefined && value.length > maxItems) errors.push(tooMany(fieldOf(path), value.length, maxItems));
  if (uniqueItems === true && new Set(value.map((item) => JSON.stringify(item))).size < value.length)
    errors.push(fault(path, value, "shouldn't contain duplicates"));
  return errors;
}

function objectErrors(
  value: Record<string, unknown>,
  schema: JsonSchema,
  path: string,
  old: unknown,
  depth: number,
): FieldError[] {
  const { properties = {}, additionalProperties, required: needed = [], minProperties, maxProperties } = schema;
  const errors: FieldError[] = [];
  const names = Object.keys(value);
  if (minProperties !== undefined && names.length < minProperties)
    errors.push(fault(path, names.length, `should have at least ${minProperties} properties`));
  if (maxProperties !== undefined && names.length > maxProperties)
    errors.push(tooMany(fieldOf(path), names.length, maxProperties));
  for (const name of needed) if (!Object.hasOwn(value, name)) errors.push(required(child(path, name)));
  for (const name of names.sort()) {
    const inner = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (typeof inner !== "object") continue;
    const before = isPlain(old) && Object.hasOwn(old, name) ? old[name] : undefined;
    errors.push(...check(value[name], inner, child(path, name), before, depth + 1).errors);
    if (errors.length >= errorsMax) break;
  }
  return errors;
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Number);

/** Of alternatives that all fail, the faults of the one that came nearest are told too. */
function combinedErrors(
  value: unknown,
  { allOf = [], anyOf = [], oneOf = [], not }: JsonSchema,
  path: string,
  old: unknown,
  depth: number,
): FieldError[] {
  const outcomesOf = (schemas: readonly JsonSchema[]) =>
    schemas.map((schema) => check(value, schema, path, old, depth + 1));
  const errors: FieldError[] = [];
  const any = outcomesOf(anyOf);
  if (any.length > 0 && !any.some(isValid))
    errors.push(whole(path, "must validate at least one schema (anyOf)"), ...nearest(any));
  const one = outcomesOf(oneOf);
  const count = one.filter(isValid).length;
  if (one.length > 0 && count !== 1) {
    const found = count === 0 ? "Found none valid" : `Found ${count} valid alternatives`;
    errors.push(whole(path, `must validate one and only one schema (oneOf). ${found}`));
    if (count === 0) errors.push(...nearest(one));
  }
  const all = outcomesOf(allOf);
  if (!all.every(isValid)) {
    const none = all.some(isValid) ? "" : ". None validated";
    errors.push(
      ...all.flatMap((outcome) => outcome.errors),
      whole(path, `must validate all the schemas (allOf)${none}`),
    );
  }
  if (not !== undefined && isValid(check(value, not, path, undefined, depth + 1)))
    errors.push(whole(path, "must not validate the schema (not)"));
  return errors;
}

const isValid = ({ errors }: Outcome): boolean => errors.length === 0;

function nearest(outcomes: readonly Outcome[]): FieldError[] {
  let best: Outcome | undefined;
  for (const outcome of outcomes) if (best === undefined || outcome.matches > best.matches) best = outcome;
  return best?.errors ?? [];
}
