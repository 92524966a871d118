/** What admission policies of both kinds have, and in which order it is looked at. Upstream: admissionregistration/validation. */
import type { V1MatchCondition, V1MatchResources, V1ParamKind, V1Variable } from "#api/generated/types.ts";
import type { CelType } from "#api/cel/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { invalid, required } from "#api/validation/field-errors.ts";
import { oneOfIfSet, semanticEqual } from "#api/validation/values.ts";
import { matchConditionsErrors } from "./match-conditions.ts";
import { matchErrors, paramKindErrors } from "./match-rules.ts";
import { compileExpression, isBlank } from "./policy-expressions.ts";
import type { PolicyEnvironment } from "./policy-program.ts";
import { failurePolicies } from "./webhook-rules.ts";

/** Words of CEL and words that it keeps for later. */
const reservedWords = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);
const isCelIdentifier = (name: string): boolean => /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !reservedWords.has(name);

interface PolicySpec {
  failurePolicy?: string;
  paramKind?: V1ParamKind;
  matchConstraints?: V1MatchResources;
  matchConditions?: V1MatchCondition[];
  variables?: V1Variable[];
}

interface PolicyParts {
  errors: FieldError[];
  /** What the expressions of checks and changes know. */
  environment: PolicyEnvironment;
}

export function policyParts(spec: PolicySpec, old: PolicySpec | undefined): PolicyParts {
  const { failurePolicy, paramKind, matchConstraints, matchConditions } = spec;
  const errors = oneOfIfSet("spec.failurePolicy", failurePolicy, failurePolicies);
  const hasParams = paramKind !== undefined;
  if (hasParams) errors.push(...paramKindErrors(paramKind, "spec.paramKind"));
  errors.push(...constraintsErrors(matchConstraints, "spec.matchConstraints"));
  const isAsBefore =
    old !== undefined &&
    semanticEqual(paramKind, old.paramKind) &&
    semanticEqual(matchConditions ?? [], old.matchConditions ?? []);
  if (!isAsBefore) errors.push(...matchConditionsErrors(matchConditions, "spec.matchConditions", hasParams));
  const variables = new Map<string, CelType>();
  for (const [index, variable] of (spec.variables ?? []).entries())
    errors.push(...variableErrors(variable, `spec.variables[${index}]`, { hasParams, variables }));
  return { errors, environment: { hasParams, ...(variables.size === 0 ? {} : { variables }) } };
}

function constraintsErrors(match: V1MatchResources | undefined, path: string): FieldError[] {
  if (match === undefined) return [required(path)];
  const errors = matchErrors(match, path);
  return (match.resourceRules ?? []).length === 0 ? [...errors, required(`${path}.resourceRules`)] : errors;
}

/** A variable knows those before it, and is known to those after it. */
function variableErrors(
  { name = "", expression = "" }: Partial<V1Variable>,
  path: string,
  environment: { hasParams: boolean; variables: Map<string, CelType> },
): FieldError[] {
  const errors: FieldError[] = [];
  if (isBlank(name)) errors.push(required(`${path}.name`, "name is not specified"));
  else if (!isCelIdentifier(name)) errors.push(invalid(`${path}.name`, name, "must be a valid CEL identifier"));
  if (isBlank(expression)) return [...errors, required(`${path}.expression`, "expression is not specified")];
  const outcome = compileExpression(`${path}.expression`, expression, environment, []);
  environment.variables.set(name, outcome.type);
  return [...errors, ...outcome.errors];
}
