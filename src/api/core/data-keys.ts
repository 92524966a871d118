/** Keys and size of the data in config maps and secrets. */
import type { FieldError } from "#api/field-error.ts";
import { forbidden, invalidEach, tooLong } from "#api/validation/field-errors.ts";
import { isConfigMapKey } from "#api/validation/formats.ts";

/** Of all values together. */
export const dataBytesMax = 1024 * 1024;

type Data = Record<string, string> | undefined;

export const keyErrors = (field: string, key: string): FieldError[] =>
  invalidEach(`${field}[${key}]`, key, isConfigMapKey(key));

/** `field`: where too much is told. */
export function sizeErrors({ text, base64 }: { text?: Data; base64?: Data }, field: string): FieldError[] {
  let bytes = 0;
  for (const key in text) bytes += Buffer.byteLength(text[key]!);
  for (const key in base64) bytes += Buffer.byteLength(base64[key]!, "base64");
  return bytes > dataBytesMax ? [tooLong(field, dataBytesMax)] : [];
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
  for (const field of fields)
    if (!isSameData(object[field] as Data, old[field] as Data)) errors.push(forbidden(field, text));
  return errors;
}

/** An empty value is a value. */
function isSameData(data: Data = {}, old: Data = {}): boolean {
  const keys = Object.keys(data);
  return keys.length === Object.keys(old).length && keys.every((key) => data[key] === old[key]);
}
