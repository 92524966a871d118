/** The rules of questions about rights. Upstream: pkg/apis/authorization/validation/validation.go. */
import type { V1ResourceAttributes, V1SubjectAccessReview, V1SubjectAccessReviewSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { forbidden, invalid, invalidEach, required } from "#api/validation/field-errors.ts";
import { isLabelValue, isQualifiedName } from "#api/validation/names.ts";

export type ReviewScope = "self" | "anyone" | "local";

/** A review has no identity: everything but its managed fields (and a local one's namespace) must be empty. */
export function accessReviewErrors(review: V1SubjectAccessReview, scope: ReviewScope): FieldError[] {
  const { metadata, spec = {} } = review;
  const { managedFields: _, namespace, ...rest } = metadata;
  const isEmpty = Object.keys(rest).length === 0 && (scope === "local" || namespace === undefined);
  const text = scope === "local" ? "must be empty except for namespace" : "must be empty";
  return [
    ...specErrors(spec, scope),
    ...(isEmpty ? [] : [invalid("metadata", metadata, text)]),
    ...(scope === "local" ? localErrors(spec, namespace ?? "") : []),
  ];
}

function specErrors(spec: V1SubjectAccessReviewSpec, scope: ReviewScope): FieldError[] {
  const { resourceAttributes: resource, nonResourceAttributes: other, user = "", groups = [] } = spec;
  const errors: FieldError[] = [];
  if (resource !== undefined && other !== undefined)
    errors.push(
      invalid("spec.nonResourceAttributes", other, "cannot be specified in combination with resourceAttributes"),
    );
  if (resource === undefined && other === undefined) {
    const text = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    errors.push(invalid("spec.resourceAttributes", null, text));
  }
  if (scope !== "self" && user === "" && groups.length === 0)
    errors.push(invalid("spec.user", user, "at least one of user or group must be specified"));
  return resource === undefined ? errors : [...errors, ...selectorsErrors(resource, "spec.resourceAttributes")];
}

function localErrors({ resourceAttributes, nonResourceAttributes }: V1SubjectAccessReviewSpec, namespace: string) {
  const errors: FieldError[] = [];
  const wanted = resourceAttributes?.namespace ?? "";
  if (resourceAttributes !== undefined && wanted !== namespace)
    errors.push(invalid("spec.resourceAttributes.namespace", wanted, "must match metadata.namespace"));
  if (nonResourceAttributes !== undefined)
    errors.push(forbidden("spec.nonResourceAttributes", "disallowed on this kind of request"));
  return errors;
}

interface Requirement {
  readonly key?: string;
  readonly operator?: string;
  readonly values?: readonly string[];
}

interface Selector {
  rawSelector?: string;
  requirements?: readonly Requirement[];
}

function selectorsErrors({ fieldSelector, labelSelector }: V1ResourceAttributes, path: string): FieldError[] {
  return [
    ...selectorErrors(fieldSelector, `${path}.fieldSelector`, fieldRequirementErrors),
    ...selectorErrors(labelSelector, `${path}.labelSelector`, labelRequirementErrors),
  ];
}

function selectorErrors(
  selector: Selector | undefined,
  path: string,
  rule: (requirement: Requirement, path: string) => FieldError[],
): FieldError[] {
  if (selector === undefined) return [];
  const { rawSelector = "", requirements = [] } = selector;
  const errors: FieldError[] = [];
  if (rawSelector !== "" && requirements.length > 0)
    errors.push(invalid(`${path}.rawSelector`, rawSelector, "may not specified at the same time as requirements"));
  if (rawSelector === "" && requirements.length === 0)
    errors.push(required(`${path}.requirements`, `when ${path} is specified, requirements or rawSelector is required`));
  return [...errors, ...requirements.flatMap((one, index) => rule(one, `${path}.requirements[${index}]`))];
}

/** Operators that are not known may come with a later client: they are let through. */
function operatorErrors({ operator, values = [] }: Requirement, path: string): FieldError[] {
  const field = `${path}.values`;
  if ((operator === "In" || operator === "NotIn") && values.length === 0)
    return [required(field, "must be specified when `operator` is 'In' or 'NotIn'")];
  if ((operator === "Exists" || operator === "DoesNotExist") && values.length > 0)
    return [forbidden(field, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
  return [];
}

const fieldRequirementErrors = (requirement: Requirement, path: string): FieldError[] => [
  ...((requirement.key ?? "") === "" ? [required(`${path}.key`, "must be specified")] : []),
  ...operatorErrors(requirement, path),
];

const labelRequirementErrors = (requirement: Requirement, path: string): FieldError[] => {
  const { key = "", values = [] } = requirement;
  return [
    ...operatorErrors(requirement, path),
    ...invalidEach(`${path}.key`, key, isQualifiedName(key)),
    ...values.flatMap((value, index) => invalidEach(`${path}.values[${index}]`, value, isLabelValue(value))),
  ];
};
