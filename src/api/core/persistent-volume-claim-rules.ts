/** Rules of claims. Upstream: ValidatePersistentVolumeClaim and its updates in pkg/apis/core/validation/validation.go. */
import type { V1PersistentVolumeClaim } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";

type Spec = V1PersistentVolumeClaim["spec"];

export function normalizeDataSources(_spec: Spec, _old: Spec): void {}

export function claimErrors(_claim: V1PersistentVolumeClaim, _old: V1PersistentVolumeClaim | undefined): FieldError[] {
  return [];
}

export function claimStatusErrors(
  _claim: V1PersistentVolumeClaim,
  _old: V1PersistentVolumeClaim | undefined,
): FieldError[] {
  return [];
}

export function claimWarnings(_claim: V1PersistentVolumeClaim): string[] {
  return [];
}
