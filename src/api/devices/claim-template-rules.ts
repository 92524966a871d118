/** The rules of claim templates. Upstream: ValidateResourceClaimTemplate, ValidateResourceClaimTemplateUpdate. */
import { templateMetaErrors } from "#api/core/claim-template.ts";
import type { V1ResourceClaimTemplate } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { immutable } from "#api/validation/values.ts";
import { deviceClaimErrors } from "./claim-rules.ts";

export function claimTemplateErrors(
  { spec }: V1ResourceClaimTemplate,
  old: V1ResourceClaimTemplate | undefined,
): FieldError[] {
  if (old !== undefined) return immutable("spec", spec, old.spec);
  return [
    ...templateMetaErrors(spec?.metadata, "spec.metadata"),
    ...deviceClaimErrors(spec?.spec?.devices ?? {}, "spec.spec.devices"),
  ];
}
