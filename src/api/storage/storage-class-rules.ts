/** The rules of storage classes. Upstream: pkg/apis/storage/validation/validation.go, ValidateStorageClass. */
import type { V1StorageClass } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";

export function storageClassErrors(_storageClass: V1StorageClass, _old: V1StorageClass | undefined): FieldError[] {
  return [];
}

export function storageClassWarnings(_storageClass: V1StorageClass): string[] {
  return [];
}
