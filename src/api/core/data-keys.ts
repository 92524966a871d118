/** Keys and size of the data in config maps and secrets. */
import type { FieldError } from "#api/field-error.ts";
import { forbidden, invalidEach, tooLong } from "#api/validation/field-errors.ts";
import { isConfigMapKey } from "#api/validation/formats.ts";
import { semanticEqual } from "#api/validation/values.ts";

/** Of all values together. */
export const dataBytesMax = 1024 * 1024;

type Data = Record<string, string> | undefined;

/** `data` holds text or base64 as its name says: "data" of a secret and "binaryData" are base64. `sizeField`: where too much is told. */
export function dataErrors(parts: { data?: Data; binaryData?: Data; base64?: Data }, sizeField: string): FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [field, values] of Object.entries(parts))
    for (const key in values) {
      const shown = field === "base64" ? "data" : field;
      errors.push(...invalidEach(`${shown}[${key}]`, key, isConfigMapKey(key)));
      bytes += field === "data" ? Buffer.byteLength(values[key]!) : Buffer.byteLength(values[key]!, "base64");
    }
  return bytes > dataBytesMax ? [...errors, tooLong(sizeField, dataBytesMax)] : errors;
}

interface Immutable {
  immutable?: boolean;
}

/** What is marked immutable stays so, with its data. */
export function immutableDataErrors<T extends Immutable>(
  object: T,
  old: T,
  fields: readonly (keyof T & string)[],
): FieldError[] {
  if (old.immutable !== true) return [];
  const text = "field is immutable when `immutable` is set";
  const errors = object.immutable === true ? [] : [forbidden("immutable", text)];
  for (const field of fields) if (!semanticEqual(object[field], old[field])) errors.push(forbidden(field, text));
  return errors;
}
