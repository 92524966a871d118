/** What users hand to drivers, which taints they bear, how they choose. Upstream: pkg/apis/resource/validation/validation.go. */
import { csiDriverErrors } from "#api/core/volume-sources.ts";
import type {
  V1DeviceSelector,
  V1DeviceTaint,
  V1DeviceToleration,
  V1OpaqueDeviceConfiguration,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { isLongerThan } from "#api/go-text.ts";
import { invalid, invalidEach, notSupported, required, tooLong } from "#api/validation/field-errors.ts";
import { isLabelValue, isQualifiedName } from "#api/validation/names.ts";
import { listErrors } from "./device-names.ts";

const parametersBytesMax = 10 * 1024;
const selectorsMax = 32;
const expressionBytesMax = 10 * 1024;
const taintEffects = ["NoExecute", "NoSchedule", "None"];
const operators = ["Equal", "Exists"];

export function configurationErrors({ opaque }: { opaque?: V1OpaqueDeviceConfiguration }, path: string): FieldError[] {
  if (opaque === undefined) return [required(`${path}.opaque`)];
  const { driver, parameters } = opaque as Partial<V1OpaqueDeviceConfiguration>;
  return [
    ...csiDriverErrors(driver, `${path}.opaque.driver`),
    ...parametersErrors(parameters, `${path}.opaque.parameters`),
  ];
}

function parametersErrors(parameters: unknown, field: string): FieldError[] {
  if (parameters === undefined || parameters === null) return [required(field)];
  if (typeof parameters !== "object" || Array.isArray(parameters))
    return [invalid(field, "<value omitted>", "must be a valid JSON object")];
  return isLongerThan(JSON.stringify(parameters), parametersBytesMax) ? [tooLong(field, parametersBytesMax)] : [];
}

export const selectorsErrors = (selectors: readonly V1DeviceSelector[] | undefined, path: string): FieldError[] =>
  listErrors(selectors, selectorsMax, path, ({ cel }, at) => {
    if (cel === undefined) return [required(`${at}.cel`)];
    const { expression = "" } = cel;
    return isLongerThan(expression, expressionBytesMax) ? [tooLong(`${at}.cel.expression`, expressionBytesMax)] : [];
  });

export function tolerationErrors(toleration: V1DeviceToleration, path: string): FieldError[] {
  const { key = "", operator = "", value = "", effect = "" } = toleration;
  const errors = key === "" ? [] : invalidEach(`${path}.key`, key, isQualifiedName(key));
  if (operator === "Exists" && value !== "")
    errors.push(invalid(`${path}.value`, value, "must be empty for operator `Exists`"));
  if (operator === "Equal") errors.push(...invalidEach(`${path}.value`, value, isLabelValue(value)));
  if (operator === "") errors.push(required(`${path}.operator`));
  else if (!operators.includes(operator)) errors.push(notSupported(`${path}.operator`, operator, operators));
  if (effect !== "" && !taintEffects.includes(effect))
    errors.push(notSupported(`${path}.effect`, effect, taintEffects));
  return errors;
}

export function taintErrors({ key, value = "", effect }: Partial<V1DeviceTaint>, path: string): FieldError[] {
  return [
    ...invalidEach(`${path}.key`, key ?? "", isQualifiedName(key ?? "")),
    ...(value === "" ? [] : invalidEach(`${path}.value`, value, isLabelValue(value))),
    ...((effect ?? "") === ""
      ? [required(`${path}.effect`)]
      : taintEffects.includes(effect!)
        ? []
        : [notSupported(`${path}.effect`, effect, taintEffects)]),
  ];
}
