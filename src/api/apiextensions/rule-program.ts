/** The rules of one schema as programs, compiled once. Upstream: apiextensions-apiserver/pkg/apiserver/schema/cel/compilation.go. */
import { CelCompileError, type CelProgram, compileCel, usesVariable } from "#api/cel/program.ts";
import { type CelType, optionalOf } from "#api/cel/types.ts";
import type { JsonSchema, ValidationRule } from "./json-schema.ts";
import { celTypeOf } from "./rule-types.ts";

export interface RuleProgram {
  rule: ValidationRule;
  program: CelProgram | undefined;
  /** Why there is no program. */
  fault: string | undefined;
  message: CelProgram | undefined;
  messageFault: string | undefined;
  usesOldSelf: boolean;
}

export interface SchemaPrograms {
  type: CelType | undefined;
  rules: readonly RuleProgram[];
}

const known = new WeakMap<JsonSchema, SchemaPrograms>();

export function programsOf(schema: JsonSchema, isResource: boolean): SchemaPrograms {
  let programs = known.get(schema);
  if (programs === undefined) {
    const type = celTypeOf(schema, isResource);
    const rules = type === undefined ? [] : (schema["x-kubernetes-validations"] ?? []);
    programs = { type, rules: rules.filter(({ rule }) => rule.trim() !== "").map((rule) => compiled(rule, type!)) };
    known.set(schema, programs);
  }
  return programs;
}

function compiled(rule: ValidationRule, self: CelType): RuleProgram {
  const variables = new Map([
    ["self", self],
    ["oldSelf", rule.optionalOldSelf === true ? optionalOf(self) : self],
  ]);
  const main = attempt(rule.rule, variables, "bool", "compilation failed", "cel expression must evaluate to a bool");
  const text = rule.messageExpression ?? "";
  const message: Attempt =
    text.trim() === "" || main.program === undefined
      ? {}
      : attempt(
          text,
          variables,
          "string",
          "messageExpression compilation failed",
          "messageExpression must evaluate to a string",
        );
  return {
    rule,
    program: main.program,
    fault: main.fault,
    message: message.program,
    messageFault: message.fault,
    usesOldSelf: main.program !== undefined && usesVariable(main.program.node, "oldSelf"),
  };
}

interface Attempt {
  program?: CelProgram;
  fault?: string;
}

function attempt(
  source: string,
  variables: ReadonlyMap<string, CelType>,
  wanted: string,
  prefix: string,
  wrongType: string,
): Attempt {
  try {
    const program = compileCel(source, variables);
    if (program.type.kind !== wanted) return { fault: wrongType };
    return program.constantFault === undefined ? { program } : { fault: program.constantFault };
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error;
    return { fault: `${prefix}: ${error.message}` };
  }
}
