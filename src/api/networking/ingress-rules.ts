/** The rules of ingresses. Upstream: pkg/apis/networking/validation/validation.go. */
import type { V1Ingress } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";

export function ingressErrors(_ingress: V1Ingress, _old: V1Ingress | undefined): FieldError[] {
  return [];
}

export function ingressStatusErrors(_ingress: V1Ingress): FieldError[] {
  return [];
}

export function ingressWarnings(_ingress: V1Ingress): string[] {
  return [];
}
