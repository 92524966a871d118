/** Small rules that many fields share. */
import type { FieldError } from "#api/field-error.ts";
import { invalid, invalidEach, notSupported, required } from "./field-errors.ts";
import { isPortName, isPortNumber } from "./formats.ts";
import { isDns1123Label, isDns1123Subdomain } from "./names.ts";

export const negativeError = "must be greater than or equal to 0";
export const immutableError = "field is immutable";

export const nonNegative = (field: string, value: number | undefined): FieldError[] =>
  (value ?? 0) < 0 ? [invalid(field, value, negativeError)] : [];

/** Required, and one of a few; `values` is shown as it is ordered. */
export function oneOf(field: string, value: string | undefined, values: readonly string[]): FieldError[] {
  if (value === undefined || value === "") return [required(field)];
  return values.includes(value) ? [] : [notSupported(field, value, values)];
}

/** One of a few where there is a value at all. */
export const oneOfIfSet = (field: string, value: string | undefined, values: readonly string[]): FieldError[] =>
  value === undefined || values.includes(value) ? [] : [notSupported(field, value, values)];

export const present = (field: string, value: string | undefined, detail = ""): FieldError[] =>
  value === undefined || value === "" ? [required(field, detail)] : [];

export const dnsLabel = (field: string, value: string): FieldError[] =>
  invalidEach(field, value, isDns1123Label(value));
export const dnsSubdomain = (field: string, value: string): FieldError[] =>
  invalidEach(field, value, isDns1123Subdomain(value));

/** Upstream's ValidatePortNumOrName. */
export function portErrors(field: string, port: string | number | undefined): FieldError[] {
  if (typeof port === "string") return invalidEach(field, port, isPortName(port));
  return invalidEach(field, port ?? 0, isPortNumber(port ?? 0));
}

/** Whether two values are equal as Go's semantic DeepEqual sees it: absent, empty list and empty map are one. */
export function semanticEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isBlank(a) && isBlank(b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => semanticEqual(item, b[index]));
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key in left) if (!semanticEqual(left[key], right[key])) return false;
  for (const key in right) if (!(key in left) && !isBlank(right[key])) return false;
  return true;
}

const isBlank = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  value === 0 ||
  value === false ||
  (Array.isArray(value) && value.length === 0);

/** Upstream's ValidateImmutableField. */
export const immutable = (field: string, value: unknown, old: unknown): FieldError[] =>
  semanticEqual(value, old) ? [] : [invalid(field, value, immutableError)];
