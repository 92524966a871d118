/**
 * CEL expressions about a device: their environment, what they may cost, and whether they can be run. Upstream:
 * dynamic-resource-allocation/cel/compile.go.
 */
import { CelCompileError, type CelProgram, compileCel } from "#api/cel/program.ts";
import { type CelType, mapOf, opaque, types, typeText } from "#api/cel/types.ts";

const { string, bool, dyn } = types;
const deviceType: CelType = {
  kind: "object",
  name: "kubernetes.DRADevice",
  fields: new Map([
    ["driver", string],
    ["allowMultipleAllocations", bool],
    ["attributes", mapOf(string, mapOf(string, dyn))],
    ["capacity", mapOf(string, mapOf(string, opaque("kubernetes.Quantity")))],
  ]),
};
const variables: ReadonlyMap<string, CelType> = new Map([["device", deviceType]]);

/** Throws CelCompileError. */
export const compileSelector = (expression: string): CelProgram => compileCel(expression, variables);

/** Why an expression selects nothing, as upstream says it; undefined if it can be used. */
export function selectorFault(expression: string): string | undefined {
  try {
    const { type } = compileSelector(expression);
    if (type.kind === "bool" || type.kind === "dyn") return undefined;
    return `must evaluate to bool or the unknown type, not ${typeText(type)}`;
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error;
    return `compilation failed: ${error.message}`;
  }
}
