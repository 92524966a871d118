/** Whether the expressions of a policy can be carried out, and give what they must. Upstream: admissionregistration/validation. */
import { CelCompileError } from "#api/cel/program.ts";
import { type CelType, typeText, types } from "#api/cel/types.ts";
import type { FieldError } from "#api/field-error.ts";
import type { V1MutatingAdmissionPolicy, V1ValidatingAdmissionPolicy } from "#api/generated/types.ts";
import { invalid } from "#api/validation/field-errors.ts";
import { type PolicyEnvironment, compilePolicy } from "./policy-program.ts";

interface Outcome {
  type: CelType;
  errors: FieldError[];
}

/** What was there before is not refused later: it was understood once. */
export function policyExpressionErrors(
  { spec }: V1ValidatingAdmissionPolicy,
  old: V1ValidatingAdmissionPolicy | undefined,
): FieldError[] {
  if (spec === undefined) return [];
  const known = new Set(old === undefined ? [] : expressionsOf(old));
  const hasParams = spec.paramKind !== undefined;
  const { errors, variables } = variablesOf(spec.variables ?? [], hasParams, known);
  const environment = { hasParams, ...(variables.size === 0 ? {} : { variables }) };
  for (const [index, { expression }] of (spec.matchConditions ?? []).entries())
    errors.push(
      ...check(`spec.matchConditions[${index}].expression`, expression, { hasParams }, ["bool"], known).errors,
    );
  for (const [index, { expression, messageExpression }] of (spec.validations ?? []).entries()) {
    const path = `spec.validations[${index}]`;
    errors.push(...check(`${path}.expression`, expression, environment, ["bool"], known).errors);
    const forMessage = { ...environment, hasAuthorizer: false };
    errors.push(...check(`${path}.messageExpression`, messageExpression, forMessage, ["string"], known).errors);
  }
  for (const [index, { valueExpression }] of (spec.auditAnnotations ?? []).entries()) {
    const at = `spec.auditAnnotations[${index}].valueExpression`;
    errors.push(...check(at, valueExpression, environment, ["string", "null_type"], known).errors);
  }
  return errors;
}

type Conditions = readonly { expression: string }[];

/** Those of webhooks, which have no parameters. */
export function webhookExpressionErrors<T extends { matchConditions?: Conditions }>(
  webhooks: readonly T[] | undefined,
  old: readonly T[] | undefined,
): FieldError[] {
  const known = new Set(
    (old ?? []).flatMap(({ matchConditions = [] }) => matchConditions).map((one) => one.expression),
  );
  return (webhooks ?? []).flatMap(({ matchConditions = [] }, index) =>
    matchConditions.flatMap(({ expression }, at) => {
      const field = `webhooks[${index}].matchConditions[${at}].expression`;
      return check(field, expression, { hasParams: false }, ["bool"], known).errors;
    }),
  );
}

export function mutationExpressionErrors(
  { spec }: V1MutatingAdmissionPolicy,
  old: V1MutatingAdmissionPolicy | undefined,
): FieldError[] {
  if (spec === undefined) return [];
  const known = new Set(old === undefined ? [] : mutationsOf(old));
  const hasParams = spec.paramKind !== undefined;
  const { errors, variables } = variablesOf(spec.variables ?? [], hasParams, known);
  const environment = { hasParams, isMutation: true, ...(variables.size === 0 ? {} : { variables }) };
  for (const [index, { expression }] of (spec.matchConditions ?? []).entries())
    errors.push(
      ...check(`spec.matchConditions[${index}].expression`, expression, { hasParams }, ["bool"], known).errors,
    );
  for (const [index, { patchType, applyConfiguration, jsonPatch }] of (spec.mutations ?? []).entries()) {
    const isPatch = patchType === "JSONPatch";
    const field = `spec.mutations[${index}].${isPatch ? "jsonPatch" : "applyConfiguration"}.expression`;
    const expression = (isPatch ? jsonPatch : applyConfiguration)?.expression;
    const wanted = isPatch ? "list(JSONPatch)" : "Object";
    errors.push(...check(field, expression, environment, [wanted], known).errors);
  }
  return errors;
}

function mutationsOf({ spec }: V1MutatingAdmissionPolicy): string[] {
  const { variables, matchConditions, mutations } = spec ?? {};
  return [
    ...[...(variables ?? []), ...(matchConditions ?? [])].map(({ expression }) => expression),
    ...(mutations ?? []).flatMap(({ applyConfiguration, jsonPatch }) => [
      applyConfiguration?.expression ?? "",
      jsonPatch?.expression ?? "",
    ]),
  ];
}

function expressionsOf({ spec }: V1ValidatingAdmissionPolicy): string[] {
  const { variables, matchConditions, validations, auditAnnotations } = spec ?? {};
  return [
    ...[...(variables ?? []), ...(matchConditions ?? [])].map(({ expression }) => expression),
    ...(validations ?? []).flatMap(({ expression, messageExpression = "" }) => [expression, messageExpression]),
    ...(auditAnnotations ?? []).map(({ valueExpression }) => valueExpression),
  ];
}

function variablesOf(
  given: readonly { name: string; expression: string }[],
  hasParams: boolean,
  known: ReadonlySet<string>,
): { errors: FieldError[]; variables: Map<string, CelType> } {
  const variables = new Map<string, CelType>();
  const errors: FieldError[] = [];
  for (const [index, { name, expression }] of given.entries()) {
    const environment = { hasParams, variables: new Map(variables) };
    const outcome = check(`spec.variables[${index}].expression`, expression, environment, [], known);
    errors.push(...outcome.errors);
    variables.set(name, outcome.type);
  }
  return { errors, variables };
}

/** `wanted` empty: any type will do. */
function check(
  field: string,
  expression: string | undefined,
  environment: PolicyEnvironment,
  wanted: readonly string[],
  known: ReadonlySet<string>,
): Outcome {
  if (expression === undefined || expression.trim() === "") return { type: types.dyn, errors: [] };
  try {
    const { type } = compilePolicy(expression, environment);
    const name = type.kind === "null" ? "null_type" : typeText(type);
    if (wanted.length === 0 || wanted.includes(name)) return { type, errors: [] };
    const what = wanted.length === 1 ? wanted[0] : `one of [${wanted.join(" ")}]`;
    return { type, errors: told(invalid(field, expression, `must evaluate to ${what} but got ${name}`)) };
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error;
    return { type: types.dyn, errors: told(invalid(field, expression, `compilation failed: ${error.message}`)) };
  }

  function told(fault: FieldError): FieldError[] {
    return known.has(expression ?? "") ? [] : [fault];
  }
}
