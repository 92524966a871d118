/** The rules of storage capacities. Upstream: ValidateCSIStorageCapacity, ValidateCSIStorageCapacityUpdate. */
import type { V1CSIStorageCapacity } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";

export function storageCapacityErrors(
  _capacity: V1CSIStorageCapacity,
  _old: V1CSIStorageCapacity | undefined,
): FieldError[] {
  return [];
}
