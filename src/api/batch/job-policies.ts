/** When a job gives up and when it has done enough. Upstream: validatePodFailurePolicy, validateSuccessPolicy. */
import type { V1JobSpec, V1PodFailurePolicyRule, V1SuccessPolicyRule } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { goQuote } from "#api/go-text.ts";
import {
  duplicate,
  invalid,
  invalidEach,
  invalidTogether,
  notSupported,
  required,
  tooLong,
  tooMany,
} from "#api/validation/field-errors.ts";
import { isQualifiedName } from "#api/validation/names.ts";
import { nonNegative } from "#api/validation/values.ts";
import { parseIntervals } from "./indexes.ts";

const rulesMax = 20;
const exitCodesMax = 255;
const indexesBytesMax = 64 * 1024;

/** Required, and one of a few, with upstream's text for what is missing. */
function choice(field: string, value: string | undefined, values: readonly string[]): FieldError[] {
  if (value === undefined || value === "") return [required(field, `valid values: [${values.map(goQuote).join(" ")}]`)];
  return values.includes(value) ? [] : [notSupported(field, value, values)];
}

export function podFailurePolicyErrors(spec: V1JobSpec, path: string): FieldError[] {
  const rules = spec.podFailurePolicy?.rules ?? [];
  const errors = rules.length > rulesMax ? [tooMany(`${path}.rules`, rules.length, rulesMax)] : [];
  const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
  const names = new Set([...(containers ?? []), ...(initContainers ?? [])].map(({ name }) => name));
  return [
    ...errors,
    ...rules.flatMap((rule, index) => failureRuleErrors(rule, spec, names, `${path}.rules[${index}]`)),
  ];
}

function failureRuleErrors(
  rule: V1PodFailurePolicyRule,
  spec: V1JobSpec,
  containerNames: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const errors = choice(`${path}.action`, rule.action, ["Count", "FailIndex", "FailJob", "Ignore"]);
  if (rule.action === "FailIndex" && spec.backoffLimitPerIndex === undefined)
    errors.push(invalid(`${path}.action`, rule.action, "requires the backoffLimitPerIndex to be set"));
  const conditions = rule.onPodConditions ?? [];
  if (rule.onExitCodes !== undefined)
    errors.push(...exitCodesErrors(rule.onExitCodes, containerNames, `${path}.onExitCodes`));
  if (conditions.length > rulesMax) errors.push(tooMany(`${path}.onPodConditions`, conditions.length, rulesMax));
  for (const [index, { type = "", status }] of conditions.entries()) {
    const at = `${path}.onPodConditions[${index}]`;
    errors.push(...invalidEach(`${at}.type`, type, isQualifiedName(type)));
    errors.push(...choice(`${at}.status`, status, ["False", "True", "Unknown"]));
  }
  if (rule.onExitCodes !== undefined && conditions.length > 0)
    errors.push(invalidTogether(path, "specifying both OnExitCodes and OnPodConditions is not supported"));
  if (rule.onExitCodes === undefined && conditions.length === 0)
    errors.push(invalidTogether(path, "specifying one of OnExitCodes and OnPodConditions is required"));
  return errors;
}

function exitCodesErrors(
  { operator, containerName, values }: NonNullable<V1PodFailurePolicyRule["onExitCodes"]>,
  containerNames: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const codes = values ?? [];
  const errors = choice(`${path}.operator`, operator, ["In", "NotIn"]);
  if (containerName !== undefined && !containerNames.has(containerName))
    errors.push(
      invalid(
        `${path}.containerName`,
        containerName,
        "must be one of the container or initContainer names in the pod template",
      ),
    );
  if (codes.length === 0) errors.push(invalid(`${path}.values`, values ?? null, "at least one value is required"));
  if (codes.length > exitCodesMax) errors.push(tooMany(`${path}.values`, codes.length, exitCodesMax));
  const seen = new Set<number>();
  for (const [index, code] of codes.entries()) {
    if (operator === "In" && code === 0)
      errors.push(invalid(`${path}.values[${index}]`, 0, "must not be 0 for the In operator"));
    if (seen.has(code)) errors.push(duplicate(`${path}.values[${index}]`, code));
    seen.add(code);
  }
  if (codes.some((code, index) => index > 0 && codes[index - 1]! > code))
    errors.push(invalid(`${path}.values`, codes, "must be ordered"));
  return errors;
}

export function successPolicyErrors(spec: V1JobSpec, path: string): FieldError[] {
  if (spec.completionMode !== "Indexed") return [invalid(path, spec.successPolicy, "requires indexed completion mode")];
  const rules = spec.successPolicy?.rules ?? [];
  const at = `${path}.rules`;
  const errors: FieldError[] = [];
  if (rules.length === 0)
    errors.push(required(at, "at least one rules must be specified when the successPolicy is specified"));
  if (rules.length > rulesMax) errors.push(tooMany(at, rules.length, rulesMax));
  return [
    ...errors,
    ...rules.flatMap((rule, index) => successRuleErrors(rule, spec.completions ?? 0, `${at}[${index}]`)),
  ];
}

function successRuleErrors(
  { succeededCount, succeededIndexes }: V1SuccessPolicyRule,
  completions: number,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (succeededCount === undefined && succeededIndexes === undefined)
    errors.push(required(path, "at least one of succeededCount or succeededIndexes must be specified"));
  let total = 0;
  if (succeededIndexes !== undefined) {
    if (succeededIndexes.length > indexesBytesMax) errors.push(tooLong(`${path}.succeededIndexes`, indexesBytesMax));
    const read = parseIntervals(succeededIndexes, completions);
    if (read.fault !== undefined)
      errors.push(
        invalid(`${path}.succeededIndexes`, succeededIndexes, `error parsing succeededIndexes: ${read.fault}`),
      );
    else total = read.total;
  }
  if (succeededCount === undefined) return errors;
  const field = `${path}.succeededCount`;
  errors.push(...nonNegative(field, succeededCount));
  if (succeededCount > completions)
    errors.push(
      invalid(
        field,
        succeededCount,
        `must be less than or equal to ${completions} (the number of specified completions)`,
      ),
    );
  if (succeededIndexes !== undefined && succeededCount > total)
    errors.push(
      invalid(
        field,
        succeededCount,
        `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`,
      ),
    );
  return errors;
}
