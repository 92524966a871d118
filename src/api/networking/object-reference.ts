/** A reference to an object of any kind. Upstream: validateIngressTypedLocalObjectReference. */
import type { FieldError } from "#api/field-error.ts";
import { invalidEach, required } from "#api/validation/field-errors.ts";
import { isPathSegmentName } from "#api/validation/names.ts";
import { dnsSubdomain } from "#api/validation/values.ts";

interface ObjectReference {
  /** Of a group that is not given, some types say null. */
  apiGroup?: string | null;
  kind?: string;
  name?: string;
}

export function objectReferenceErrors({ apiGroup, kind, name }: ObjectReference, path: string): FieldError[] {
  return [
    ...(apiGroup === undefined || apiGroup === null ? [] : dnsSubdomain(`${path}.apiGroup`, apiGroup)),
    ...segmentErrors(`${path}.kind`, kind ?? ""),
    ...segmentErrors(`${path}.name`, name ?? ""),
  ];
}

/** Something that must be there and can stand in a path. */
export const segmentErrors = (field: string, value: string): FieldError[] =>
  value === "" ? [required(field)] : invalidEach(field, value, isPathSegmentName(value));
