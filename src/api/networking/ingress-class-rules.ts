/** The rules of ingress classes. Upstream: ValidateIngressClass. */
import type { V1IngressClass } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";

export function ingressClassErrors(_ingressClass: V1IngressClass, _old: V1IngressClass | undefined): FieldError[] {
  return [];
}
