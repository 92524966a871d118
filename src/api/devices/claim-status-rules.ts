/** The rules of what a claim has been given. Upstream: ValidateResourceClaimStatusUpdate. */
import type { ResourceV1ResourceClaim } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";

export function claimStatusErrors(
  _claim: ResourceV1ResourceClaim,
  _old: ResourceV1ResourceClaim | undefined,
): FieldError[] {
  return [];
}
