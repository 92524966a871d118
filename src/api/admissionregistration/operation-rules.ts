/** Which requests a webhook or policy is about. Upstream: validateRuleWithOperations in admissionregistration/validation. */
import type { V1RuleWithOperations } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { invalid, notSupported, required } from "#api/validation/field-errors.ts";

const operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const scopes = ["*", "Cluster", "Namespaced"];

export function operationRuleErrors(rule: V1RuleWithOperations, path: string): FieldError[] {
  const { scope } = rule;
  return [
    ...operationsErrors(rule.operations ?? [], `${path}.operations`),
    ...starredErrors(rule.apiGroups ?? [], `${path}.apiGroups`, "API groups"),
    ...starredErrors(rule.apiVersions ?? [], `${path}.apiVersions`, "API versions"),
    ...(rule.apiVersions ?? []).flatMap((version, index) =>
      version === "" ? [required(`${path}.apiVersions[${index}]`)] : [],
    ),
    ...resourcesErrors(rule.resources ?? [], `${path}.resources`),
    ...(scope === undefined || scopes.includes(scope) ? [] : [notSupported(`${path}.scope`, scope, scopes)]),
  ];
}

function operationsErrors(given: readonly string[], path: string): FieldError[] {
  return [
    ...starredErrors(given, path, "operations"),
    ...given.flatMap((operation, index) =>
      operations.includes(operation) ? [] : [notSupported(`${path}[${index}]`, operation, operations)],
    ),
  ];
}

/** Something, and nothing beside a star. */
function starredErrors(given: readonly string[], field: string, what: string): FieldError[] {
  if (given.length === 0) return [required(field)];
  return given.length > 1 && given.includes("*")
    ? [invalid(field, given, `if '*' is present, must not specify other ${what}`)]
    : [];
}

/** "pods", "pods/status", and stars for either part, of which none may make another useless. */
function resourcesErrors(given: readonly string[], path: string): FieldError[] {
  if (given.length === 0) return [required(path)];
  const errors: FieldError[] = [];
  const wholeResources = new Set<string>();
  const wholeSubresources = new Set<string>();
  for (const [index, text] of given.entries()) {
    const at = `${path}[${index}]`;
    const [resource = "", subresource] = splitOnce(text);
    if (text === "") errors.push(required(at));
    if (subresource === undefined) continue;
    if (wholeResources.has(resource))
      errors.push(invalid(at, text, `if '${resource}/*' is present, must not specify ${text}`));
    if (wholeSubresources.has(subresource))
      errors.push(invalid(at, text, `if '*/${subresource}' is present, must not specify ${text}`));
    if (subresource === "*") wholeResources.add(resource);
    if (resource === "*") wholeSubresources.add(subresource);
  }
  if (given.length > 1 && given.includes("*/*"))
    errors.push(invalid(path, given, "if '*/*' is present, must not specify other resources"));
  // Of what has no subresource, upstream looks at the last.
  const last = given.findLast((text) => text !== "" && !text.includes("/"));
  if (given.includes("*") && last !== "*")
    errors.push(invalid(path, given, "if '*' is present, must not specify other resources without subresources"));
  return errors;
}

function splitOnce(text: string): [string, string | undefined] {
  const cut = text.indexOf("/");
  return cut < 0 ? [text, undefined] : [text.slice(0, cut), text.slice(cut + 1)];
}
