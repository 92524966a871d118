/** Which requests and parameters a policy is about. Upstream: validateMatchResources, validateParamKind, validateParamRef. */
import type { V1MatchResources, V1NamedRuleWithOperations, V1ParamKind, V1ParamRef } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { labelSelectorErrors } from "#api/label-selector.ts";
import { duplicate, forbidden, invalid, invalidEach, notSupported, required } from "#api/validation/field-errors.ts";
import { isDns1035Label, isDns1123Subdomain, isPathSegmentName } from "#api/validation/names.ts";
import { oneOfIfSet } from "#api/validation/values.ts";
import { operationRuleErrors } from "./operation-rules.ts";
import { matchPolicies } from "./webhook-rules.ts";

const notFoundActions = ["Deny", "Allow"];

export function matchErrors(match: V1MatchResources, path: string): FieldError[] {
  const rules = (field: "resourceRules" | "excludeResourceRules") =>
    (match[field] ?? []).flatMap((rule, index) => namedRuleErrors(rule, `${path}.${field}[${index}]`));
  return [
    ...oneOfIfSet(`${path}.matchPolicy`, match.matchPolicy, matchPolicies),
    ...labelSelectorErrors(match.namespaceSelector, `${path}.namespaceSelector`),
    ...labelSelectorErrors(match.objectSelector, `${path}.objectSelector`),
    ...rules("resourceRules"),
    ...rules("excludeResourceRules"),
  ];
}

function namedRuleErrors(rule: V1NamedRuleWithOperations, path: string): FieldError[] {
  const names = rule.resourceNames ?? [];
  return [
    ...names.flatMap((name, index) => {
      const at = `${path}.resourceNames[${index}]`;
      const errors = invalidEach(at, name, isPathSegmentName(name));
      return names.indexOf(name) < index ? [...errors, duplicate(at, name)] : errors;
    }),
    ...operationRuleErrors(rule, path),
  ];
}

export function paramKindErrors({ apiVersion = "", kind = "" }: V1ParamKind, path: string): FieldError[] {
  const field = `${path}.kind`;
  const mixed = "may have mixed case, but should otherwise match: ";
  return [
    ...apiVersionErrors(apiVersion, `${path}.apiVersion`),
    ...(kind === ""
      ? [required(field)]
      : isDns1035Label(kind.toLowerCase()).map((fault) => invalid(field, kind, mixed + fault))),
  ];
}

function apiVersionErrors(apiVersion: string, field: string): FieldError[] {
  if (apiVersion === "") return [required(field)];
  const parts = apiVersion.split("/");
  if (parts.length > 2) return [invalid(field, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)];
  const version = parts.at(-1)!;
  const group = parts.length === 2 ? parts[0]! : "";
  return [
    ...(group === "" ? [] : invalidEach(field, group, isDns1123Subdomain(group))),
    ...(version === ""
      ? [invalid(field, apiVersion, "version must be specified")]
      : invalidEach(field, version, isDns1035Label(version))),
  ];
}

const exclusive = "name and selector are mutually exclusive";

export function paramRefErrors({ name = "", selector, parameterNotFoundAction: action }: V1ParamRef, path: string) {
  const errors = name === "" ? [] : invalidEach(`${path}.name`, name, isPathSegmentName(name));
  const isBoth = name !== "" && selector !== undefined;
  if (isBoth) errors.push(forbidden(`${path}.name`, exclusive));
  errors.push(...labelSelectorErrors(selector, `${path}.selector`));
  if (isBoth) errors.push(forbidden(`${path}.selector`, exclusive));
  if (name === "" && selector === undefined) errors.push(required(path, "one of name or selector must be specified"));
  const field = `${path}.parameterNotFoundAction`;
  if ((action ?? "") === "") return [...errors, required(field)];
  return notFoundActions.includes(action!) ? errors : [...errors, notSupported(field, action, notFoundActions)];
}
