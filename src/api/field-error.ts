/** One fault of one field. Upstream: apimachinery/pkg/util/validation/field/errors.go, whose texts these are. */
export type FieldErrorType =
  | "FieldValueInvalid"
  | "FieldValueRequired"
  | "FieldValueDuplicate"
  | "FieldValueNotFound"
  | "FieldValueNotSupported"
  | "FieldValueForbidden"
  | "FieldValueTooLong"
  | "FieldValueTooMany"
  | "FieldValueTypeInvalid"
  | "InternalError";

export interface FieldError {
  /** "spec.containers[0].name"; metadata map keys as "metadata.labels". */
  field: string;
  type: FieldErrorType;
  /** The whole text that a cause shows, without the field: `Invalid value: "a": must be …`. */
  message: string;
}
