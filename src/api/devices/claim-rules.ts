/** The rules of what a claim asks for. Upstream: pkg/apis/resource/validation/validation.go, ValidateResourceClaim. */
import type { ResourceV1ResourceClaim } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";

export function claimErrors(_claim: ResourceV1ResourceClaim, _old: ResourceV1ResourceClaim | undefined): FieldError[] {
  return [];
}
