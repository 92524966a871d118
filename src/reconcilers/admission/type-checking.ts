/**
 * What the expressions of a policy would find wrong with the types of the kinds it matches. Upstream:
 * plugin/policy/validating/typechecking.go.
 */
import { compilePolicy, type PolicyEnvironment } from "#api/admissionregistration/policy-program.ts";
import type { ValidatingAdmissionPolicy } from "#api/admissionregistration/validating-admission-policy.ts";
import { allDefinitions } from "#api/all.ts";
import type { CustomResourceDefinition } from "#api/apiextensions/custom-resource-definition.ts";
import { CelCompileError } from "#api/cel/program.ts";
import { type CelType, types } from "#api/cel/types.ts";
import type { V1ExpressionWarning } from "#api/generated/types.ts";
import { compareText } from "#api/go-text.ts";
import { customTypeOf, objectTypeOf } from "./object-type.ts";

/** A policy is checked against so many kinds, the first by name. */
export const checkedKindsMax = 10;

interface CheckedKind {
  group: string;
  /** As Go prints it: "apps/v1, Kind=Deployment". */
  text: string;
  type: CelType;
}

/** `definitions`: the kinds that users brought. */
export function expressionWarnings(
  policy: ValidatingAdmissionPolicy,
  definitions: readonly CustomResourceDefinition[],
): V1ExpressionWarning[] {
  const kinds = kindsOf(policy, definitions);
  const params = paramsOf(policy, definitions);
  const warnings: V1ExpressionWarning[] = [];
  const check = (fieldRef: string, expression: string | undefined): void => {
    if (expression === undefined || expression === "") return;
    const found = kinds.flatMap((kind) => faultOf(policy, expression, kind, params));
    if (found.length > 0) warnings.push({ fieldRef, warning: found.join("\n") });
  };
  for (const [at, { expression, messageExpression }] of (policy.spec?.validations ?? []).entries()) {
    check(`spec.validations[${at}].expression`, expression);
    check(`spec.validations[${at}].messageExpression`, messageExpression);
  }
  return warnings;
}

/** Rules with a wildcard match objects of too many shapes; subresources have others. */
function kindsOf({ spec }: ValidatingAdmissionPolicy, definitions: readonly CustomResourceDefinition[]): CheckedKind[] {
  const found = new Map<string, CheckedKind>();
  const served = [...allDefinitions, ...definitions.flatMap(servedOf)];
  for (const { apiGroups = [], apiVersions = [], resources = [] } of spec?.matchConstraints?.resourceRules ?? []) {
    if ([...apiGroups, ...apiVersions].some((each) => each.includes("*"))) continue;
    for (const { group, version, kind, plural } of served) {
      if (!apiGroups.includes(group) || !apiVersions.includes(version) || !resources.includes(plural)) continue;
      const type = typeOf(group, version, kind, definitions);
      const text = `${group === "" ? version : `${group}/${version}`}, Kind=${kind}`;
      if (type !== undefined) found.set(text, { group, text, type });
    }
  }
  const sorted = [...found.values()].sort((a, b) => compareText(a.group, b.group) || compareText(a.text, b.text));
  return sorted.slice(0, checkedKindsMax);
}

const servedOf = ({ spec }: CustomResourceDefinition) =>
  (spec.versions ?? [])
    .filter(({ served }) => served)
    .map(({ name }) => ({ group: spec.group, version: name, kind: spec.names.kind, plural: spec.names.plural }));

const typeOf = (group: string, version: string, kind: string, definitions: readonly CustomResourceDefinition[]) =>
  objectTypeOf(group, version, kind) ?? customTypeOf(group, version, kind, definitions);

/** Of a kind that nobody serves there are no parameters. */
function paramsOf(
  { spec }: ValidatingAdmissionPolicy,
  definitions: readonly CustomResourceDefinition[],
): CelType | undefined {
  const { apiVersion = "", kind = "" } = spec?.paramKind ?? {};
  const parts = apiVersion.split("/");
  return typeOf(parts.length === 2 ? parts[0]! : "", parts.at(-1)!, kind, definitions);
}

function faultOf(
  policy: ValidatingAdmissionPolicy,
  expression: string,
  { text, type }: CheckedKind,
  params: CelType | undefined,
): string[] {
  const environment = { hasParams: params !== undefined, object: type, ...(params && { params }) };
  try {
    compilePolicy(expression, { ...environment, variables: variablesOf(policy, environment) });
    return [];
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error;
    return [`${text}: ${error.message}\n`];
  }
}

/** Each may use those before it; one that has no type may be anything. */
function variablesOf({ spec }: ValidatingAdmissionPolicy, environment: PolicyEnvironment): Map<string, CelType> {
  const variables = new Map<string, CelType>();
  for (const { name, expression } of spec?.variables ?? []) {
    try {
      variables.set(name, compilePolicy(expression, { ...environment, variables: new Map(variables) }).type);
    } catch (error) {
      if (!(error instanceof CelCompileError)) throw error;
      variables.set(name, types.dyn);
    }
  }
  return variables;
}
