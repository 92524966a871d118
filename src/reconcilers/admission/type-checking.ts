/**
 * What the expressions of a policy would find wrong with the types of the kinds it matches. Upstream:
 * plugin/policy/validating/typechecking.go.
 */
import { compilePolicy, type PolicyEnvironment } from "#api/admissionregistration/policy-program.ts";
import type { ValidatingAdmissionPolicy } from "#api/admissionregistration/validating-admission-policy.ts";
import { allDefinitions } from "#api/all.ts";
import { CelCompileError } from "#api/cel/program.ts";
import { type CelType, types } from "#api/cel/types.ts";
import type { V1ExpressionWarning } from "#api/generated/types.ts";
import { objectTypeOf } from "./object-type.ts";

/** A policy is checked against so many kinds, the first by name. */
export const checkedKindsMax = 10;

interface CheckedKind {
  /** As Go prints it: "apps/v1, Kind=Deployment". */
  text: string;
  type: CelType;
}

export function expressionWarnings(policy: ValidatingAdmissionPolicy): V1ExpressionWarning[] {
  const kinds = kindsOf(policy);
  const warnings: V1ExpressionWarning[] = [];
  const check = (fieldRef: string, expression: string | undefined): void => {
    const found =
      expression === undefined || expression === "" ? [] : kinds.flatMap((kind) => faultOf(policy, expression, kind));
    if (found.length > 0) warnings.push({ fieldRef, warning: found.join("\n") });
  };
  for (const [at, { expression, messageExpression }] of (policy.spec?.validations ?? []).entries()) {
    check(`spec.validations[${at}].expression`, expression);
    check(`spec.validations[${at}].messageExpression`, messageExpression);
  }
  return warnings;
}

/** Rules with a wildcard or a subresource match objects of too many shapes. */
function kindsOf({ spec }: ValidatingAdmissionPolicy): CheckedKind[] {
  const found = new Map<string, CheckedKind>();
  for (const { apiGroups = [], apiVersions = [], resources = [] } of spec?.matchConstraints?.resourceRules ?? []) {
    if ([...apiGroups, ...apiVersions].includes("*") || resources.some((each) => /[*/]/.test(each))) continue;
    for (const { group, version, kind, plural } of allDefinitions) {
      if (!apiGroups.includes(group) || !apiVersions.includes(version) || !resources.includes(plural)) continue;
      const type = objectTypeOf(group, version, kind);
      const text = `${group === "" ? version : `${group}/${version}`}, Kind=${kind}`;
      if (type !== undefined) found.set(text, { text, type });
    }
  }
  const sorted = [...found.values()].sort((a, b) => (a.text < b.text ? -1 : 1));
  return sorted.slice(0, checkedKindsMax);
}

function faultOf(policy: ValidatingAdmissionPolicy, expression: string, { text, type }: CheckedKind): string[] {
  const environment = { hasParams: policy.spec?.paramKind !== undefined, object: type };
  try {
    compilePolicy(expression, { ...environment, variables: variablesOf(policy, environment) });
    return [];
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error;
    return [`${text}: ${error.message}`];
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
