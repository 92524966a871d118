/** What must hold before a device is bound, and what says that it cannot be. Upstream: validateDeviceBindingParameters. */
import type { FieldError } from "#api/field-error.ts";
import { duplicate, invalid, invalidEach } from "#api/validation/field-errors.ts";
import { isQualifiedName } from "#api/validation/names.ts";
import { listErrors } from "./device-names.ts";

const conditionsMax = 4;

interface Binding {
  bindingConditions?: string[];
  bindingFailureConditions?: string[];
}

export function bindingConditionsErrors(binding: Binding, path: string): FieldError[] {
  const { bindingConditions: wanted = [], bindingFailureConditions: failures = [] } = binding;
  const [wantedPath, failuresPath] = [`${path}.bindingConditions`, `${path}.bindingFailureConditions`];
  const overlapText = "bindingFailureConditions must not overlap with bindingConditions";
  const errors = [
    ...listErrors(wanted, conditionsMax, wantedPath, labelName),
    ...listErrors(failures, conditionsMax, failuresPath, labelName),
    ...wanted.flatMap((name, index) => twice(wanted, name, `${wantedPath}[${index}]`, index)),
    ...failures.flatMap((name, index) => [
      ...twice(failures, name, `${failuresPath}[${index}]`, index),
      ...(wanted.includes(name) ? [invalid(`${failuresPath}[${index}]`, name, overlapText)] : []),
    ]),
  ];
  if (wanted.length === 0 && failures.length > 0)
    errors.push(
      invalid(wantedPath, binding.bindingConditions, "bindingConditions are required to use bindingFailureConditions"),
    );
  if (failures.length === 0 && wanted.length > 0)
    errors.push(
      invalid(
        failuresPath,
        binding.bindingFailureConditions,
        "bindingFailureConditions are required to use bindingConditions",
      ),
    );
  return errors;
}

const labelName = (name: string, field: string) => invalidEach(field, name, isQualifiedName(name));
const twice = (names: readonly string[], name: string, field: string, index: number) =>
  names.indexOf(name) < index ? [duplicate(field, name)] : [];
