/** CEL rules. */
import type { FieldError } from "#api/field-error.ts";
import type { JsonSchema } from "./json-schema.ts";
export interface RuleContext {
  schema: JsonSchema;
}
export const rootContext = (schema: JsonSchema): RuleContext => ({ schema });
export const childContext = (
  context: RuleContext | undefined,
  _p: JsonSchema,
  schema: JsonSchema,
  _k: "value" | "item" | "property",
  _n?: string,
): RuleContext | undefined => context && { schema };
export const ruleErrors = (_s: JsonSchema, _p: string, _c: RuleContext | undefined): FieldError[] => [];
export const totalCostErrors = (_c: RuleContext, _p: string): FieldError[] => [];
