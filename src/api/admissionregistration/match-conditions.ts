/** Conditions in CEL that decide whether a webhook or policy looks at a request. Upstream: validateMatchConditions. */
import type { V1MatchCondition } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { duplicate, invalidEach, required, tooMany } from "#api/validation/field-errors.ts";
import { isQualifiedName } from "#api/validation/names.ts";
import { expressionErrors } from "./policy-expressions.ts";

const conditionsMax = 64;

export function matchConditionsErrors(
  conditions: readonly Partial<V1MatchCondition>[] | undefined,
  path: string,
  hasParams: boolean,
): FieldError[] {
  const given = conditions ?? [];
  const seen = new Set<string>();
  const errors = given.length > conditionsMax ? [tooMany(path, given.length, conditionsMax)] : [];
  for (const [index, { name = "", expression = "" }] of given.entries()) {
    const at = `${path}[${index}]`;
    const text = expression.trim();
    if (text === "") errors.push(required(`${at}.expression`));
    else errors.push(...expressionErrors(`${at}.expression`, text, { hasParams }, ["bool"]));
    errors.push(...(name === "" ? [required(`${at}.name`)] : invalidEach(`${at}.name`, name, isQualifiedName(name))));
    if (name !== "" && seen.has(name)) errors.push(duplicate(`${at}.name`, name));
    seen.add(name);
  }
  return errors;
}
