/** The rules of admission policies. Upstream: pkg/apis/admissionregistration/validation/validation.go. */
import type {
  V1MutatingAdmissionPolicy,
  V1MutatingAdmissionPolicyBinding,
  V1ValidatingAdmissionPolicy,
  V1ValidatingAdmissionPolicyBinding,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";

export function validatingPolicyErrors(_policy: V1ValidatingAdmissionPolicy): FieldError[] {
  return [];
}

export function validatingPolicyStatusErrors(_policy: V1ValidatingAdmissionPolicy): FieldError[] {
  return [];
}

export function mutatingPolicyErrors(_policy: V1MutatingAdmissionPolicy): FieldError[] {
  return [];
}

export function validatingBindingErrors(_binding: V1ValidatingAdmissionPolicyBinding): FieldError[] {
  return [];
}

export function mutatingBindingErrors(_binding: V1MutatingAdmissionPolicyBinding): FieldError[] {
  return [];
}
