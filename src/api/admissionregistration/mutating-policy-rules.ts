/** The rules of policies that change what comes in. Upstream: pkg/apis/admissionregistration/validation/validation.go. */
import type { V1MutatingAdmissionPolicy, V1Mutation } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { invalid, required } from "#api/validation/field-errors.ts";
import { oneOf } from "#api/validation/values.ts";
import { expressionErrors, isBlank } from "./policy-expressions.ts";
import { policyParts } from "./policy-parts.ts";
import type { PolicyEnvironment } from "./policy-program.ts";
import { reinvocationPolicies } from "./webhook-rules.ts";

const patchTypes = ["ApplyConfiguration", "JSONPatch"];
const patchFields = { ApplyConfiguration: "applyConfiguration", JSONPatch: "jsonPatch" } as const;
const patchValues = { ApplyConfiguration: "Object", JSONPatch: "list(JSONPatch)" } as const;

export function mutatingPolicyErrors(
  { spec = {} }: V1MutatingAdmissionPolicy,
  old?: V1MutatingAdmissionPolicy,
): FieldError[] {
  const { errors, environment } = policyParts(spec, old?.spec);
  return [
    ...errors,
    ...mutationsErrors(spec.mutations ?? [], { ...environment, isMutation: true }),
    ...oneOf("spec.reinvocationPolicy", spec.reinvocationPolicy, reinvocationPolicies),
  ];
}

function mutationsErrors(given: readonly V1Mutation[], environment: PolicyEnvironment): FieldError[] {
  if (given.length === 0) return [required("spec.mutations", "mutations must contain at least one item")];
  return given.flatMap((mutation, index) => mutationErrors(mutation, `spec.mutations[${index}]`, environment));
}

/** The field that the patch type names, and no other. */
function mutationErrors(mutation: Partial<V1Mutation>, path: string, environment: PolicyEnvironment): FieldError[] {
  const { patchType } = mutation;
  if (patchType !== "ApplyConfiguration" && patchType !== "JSONPatch")
    return oneOf(`${path}.patchType`, patchType, patchTypes);
  const own = patchFields[patchType];
  const other = own === "jsonPatch" ? "applyConfiguration" : "jsonPatch";
  const field = `${path}.${own}.expression`;
  const expression = mutation[own]?.expression ?? "";
  const errors: FieldError[] = [];
  if (mutation[own] === undefined)
    errors.push(required(`${path}.${own}`, `must be specified when patchType is ${patchType}`));
  else if (isBlank(expression)) errors.push(required(field, "expression is not specified"));
  else errors.push(...expressionErrors(field, expression.trim(), environment, [patchValues[patchType]], expression));
  if (mutation[other] !== undefined)
    errors.push(invalid(`${path}.${other}`, `{${other}}`, `must not be specified when patchType is ${patchType}`));
  return errors;
}
