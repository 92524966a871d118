/** The rules of flow schemas. Upstream: pkg/apis/flowcontrol/validation/validation.go. */
import type { V1FlowSchema } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";

export function flowSchemaErrors(_schema: V1FlowSchema, _old: V1FlowSchema | undefined): FieldError[] {
  return [];
}

export function flowSchemaStatusErrors(_schema: V1FlowSchema): FieldError[] {
  return [];
}
