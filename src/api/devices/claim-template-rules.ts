/** The rules of claim templates. Upstream: ValidateResourceClaimTemplate, ValidateResourceClaimTemplateUpdate. */
import type { V1ResourceClaimTemplate } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";

export function claimTemplateErrors(
  _template: V1ResourceClaimTemplate,
  _old: V1ResourceClaimTemplate | undefined,
): FieldError[] {
  return [];
}
