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
import {
  forbidden,
  internalFault,
  invalid,
  invalidEach,
  notSupported,
  required,
  tooLong,
} from "#api/validation/field-errors.ts";
import { isLabelValue, isQualifiedName } from "#api/validation/names.ts";
import { listErrors } from "./device-names.ts";
import { selectorFault } from "./device-program.ts";

const parametersBytesMax = 10 * 1024;
const selectorsMax = 32;
const expressionBytesMax = 10 * 1024;
const taintEffects = ["NoExecute", "NoSchedule", "None"];
const operators = ["Equal", "Exists"];

/** `isStored`: what was there before may be longer than what is new. */
export function configurationErrors(
  { opaque }: { opaque?: V1OpaqueDeviceConfiguration },
  path: string,
  isStored = false,
): FieldError[] {
  if (opaque === undefined) return [required(`${path}.opaque`)];
  const { driver, parameters } = opaque as Partial<V1OpaqueDeviceConfiguration>;
  return [
    ...csiDriverErrors(driver, `${path}.opaque.driver`),
    ...rawObjectErrors(parameters, `${path}.opaque.parameters`, isStored ? Infinity : parametersBytesMax),
  ];
}

/** JSON that drivers understand: an object, and not too long. Upstream: validateRawExtension. */
export function rawObjectErrors(value: unknown, field: string, bytesMax: number): FieldError[] {
  if (value === undefined) return [required(field)];
  if (isLongerThan(JSON.stringify(value), bytesMax)) return [tooLong(field, bytesMax)];
  if (value === null) return [required(field)];
  return typeof value === "object" && !Array.isArray(value)
    ? []
    : [invalid(field, "<value omitted>", "must be a valid JSON object")];
}

/** `isStored`: expressions that were understood once are not looked at again. */
export const selectorsErrors = (
  selectors: readonly V1DeviceSelector[] | undefined,
  path: string,
  isStored = false,
): FieldError[] =>
  listErrors(selectors, selectorsMax, path, ({ cel }, at) => {
    if (cel === undefined) return [required(`${at}.cel`)];
    return isStored ? [] : expressionErrors(cel.expression ?? "", `${at}.cel.expression`);
  });

function expressionErrors(expression: string, field: string): FieldError[] {
  if (isLongerThan(expression, expressionBytesMax)) return [tooLong(field, expressionBytesMax)];
  const fault = selectorFault(expression);
  if (fault === undefined) return [];
  const { kind, text } = fault;
  if (kind === "forbidden") return [forbidden(field, text)];
  return [kind === "internal" ? internalFault(field, text) : invalid(field, expression, text)];
}

export const tolerationsErrors = (tolerations: readonly V1DeviceToleration[] | undefined, path: string): FieldError[] =>
  (tolerations ?? []).flatMap((toleration, index) => tolerationErrors(toleration, `${path}[${index}]`));

function tolerationErrors(toleration: V1DeviceToleration, path: string): FieldError[] {
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
