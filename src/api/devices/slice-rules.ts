/** The rules of slices of devices. Upstream: ValidateResourceSlice, ValidateResourceSliceUpdate. */
import type { V1ResourceSlice } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { formatTime } from "#lib/clock.ts";
import type { RequestContext } from "#api/resource.ts";

export function prepareSlice(slice: V1ResourceSlice, { now }: RequestContext): void {
  for (const { taints } of slice.spec?.devices ?? [])
    for (const taint of taints ?? []) taint.timeAdded ??= formatTime(now);
}

export function sliceErrors(_slice: V1ResourceSlice, _old: V1ResourceSlice | undefined): FieldError[] {
  return [];
}
