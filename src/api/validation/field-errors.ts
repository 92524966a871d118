/**
 * Constructors of field errors and the 422 answer made of them. Upstream: util/validation/field/errors.go. Paths are plain
 * strings: `${path}.name`, `${path}[${index}]`, `${path}[${key}]`.
 */
import type { FieldError, FieldErrorType } from "#api/field-error.ts";
import { compareText, goJson, goQuote } from "#api/go-text.ts";
import { type StatusError, failure } from "#api/status-error.ts";

/** How upstream prints the path of the whole object. */
export const rootPath = "[]";

/** A value that is shown as it stands, for types that upstream prints in a way of their own. */
export class RawValue {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export const raw = (text: string): RawValue => new RawValue(text);

/** A bad value as an error shows it: numbers plain, strings quoted, the rest as JSON; what is absent is `null`. */
export function shownValue(value: unknown): string {
  if (typeof value === "string") return goQuote(value);
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (value instanceof RawValue) return value.text;
  return goJson(value);
}

const withDetail = (message: string, detail: string) => (detail === "" ? message : `${message}: ${detail}`);
const bad = (type: FieldErrorType, label: string, field: string, value: unknown, detail: string): FieldError => ({
  field,
  type,
  message: withDetail(`${label}: ${shownValue(value)}`, detail),
});

export const invalid = (field: string, value: unknown, detail: string): FieldError =>
  bad("FieldValueInvalid", "Invalid value", field, value, detail);

/** A fault of several fields together: no value is shown. */
export const invalidTogether = (field: string, detail: string): FieldError => ({
  field,
  type: "FieldValueInvalid",
  message: `Invalid value: ${detail}`,
});

/** One invalid() for each message. */
export const invalidEach = (field: string, value: unknown, details: readonly string[]): FieldError[] =>
  details.map((detail) => invalid(field, value, detail));

export const typeInvalid = (field: string, value: unknown, detail: string): FieldError =>
  bad("FieldValueTypeInvalid", "Invalid value", field, value, detail);

export const duplicate = (field: string, value: unknown): FieldError =>
  bad("FieldValueDuplicate", "Duplicate value", field, value, "");

export const notFoundValue = (field: string, value: unknown): FieldError =>
  bad("FieldValueNotFound", "Not found", field, value, "");

/** `supported` is shown in its own order; a Set is sorted first. */
export function notSupported(
  field: string,
  value: unknown,
  supported: readonly string[] | ReadonlySet<string>,
): FieldError {
  const names = supported instanceof Set ? [...supported].sort(compareText) : [...supported];
  const detail = names.length === 0 ? "" : `supported values: ${names.map(goQuote).join(", ")}`;
  return bad("FieldValueNotSupported", "Unsupported value", field, value, detail);
}

export const required = (field: string, detail = ""): FieldError => ({
  field,
  type: "FieldValueRequired",
  message: withDetail("Required value", detail),
});

export const forbidden = (field: string, detail = ""): FieldError => ({
  field,
  type: "FieldValueForbidden",
  message: withDetail("Forbidden", detail),
});

export const tooLong = (field: string, bytesMax: number): FieldError => ({
  field,
  type: "FieldValueTooLong",
  message: withDetail("Too long", bytesMax >= 0 ? `may not be more than ${bytesMax} bytes` : "value is too long"),
});

/** `actual` undefined: the number is not shown. */
export const tooMany = (field: string, actual: number | undefined, itemsMax: number): FieldError => ({
  field,
  type: "FieldValueTooMany",
  message: withDetail(
    actual === undefined ? "Too many" : `Too many: ${actual}`,
    itemsMax >= 0 ? `must have at most ${itemsMax} items` : "has too many items",
  ),
});

export const internalFault = (field: string, detail: string): FieldError => ({
  field,
  type: "InternalError",
  message: withDetail("Internal error", detail),
});

/** "spec.replicas: Invalid value: -1: must be …". */
export const fieldErrorText = ({ field, message }: FieldError): string => `${field}: ${message}`;

/** Several errors as one text: "[a, b]", or "a" alone; what was said before is not said again. */
export function aggregateText(messages: readonly string[]): string {
  const distinct = [...new Set(messages)];
  return distinct.length === 1 ? distinct[0]! : `[${distinct.join(", ")}]`;
}

/** What one answer tells of the errors of an object; upstream has no limits, and can be made to run out of memory by one request. */
export const toldErrorsMax = 10_000;
export const toldCharactersMax = 8 * 1024 * 1024;

function told(errors: readonly FieldError[]): readonly FieldError[] {
  let characters = 0;
  const end = errors.findIndex(({ field, message }, index) => {
    characters += field.length + message.length;
    return index >= toldErrorsMax || (index > 0 && characters > toldCharactersMax);
  });
  return end < 0 ? errors : errors.slice(0, end);
}

/** 422: `Deployment.apps "web" is invalid: …`. `kind` may be empty (upstream does that for patches). */
export function invalidObject(
  { group, kind }: { group: string; kind: string },
  name: string,
  found: readonly FieldError[],
): StatusError {
  const errors = told(found);
  const qualified = group === "" ? kind : `${kind}.${group}`;
  const what = `${qualified} ${goQuote(name)} is invalid`;
  const details = {
    ...(name === "" ? {} : { name }),
    ...(group === "" ? {} : { group }),
    ...(kind === "" ? {} : { kind }),
    ...(errors.length === 0
      ? {}
      : {
          causes: errors.map(({ field, type, message }) => ({
            reason: type,
            message,
            ...(field === "" ? {} : { field }),
          })),
        }),
  };
  return failure(
    422,
    "Invalid",
    errors.length === 0 ? what : `${what}: ${aggregateText(errors.map(fieldErrorText))}`,
    details,
  );
}
