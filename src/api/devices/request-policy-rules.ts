/** In which amounts a capacity that several share can be asked for. Upstream: validateRequestPolicy. */
import type { FieldError } from "#api/field-error.ts";
import type { V1CapacityRequestPolicy, V1CapacityRequestPolicyRange } from "#api/generated/types.ts";
import { addQuantities, canonicalQuantity, quantityText, toQuantity } from "#api/quantity.ts";
import { forbidden, invalid, required } from "#api/validation/field-errors.ts";
import { setErrors } from "./device-names.ts";

const valuesMax = 10;

export function requestPolicyErrors(capacity: string, policy: V1CapacityRequestPolicy, path: string): FieldError[] {
  const { validValues = [], validRange, default: given } = policy;
  if (validValues.length > 0 && validRange !== undefined)
    return [
      forbidden(
        path,
        'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time',
      ),
    ];
  const field = `${path}.default`;
  if (validValues.length > 0)
    return given === undefined
      ? [required(field, "required when validValues is defined")]
      : valuesErrors(given, capacity, validValues, `${path}.validValues`);
  if (validRange === undefined) return [];
  return given === undefined
    ? [required(field, "required when validRange is defined")]
    : rangeErrors(given, capacity, validRange, `${path}.validRange`);
}

const nanos = (text: string): bigint => toQuantity(text).nanos;
const shown = canonicalQuantity;
/** Rounded up, as Go's Quantity.Value does. */
const whole = (text: string): bigint => {
  const amount = nanos(text);
  const unit = 1_000_000_000n;
  return amount > 0n ? (amount + unit - 1n) / unit : -(-amount / unit);
};

function valuesErrors(given: string, capacity: string, values: readonly string[], path: string): FieldError[] {
  const unsorted = values.flatMap((value, index) =>
    index > 0 && nanos(values[index - 1]!) > nanos(value)
      ? [invalid(`${path}[${index}]`, shown(value), "values must be sorted in ascending order")]
      : [],
  );
  const errors = setErrors(
    values,
    valuesMax,
    path,
    (value) => String(whole(value)),
    (value, at) =>
      nanos(value) > nanos(capacity)
        ? [invalid(at, shown(value), `option is larger than capacity value: ${shown(capacity)}`)]
        : [],
  );
  const isKnown = values.length <= valuesMax && values.some((value) => nanos(value) === nanos(given));
  const text = "default value is not valid according to the requestPolicy";
  return [...unsorted, ...errors, ...(isKnown ? [] : [invalid(path, shown(given), text)])];
}

function rangeErrors(given: string, capacity: string, range: V1CapacityRequestPolicyRange, path: string): FieldError[] {
  const { min, max, step } = range as Partial<V1CapacityRequestPolicyRange>;
  if (min === undefined) return [required(`${path}.min`, "required when validRange is defined")];
  const errors: FieldError[] = [];
  const over = (field: string, value: string, limit: string, text: string) => {
    if (nanos(value) > nanos(limit)) errors.push(invalid(`${path}.${field}`, shown(value), `${text}: ${shown(limit)}`));
  };
  over("min", min, capacity, "min is larger than capacity value");
  if (nanos(given) < nanos(min))
    errors.push(invalid(`${path}.min`, shown(given), `default is less than min: ${shown(min)}`));
  if (max !== undefined) {
    over("max", min, max, "min is larger than max");
    over("max", max, capacity, "max is larger than capacity value");
    over("max", given, max, "default is more than max");
  }
  return step === undefined ? errors : [...errors, ...stepErrors(given, capacity, { min, max, step }, `${path}.step`)];
}

function stepErrors(
  given: string,
  capacity: string,
  { min, max, step }: { min: string; max: string | undefined; step: string },
  field: string,
): FieldError[] {
  if (nanos(step) <= 0n) return [invalid(field, shown(step), "must be greater than zero")];
  const first = addQuantities(toQuantity(min), toQuantity(step));
  const isOver = first.nanos > nanos(capacity);
  const off = [given, ...(max === undefined ? [] : [max])].filter(
    (value) => (whole(value) - whole(min)) % whole(step) !== 0n,
  );
  return [
    ...(isOver
      ? [
          invalid(
            field,
            shown(step),
            `one step ${quantityText(first)} is larger than capacity value: ${shown(capacity)}`,
          ),
        ]
      : []),
    ...off.map((value) =>
      invalid(field, shown(value), `value is not a multiple of a given step (${shown(step)}) from (${shown(min)})`),
    ),
  ];
}
