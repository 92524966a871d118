/** Conditions of the common type. Upstream: ValidateConditions in apimachinery/pkg/apis/meta/v1/validation. */
import type { V1Condition } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { duplicate, invalid, invalidEach, notSupported, required, tooLong } from "./field-errors.ts";
import { isQualifiedName, regexError } from "./names.ts";

const reasonBytesMax = 1024;
const messageBytesMax = 32 * 1024;
const statuses = ["False", "True", "Unknown"];
const reason = /^[A-Za-z](?:[A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;
const reasonText = regexError(
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
  "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?",
  "my_name",
  "MY_NAME",
  "MyName",
  "ReasonA,ReasonB",
  "ReasonA:ReasonB",
);

export function conditionsErrors(conditions: readonly V1Condition[] | undefined | null, path: string): FieldError[] {
  const seen = new Set<string>();
  return (conditions ?? []).flatMap((condition, index) => {
    const at = `${path}[${index}]`;
    const errors = seen.has(condition.type) ? [duplicate(`${at}.type`, condition.type)] : [];
    seen.add(condition.type);
    return [...errors, ...conditionErrors(condition, at)];
  });
}

function conditionErrors(condition: V1Condition, path: string): FieldError[] {
  const { type = "", status, observedGeneration = 0, lastTransitionTime, message = "" } = condition;
  const errors = invalidEach(`${path}.type`, type, isQualifiedName(type));
  if (!statuses.includes(status)) errors.push(notSupported(`${path}.status`, status ?? "", statuses));
  if (observedGeneration < 0)
    errors.push(invalid(`${path}.observedGeneration`, observedGeneration, "must be greater than or equal to zero"));
  if (!lastTransitionTime) errors.push(required(`${path}.lastTransitionTime`));
  errors.push(...reasonErrors(condition.reason ?? "", `${path}.reason`));
  if (message.length > messageBytesMax) errors.push(tooLong(`${path}.message`, messageBytesMax));
  return errors;
}

function reasonErrors(text: string, field: string): FieldError[] {
  if (text === "") return [required(field)];
  const errors = reason.test(text) ? [] : [invalid(field, text, reasonText)];
  return text.length > reasonBytesMax ? [...errors, tooLong(field, reasonBytesMax)] : errors;
}
