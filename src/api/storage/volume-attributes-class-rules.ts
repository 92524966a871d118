/** The rules of attributes classes. Upstream: ValidateVolumeAttributesClass, ValidateVolumeAttributesClassUpdate. */
import type { V1VolumeAttributesClass } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { forbidden } from "#api/validation/field-errors.ts";
import { semanticEqual } from "#api/validation/values.ts";
import { parametersErrors, provisionerErrors } from "./parameters.ts";

const immutableFields = ["driverName", "parameters"] as const;

export function attributesClassErrors(
  attributesClass: V1VolumeAttributesClass,
  old: V1VolumeAttributesClass | undefined,
): FieldError[] {
  const errors = [
    ...provisionerErrors(attributesClass.driverName, "driverName"),
    ...parametersErrors(attributesClass.parameters, { mayBeEmpty: false }),
  ];
  if (old === undefined) return errors;
  const changed = immutableFields.filter((field) => !semanticEqual(attributesClass[field], old[field]));
  // Upstream looks at a changed class twice.
  return [...errors, ...changed.map((field) => forbidden(field, `updates to ${field} are forbidden.`)), ...errors];
}
