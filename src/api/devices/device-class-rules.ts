/** The rules of device classes. Upstream: pkg/apis/resource/validation/validation.go, ValidateDeviceClass. */
import { isExtendedResource } from "#api/core/resource-names.ts";
import type { V1DeviceClass } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { invalid } from "#api/validation/field-errors.ts";
import { semanticEqual } from "#api/validation/values.ts";
import { configurationErrors, selectorsErrors } from "./device-configuration.ts";
import { listErrors } from "./device-names.ts";

export const configurationsMax = 32;

export function deviceClassErrors({ spec }: V1DeviceClass, old: V1DeviceClass | undefined): FieldError[] {
  const { selectors, config, extendedResourceName: name } = spec ?? {};
  const isStored = (field: "selectors" | "config") =>
    old !== undefined && semanticEqual(spec?.[field], old.spec?.[field]);
  const isNamed = name === undefined || isExtendedResource(name);
  return [
    ...selectorsErrors(selectors, "spec.selectors", isStored("selectors")),
    ...listErrors(config, configurationsMax, "spec.config", (one, at) =>
      configurationErrors(one, at, isStored("config")),
    ),
    ...(isNamed ? [] : [invalid("spec.extendedResourceName", name, "must be a valid extended resource name")]),
  ];
}
