/** The rules of roles, references and subjects. Upstream: pkg/apis/rbac/validation/validation.go, v1/defaults.go. */
import type { RbacV1Subject, V1AggregationRule, V1PolicyRule, V1RoleRef } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { labelSelectorErrors } from "#api/label-selector.ts";
import { invalid, invalidEach, notSupported, required } from "#api/validation/field-errors.ts";
import { isDns1123Subdomain, isPathSegmentName } from "#api/validation/names.ts";
import { semanticEqual } from "#api/validation/values.ts";

export const rbacGroup = "rbac.authorization.k8s.io";

export function rulesErrors(rules: readonly V1PolicyRule[] | undefined, isNamespaced: boolean): FieldError[] {
  return (rules ?? []).flatMap((rule, index) => ruleErrors(rule, isNamespaced, `rules[${index}]`));
}

function ruleErrors(rule: V1PolicyRule, isNamespaced: boolean, path: string): FieldError[] {
  const { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const errors: FieldError[] = [];
  if ((rule.verbs ?? []).length === 0) errors.push(required(`${path}.verbs`, "verbs must contain at least one value"));
  if (nonResourceURLs.length > 0) {
    const bad = (text: string) => errors.push(invalid(`${path}.nonResourceURLs`, nonResourceURLs, text));
    if (isNamespaced) bad("namespaced rules cannot apply to non-resource URLs");
    if (apiGroups.length + resources.length + resourceNames.length > 0)
      bad("rules cannot apply to both regular resources and non-resource URLs");
    return errors;
  }
  if (apiGroups.length === 0)
    errors.push(required(`${path}.apiGroups`, "resource rules must supply at least one api group"));
  if (resources.length === 0)
    errors.push(required(`${path}.resources`, "resource rules must supply at least one resource"));
  return errors;
}

export function aggregationErrors(rule: V1AggregationRule | undefined): FieldError[] {
  if (rule === undefined) return [];
  const path = "aggregationRule.clusterRoleSelectors";
  const { clusterRoleSelectors = [] } = rule;
  if (clusterRoleSelectors.length === 0)
    return [required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil")];
  return clusterRoleSelectors.flatMap((selector, index) => {
    const errors = labelSelectorErrors(selector, `${path}[${index}]`);
    // What cannot be read has no value that could be shown.
    return errors.length === 0 ? [] : [...errors, invalid(`${path}[${index}]`, null, "invalid label selector.")];
  });
}

interface Binding {
  roleRef: V1RoleRef;
  subjects?: RbacV1Subject[];
}

export function defaultBinding({ roleRef, subjects = [] }: Binding): void {
  roleRef.apiGroup ||= rbacGroup;
  for (const subject of subjects)
    if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup ||= rbacGroup;
}

/** Upstream: ValidateRoleBinding, ValidateClusterRoleBinding and their updates. */
export function bindingErrors<T extends Binding>(
  { roleRef, subjects = [] }: T,
  old: T | undefined,
  isNamespaced: boolean,
): FieldError[] {
  const { apiGroup = "", kind = "", name = "" } = roleRef;
  const errors: FieldError[] = [];
  const kinds = isNamespaced ? ["Role", "ClusterRole"] : ["ClusterRole"];
  if (apiGroup !== rbacGroup) errors.push(notSupported("roleRef.apiGroup", apiGroup, [rbacGroup]));
  if (!kinds.includes(kind)) errors.push(notSupported("roleRef.kind", kind, kinds));
  if (name === "") errors.push(required("roleRef.name"));
  else errors.push(...invalidEach("roleRef.name", name, isPathSegmentName(name)));
  errors.push(...subjects.flatMap((subject, index) => subjectErrors(subject, isNamespaced, `subjects[${index}]`)));
  if (old !== undefined && !semanticEqual(old.roleRef, roleRef))
    errors.push(invalid("roleRef", roleRef, "cannot change roleRef"));
  return errors;
}

function subjectErrors(
  { kind = "", name = "", namespace = "", apiGroup = "" }: Partial<RbacV1Subject>,
  isNamespaced: boolean,
  path: string,
): FieldError[] {
  const errors = name === "" ? [required(`${path}.name`)] : [];
  if (kind === "ServiceAccount") {
    if (name !== "") errors.push(...invalidEach(`${path}.name`, name, isDns1123Subdomain(name)));
    if (apiGroup !== "") errors.push(notSupported(`${path}.apiGroup`, apiGroup, [""]));
    if (!isNamespaced && namespace === "") errors.push(required(`${path}.namespace`));
  } else if (kind === "User" || kind === "Group") {
    if (apiGroup !== rbacGroup) errors.push(notSupported(`${path}.apiGroup`, apiGroup, [rbacGroup]));
  } else errors.push(notSupported(`${path}.kind`, kind, ["ServiceAccount", "User", "Group"]));
  return errors;
}
