/** Whether an expression of a policy or webhook can be carried out, and gives what it must. Upstream: admissionregistration/validation. */
import { CelCompileError } from "#api/cel/program.ts";
import { type CelType, types, valueTypeText } from "#api/cel/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { internalFault, invalid } from "#api/validation/field-errors.ts";
import { type PolicyEnvironment, compilePolicy } from "./policy-program.ts";

export interface Outcome {
  /** dyn if it cannot be compiled. */
  type: CelType;
  errors: FieldError[];
}

/** `wanted` empty: any type will do. The text that is told may differ from the one compiled. */
export function compileExpression(
  field: string,
  expression: string,
  environment: PolicyEnvironment,
  wanted: readonly string[],
  shown: string = expression,
): Outcome {
  try {
    const { type, constantFault } = compilePolicy(expression, environment);
    const name = valueTypeText(type);
    if (wanted.length === 0 || wanted.includes(name))
      return { type, errors: constantFault === undefined ? [] : [internalFault(field, constantFault)] };
    const what = wanted.length === 1 ? wanted[0] : `one of [${wanted.join(" ")}]`;
    return { type, errors: [invalid(field, shown, `must evaluate to ${what} but got ${name}`)] };
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error;
    return { type: types.dyn, errors: [invalid(field, shown, `compilation failed: ${error.message}`)] };
  }
}

export function expressionErrors(...given: Parameters<typeof compileExpression>): FieldError[] {
  return compileExpression(...given).errors;
}

export const isBlank = (text: string | undefined): boolean => (text ?? "").trim() === "";
