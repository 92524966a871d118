/** The rules of bindings of admission policies. Upstream: pkg/apis/admissionregistration/validation/validation.go. */
import type {
  V1MatchResources,
  V1MutatingAdmissionPolicyBinding,
  V1ParamRef,
  V1ValidatingAdmissionPolicyBinding,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { duplicate, invalid, notSupported, required } from "#api/validation/field-errors.ts";
import { dnsSubdomain, present } from "#api/validation/values.ts";
import { matchErrors, paramRefErrors } from "./match-rules.ts";

const actions = ["Audit", "Deny", "Warn"];

interface BindingSpec {
  policyName?: string;
  paramRef?: V1ParamRef;
  matchResources?: V1MatchResources;
}

function bindingErrors({ policyName = "", paramRef, matchResources }: BindingSpec): FieldError[] {
  return [
    ...(policyName === "" ? present("spec.policyName", policyName) : dnsSubdomain("spec.policyName", policyName)),
    ...(paramRef === undefined ? [] : paramRefErrors(paramRef, "spec.paramRef")),
    ...(matchResources === undefined ? [] : matchErrors(matchResources, "spec.matchResources")),
  ];
}

export const mutatingBindingErrors = ({ spec }: V1MutatingAdmissionPolicyBinding): FieldError[] =>
  bindingErrors(spec ?? {});

export function validatingBindingErrors({ spec }: V1ValidatingAdmissionPolicyBinding): FieldError[] {
  return [...bindingErrors(spec ?? {}), ...actionsErrors(spec?.validationActions ?? [], "spec.validationActions")];
}

const repetition =
  "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";

function actionsErrors(given: readonly string[], path: string): FieldError[] {
  if (given.length === 0) return [required(path, "at least one validation action is required")];
  const errors = given.flatMap((action, index) => {
    const at = `${path}[${index}]`;
    return [
      ...(actions.includes(action) ? [] : [notSupported(at, action, actions)]),
      ...(given.indexOf(action) < index ? [duplicate(at, action)] : []),
    ];
  });
  return given.includes("Deny") && given.includes("Warn") ? [...errors, invalid(path, given, repetition)] : errors;
}
