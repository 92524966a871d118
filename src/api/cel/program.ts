/** A CEL expression from text to a program, in the environment that Kubernetes gives it. Upstream: apiserver/pkg/cel/environment. */
import { checkCel } from "./check.ts";
import { type CelMeter, evaluateCel } from "./evaluate.ts";
import { extensionLibrary } from "./extension-library.ts";
import { type Functions, functionsOf } from "./functions.ts";
import { kubernetesLibrary, kubernetesTypes } from "./kubernetes-library.ts";
import { standardLibrary } from "./standard-library.ts";
import { constantFault } from "./literal-rules.ts";
import { SyntaxFaults, parseCel } from "./syntax.ts";
import { type CelFault, type Node, childrenOf, faultText, qualifiedName } from "./tree.ts";
import { CelError } from "./value.ts";
import { type CelType, listOf, mapOf, opaque, types } from "./types.ts";

export interface CelProgram {
  node: Node;
  type: CelType;
  /** Of every part of the expression. */
  typeOf: (node: Node) => CelType;
  /** Why it can never be run, though its types fit: a conversion of a literal fails. */
  constantFault?: string;
  /** Throws CelError. A variable that is a function is called when it is asked for. What it costs is added to `meter`. */
  run(variables: ReadonlyMap<string, unknown>, meter?: CelMeter): unknown;
}

/** Upstream's limit. */
const toldMax = 100;

/** Why there is no program; each fault as cel-go shows it. */
export class CelCompileError extends Error {
  constructor(faults: readonly CelFault[], source: string) {
    const told = faults.slice(0, toldMax).map((fault) => faultText(fault, source));
    const rest = faults.length - told.length;
    super([...told, ...(rest === 0 ? [] : [`${rest} more errors were truncated`])].join("\n"));
    this.name = "CelCompileError";
  }
}

const functions: Functions = functionsOf(standardLibrary, extensionLibrary, kubernetesLibrary);

const typeNames: ReadonlyMap<string, CelType> = new Map([
  ...["int", "uint", "double", "bool", "string", "bytes", "dyn"].map((name): [string, CelType] => [
    name,
    { kind: name },
  ]),
  ["list", listOf(types.dyn)],
  ["map", mapOf(types.dyn, types.dyn)],
  ["null_type", types.null],
  ["google.protobuf.Timestamp", types.timestamp],
  ["google.protobuf.Duration", types.duration],
  ...kubernetesTypes.map((name): [string, CelType] => [name, opaque(name)]),
]);

export interface CompileOptions {
  /** Functions that only this sort of expression has. */
  functions?: Functions;
  structs?: (name: string) => CelType | undefined;
  /** Whether `cel.bind` is there. */
  hasBindings?: boolean;
}

/** Throws CelCompileError. */
export function compileCel(
  source: string,
  variables: ReadonlyMap<string, CelType>,
  options: CompileOptions = {},
): CelProgram {
  let node: Node;
  try {
    node = parseCel(source, options.hasBindings);
  } catch (error) {
    if (!(error instanceof SyntaxFaults)) throw error;
    throw new CelCompileError(error.faults, source);
  }
  const all = options.functions === undefined ? functions : merged(functions, options.functions);
  const { structs } = options;
  const { type, typeOf, faults } = checkCel(node, {
    functions: all,
    variables,
    typeNames,
    ...(structs && { structs }),
  });
  if (faults.length > 0) throw new CelCompileError(faults, source);
  const run = (part: Node, values: ReadonlyMap<string, unknown>, meter?: CelMeter) =>
    evaluateCel(part, values, { functions: all, typeNames }, meter);
  const fault = constantFault(node, (part) => faultOf(() => run(part, new Map())));
  const program: CelProgram = { node, type, typeOf, run: (values, meter) => run(node, values, meter) };
  return fault === undefined ? program : { ...program, constantFault: `program instantiation failed: ${fault}` };
}

function faultOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return error.message;
  }
}

function merged(a: Functions, b: Functions): Functions {
  const all = new Map(a);
  for (const [name, overloads] of b) all.set(name, [...(a.get(name) ?? []), ...overloads]);
  return all;
}

/** Whether an expression speaks of a variable. */
export function usesVariable(node: Node, name: string): boolean {
  if (node.kind === "identifier") return node.name === name;
  if (node.kind === "select" && qualifiedName(node)?.split(".")[0] === name) return true;
  return childrenOf(node).some((inner) => usesVariable(inner, name));
}
