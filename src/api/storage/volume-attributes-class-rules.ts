/** The rules of attributes classes. Upstream: ValidateVolumeAttributesClass, ValidateVolumeAttributesClassUpdate. */
import type { V1VolumeAttributesClass } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";

export function attributesClassErrors(
  _attributesClass: V1VolumeAttributesClass,
  _old: V1VolumeAttributesClass | undefined,
): FieldError[] {
  return [];
}
