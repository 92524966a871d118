/** The rules of device classes. Upstream: pkg/apis/resource/validation/validation.go, ValidateDeviceClass. */
import { isExtendedResource } from "#api/core/resource-names.ts";
import type { V1DeviceClass } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { invalid } from "#api/validation/field-errors.ts";
import { configurationErrors, selectorsErrors } from "./device-configuration.ts";
import { listErrors } from "./device-names.ts";

export const configurationsMax = 32;

export function deviceClassErrors({ spec }: V1DeviceClass): FieldError[] {
  const { selectors, config, extendedResourceName: name } = spec ?? {};
  const isNamed = name === undefined || isExtendedResource(name);
  return [
    ...selectorsErrors(selectors, "spec.selectors"),
    ...listErrors(config, configurationsMax, "spec.config", configurationErrors),
    ...(isNamed ? [] : [invalid("spec.extendedResourceName", name, "must be a valid extended resource name")]),
  ];
}
