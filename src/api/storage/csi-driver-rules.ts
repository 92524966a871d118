/** The rules of CSI drivers. Upstream: ValidateCSIDriver, ValidateCSIDriverUpdate. */
import type { V1CSIDriver } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";

export function isMutableFieldChanged(_driver: V1CSIDriver, _old: V1CSIDriver): boolean {
  return false;
}

export function csiDriverErrors(_driver: V1CSIDriver, _old: V1CSIDriver | undefined): FieldError[] {
  return [];
}

export function csiDriverWarnings(_driver: V1CSIDriver): string[] {
  return [];
}
