/** Carries out an expression that was checked. Throws CelError. Upstream: google/cel-go interpreter. */
import { stepsOfCall, stepsOfText } from "./call-steps.ts";
import { accepts, type Functions } from "./functions.ts";
import {
  callCostMax,
  costOfCall,
  isAttribute,
  isConstant,
  listCost,
  loopCostOf,
  mapCost,
  structCost,
} from "./runtime-cost.ts";
import { type Node, qualifiedName } from "./tree.ts";
import type { CelType } from "./types.ts";
import {
  CelError,
  DefaultMap,
  Optional,
  StructValue,
  TypeValue,
  Uint,
  compare,
  isSame,
  none,
  typeName,
} from "./value.ts";

export interface EvaluateEnvironment {
  functions: Functions;
  typeNames: ReadonlyMap<string, CelType>;
}

/** What an expression has cost, up to where it ended. */
export interface CelMeter {
  cost: number;
}

/** Steps that one expression may take, in units of work here: what costs little upstream may take long. */
export const stepsMax = 10_000_000;

/** Nothing that goes on after an error goes on after this one. */
class CelLimitError extends CelError {
  constructor() {
    super("operation cancelled: actual cost limit exceeded");
  }
}

type Scope = ReadonlyMap<string, unknown>;

export function evaluateCel(
  node: Node,
  variables: Scope,
  environment: EvaluateEnvironment,
  meter: CelMeter = { cost: 0 },
): unknown {
  return new Evaluation(environment, meter).value(node, variables);
}

class Evaluation {
  readonly #environment: EvaluateEnvironment;
  readonly #meter: CelMeter;
  readonly #costMax: number;
  #steps = 0;

  constructor(environment: EvaluateEnvironment, meter: CelMeter) {
    this.#environment = environment;
    this.#meter = meter;
    this.#costMax = meter.cost + callCostMax;
  }

  value(node: Node, scope: Scope): unknown {
    this.#spend(1);
    switch (node.kind) {
      case "literal":
        return node.unsigned === true ? new Uint(node.value as bigint) : node.value;
      case "identifier":
        return this.#named(node.name, scope);
      case "select":
        return this.#select(node, scope);
      case "call":
        return this.#call(node, scope);
      case "list":
        return this.#list(node, scope);
      case "map":
        return this.#map(node, scope);
      case "struct":
        return this.#struct(node, scope);
      case "bind":
        return this.#bind(node, scope);
      case "loop":
        return this.#loop(node, scope);
      default:
        return node satisfies never;
    }
  }

  #spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > stepsMax) throw new CelLimitError();
  }

  #charge(cost: number): void {
    this.#meter.cost += cost;
    if (this.#meter.cost > this.#costMax) throw new CelLimitError();
  }

  #named(name: string, scope: Scope): unknown {
    if (scope.has(name)) {
      this.#charge(1);
      const value = scope.get(name);
      return typeof value === "function" ? (value as () => unknown)() : value;
    }
    return new TypeValue(runtimeTypeName(this.#environment.typeNames.get(name), name));
  }

  #select(node: Extract<Node, { kind: "select" }>, scope: Scope): unknown {
    const full = qualifiedName(node);
    if (full !== undefined && scope.has(full)) return this.#named(full, scope);
    if (full !== undefined && !scope.has(full.split(".")[0]!)) {
      const named = this.#environment.typeNames.get(full);
      if (named !== undefined) return new TypeValue(runtimeTypeName(named, full));
    }
    const operand = this.value(node.operand, scope);
    // Whether a field is there is asked for free.
    this.#charge(stepCost(node.operand) - (node.isTest ? 1 : 0));
    if (operand instanceof Optional) {
      if (!operand.has) return node.isTest ? false : none;
      const found = member(operand.value, node.field);
      return node.isTest ? found.has : found;
    }
    const found = member(operand, node.field);
    if (node.isTest) return found.has;
    if (node.isOptional) return found;
    if (!found.has) throw new CelError(`no such key: ${node.field}`);
    return found.value;
  }

  #call(node: Extract<Node, { kind: "call" }>, scope: Scope): unknown {
    switch (node.name) {
      case "_&&_":
        return this.#junction(node.args, scope, false);
      case "_||_":
        return this.#junction(node.args, scope, true);
      case "_?_:_":
        return this.#chosen(isTrue(this.value(node.args[0]!, scope)) ? node.args[1]! : node.args[2]!, scope);
      default:
        return this.#apply(node, scope);
    }
  }

  /** A name or a field that a condition picks is free. */
  #chosen(node: Node, scope: Scope): unknown {
    const { cost } = this.#meter;
    const value = this.value(node, scope);
    if (isAttribute(node)) this.#meter.cost = cost;
    return value;
  }

  /** One side that decides makes the other's error not count. */
  #junction(args: readonly Node[], scope: Scope, decides: boolean): boolean {
    let error: CelError | undefined;
    for (const arg of args) {
      try {
        if (isTrue(this.value(arg, scope)) === decides) return decides;
      } catch (caught) {
        if (!(caught instanceof CelError) || caught instanceof CelLimitError) throw caught;
        error ??= caught;
      }
    }
    if (error !== undefined) throw error;
    return !decides;
  }

  #apply(node: Extract<Node, { kind: "call" }>, scope: Scope): unknown {
    const { name, target, args } = node;
    const { functions } = this.#environment;
    const full = target === undefined ? undefined : qualifiedName(target);
    const isGlobal = full !== undefined && !scope.has(full.split(".")[0]!) && functions.has(`${full}.${name}`);
    const given = target === undefined || isGlobal ? args : [target, ...args];
    if (name === "_[_]" || name === "_[?_]") return this.#element(name, given, scope);
    const values = this.#given(given, scope);
    const called = isGlobal ? `${full}.${name}` : name;
    this.#spend(stepsOfCall(called, values));
    const value = this.#found(called, values, target !== undefined && !isGlobal);
    const isFree = isConstant(node) || (name === "@in" && isConstant(given[1]!));
    if (!isFree) this.#charge(costOfCall(called, values, value));
    return value;
  }

  /** A call of what is an error costs as if it were made. */
  #given(args: readonly Node[], scope: Scope): unknown[] {
    try {
      return args.map((arg) => this.value(arg, scope));
    } catch (error) {
      this.#charge(1);
      throw error;
    }
  }

  /** An element is a step from what holds it; where a name stands for its key, that is free. */
  #element(name: string, [container, key]: readonly Node[], scope: Scope): unknown {
    const values = [this.value(container!, scope), this.#chosen(key!, scope)];
    this.#charge(stepCost(container!));
    return this.#found(name, values, false);
  }

  #found(name: string, values: readonly unknown[], isMember: boolean): unknown {
    const overload = this.#environment.functions
      .get(name)
      ?.find(
        (one) =>
          one.isMember === isMember &&
          one.params.length === values.length &&
          one.params.every((param, index) => accepts(param, values[index])),
      );
    if (overload !== undefined) return this.#run(() => overload.run(...(values as never[])));
    if (name === "_[_]" || name === "_[?_]") return elementOfOther(values, name === "_[?_]");
    throw new CelError(noOverload(name, values));
  }

  /** What is made costs as well; what is larger than a text can be is a fault of the expression. */
  #run(call: () => unknown): unknown {
    try {
      const value = call();
      this.#spend(stepsOfText(value));
      return value;
    } catch (error) {
      if (error instanceof RangeError) throw new CelLimitError();
      throw error;
    }
  }

  #list(node: Extract<Node, { kind: "list" }>, scope: Scope): unknown[] {
    const { items, optional } = node;
    if (!isConstant(node)) this.#charge(listCost);
    const list: unknown[] = [];
    for (const [index, item] of items.entries()) {
      const value = this.value(item, scope);
      if (!optional.has(index)) list.push(value);
      else if (!(value instanceof Optional))
        throw new CelError(`cannot initialize optional list element from non-optional value ${shownValue(value)}`);
      else if (value.has) list.push(value.value);
    }
    return list;
  }

  #map(node: Extract<Node, { kind: "map" }>, scope: Scope): Map<unknown, unknown> {
    const { entries } = node;
    if (!isConstant(node)) this.#charge(mapCost);
    const map = new Map<unknown, unknown>();
    for (const { key, value, isOptional } of entries) {
      const found = this.value(value, scope);
      setEntry(map, this.value(key, scope), found, isOptional);
    }
    return map;
  }

  #struct({ name, entries }: Extract<Node, { kind: "struct" }>, scope: Scope): StructValue {
    this.#charge(structCost);
    const struct = new StructValue(name);
    for (const { key, value, isOptional } of entries) setEntry(struct, key, this.value(value, scope), isOptional);
    return struct;
  }

  #bind(node: Extract<Node, { kind: "bind" }>, scope: Scope): unknown {
    const { cost } = this.#meter;
    const value = this.value(node.range, scope);
    if (node.macro === "bind") return this.value(node.body, new Map(scope).set(node.variable, value));
    if (!(value instanceof Optional)) throw new CelError("no such overload");
    // It stands for: range.hasValue() ? optional.of(cel.bind(variable, range.value(), body)) : optional.none()
    this.#charge(2);
    if (!value.has) return none;
    this.#charge(this.#meter.cost - cost - 2 + (node.macro === "optMap" ? 1 : 0));
    const inner = this.value(node.body, new Map(scope).set(node.variable, value.value));
    return node.macro === "optMap" ? new Optional(true, inner) : inner;
  }

  #loop(node: Extract<Node, { kind: "loop" }>, scope: Scope): unknown {
    const range = this.value(node.range, scope);
    if (!Array.isArray(range) && !(range instanceof Map)) throw new CelError("no such overload");
    const { macro, variables, bodies } = node;
    const inner = new Map(scope);
    const steps = stepsOver(range, variables.length === 2);
    const { each, taken, last } = loopCostOf(macro);
    this.#charge(last);
    const set = (step: Step) => {
      this.#spend(1);
      this.#charge(each);
      inner.set(variables[0]!, step.first);
      if (variables.length === 2) inner.set(variables[1]!, step.second);
    };
    const test = (step: Step): unknown => {
      set(step);
      return this.value(bodies[0]!, inner);
    };
    const counts = (step: Step): boolean => {
      const isTaken = isTrue(test(step));
      if (isTaken) this.#charge(taken);
      return isTaken;
    };
    switch (macro) {
      case "all":
      case "exists":
        return this.#quantified(steps, test, macro === "exists", each - 1);
      case "exists_one":
      case "existsOne":
        return steps.filter(counts).length === 1;
      case "filter":
        return steps.filter(counts).map(({ first }) => first);
      case "sortBy":
        this.#charge(steps.length * taken);
        return sortedBy(steps.map((step) => ({ item: step.first, key: test(step) })));
      default:
        return this.#transformed(node, steps, set, inner);
    }
  }

  /** `asked`: what it costs to find out that there is nothing more to ask. */
  #quantified(steps: readonly Step[], test: (step: Step) => unknown, decides: boolean, asked: number): boolean {
    let error: CelError | undefined;
    for (const [index, step] of steps.entries()) {
      try {
        if (isTrue(test(step)) === decides) {
          if (index < steps.length - 1) this.#charge(asked);
          return decides;
        }
      } catch (caught) {
        if (!(caught instanceof CelError) || caught instanceof CelLimitError) throw caught;
        error ??= caught;
      }
    }
    if (error !== undefined) throw error;
    return !decides;
  }

  #transformed(
    { macro, bodies }: Extract<Node, { kind: "loop" }>,
    steps: readonly Step[],
    set: (step: Step) => void,
    inner: Scope,
  ): unknown {
    const isMap = macro === "transformMap" || macro === "transformMapEntry";
    const list: unknown[] = [];
    const map = new Map<unknown, unknown>();
    const { taken } = loopCostOf(macro);
    for (const step of steps) {
      set(step);
      if (bodies.length === 2 && !isTrue(this.value(bodies[0]!, inner))) continue;
      this.#charge(taken);
      const value = this.value(bodies.at(-1)!, inner);
      if (macro === "transformMap") map.set(step.first, value);
      else if (isMap) for (const [key, one] of asMap(value)) map.set(key, one);
      else list.push(value);
    }
    return isMap ? map : list;
  }
}

/** A step from what has no name is two. */
const stepCost = (from: Node): number => (isAttribute(from) ? 1 : 2);

interface Step {
  first: unknown;
  second: unknown;
}

function sortedBy(items: readonly { item: unknown; key: unknown }[]): unknown[] {
  const type = typeName(items[0]?.key ?? 0n);
  if (items.some(({ key }) => typeName(key) !== type)) throw new CelError("list elements must have the same type");
  return items.toSorted((a, b) => compare(a.key, b.key)).map(({ item }) => item);
}

function stepsOver(range: readonly unknown[] | ReadonlyMap<unknown, unknown>, hasTwo: boolean): Step[] {
  if (Array.isArray(range))
    return range.map((item: unknown, index) =>
      hasTwo ? { first: BigInt(index), second: item } : { first: item, second: undefined },
    );
  return [...(range as ReadonlyMap<unknown, unknown>)].map(([first, second]) => ({ first, second }));
}

function member(operand: unknown, field: string): Optional {
  if (Array.isArray(operand)) throw new CelError("unsupported index type 'string' in list");
  if (!(operand instanceof Map)) return none;
  return operand.has(field) ? new Optional(true, operand.get(field)) : fallbackOf(operand);
}

/** What is optional and has no value is left out. */
function setEntry(map: Map<unknown, unknown>, key: unknown, value: unknown, isOptional: boolean): void {
  if (!isOptional) map.set(key, value);
  else if (!(value instanceof Optional))
    throw new CelError(
      `cannot initialize optional entry '${shownValue(key)}' from non-optional value ${shownValue(value)}`,
    );
  else if (value.has) map.set(key, value.value);
}

/** An element of what has none, or by what is no place. */
function elementOfOther([container, key]: readonly unknown[], isOptional: boolean): unknown {
  if (container instanceof Optional) return container.has ? elementOfOther([container.value, key], true) : none;
  const found = Array.isArray(container) ? elementOf(container, placeOf(key)) : none;
  if (isOptional) return found;
  if (found.has) return found.value;
  if (Array.isArray(container)) throw new CelError(`index out of bounds: ${String(key)}`);
  throw new CelError(`no such key: ${key instanceof Uint ? key.value : String(key)}`);
}

function placeOf(key: unknown): bigint {
  if (typeof key !== "number") throw new CelError(`unsupported index type '${typeName(key)}' in list`);
  if (!Number.isInteger(key)) throw new CelError(`unsupported index value ${key} in list`);
  return BigInt(key);
}

function isTrue(value: unknown): boolean {
  if (typeof value !== "boolean") throw new CelError("no such overload");
  return value;
}

function asMap(value: unknown): ReadonlyMap<unknown, unknown> {
  if (!(value instanceof Map)) throw new CelError("no such overload");
  return value;
}

/** A value in an error's text: scalars as they are, of others their type. */
function shownValue(value: unknown): string {
  if (value === null) return "null";
  if (value instanceof Uint) return String(value.value);
  return typeof value === "object" ? typeName(value) : String(value);
}

const measured = ["int", "uint", "double", "google.protobuf.Duration", "google.protobuf.Timestamp"];
/** Which types an operator is for, on its left; what stands on its right is then not told. */
const operands: Readonly<Record<string, readonly string[]>> = {
  "_+_": [...measured, "string", "bytes", "list"],
  "_-_": measured,
  "_*_": ["int", "uint", "double"],
  "_/_": ["int", "uint", "double"],
  "_%_": ["int", "uint"],
  "-_": ["int", "double"],
  ...Object.fromEntries(["_<_", "_<=_", "_>_", "_>=_"].map((name) => [name, [...measured, "bool", "string", "bytes"]])),
};
const untold = new Set(["!_", "@in"]);

/** As cel-go tells it: of operators by the type on the left, of functions by all types. */
function noOverload(name: string, values: readonly unknown[]): string {
  const [type = "", ...rest] = values.map(typeName);
  if (untold.has(name) || operands[name]?.includes(type) === true) return "no such overload";
  const told = operands[name] !== undefined || name === "size" ? name : `${name}(${[type, ...rest].join(", ")})`;
  return `no such overload: ${told}`;
}

const fallbackOf = (map: ReadonlyMap<unknown, unknown>): Optional =>
  map instanceof DefaultMap ? new Optional(true, map.fallback) : none;

/** An element by its place or key; none where there is none. */
export function elementOf(container: unknown, key: unknown): Optional {
  if (Array.isArray(container)) {
    const index = typeof key === "bigint" ? key : key instanceof Uint ? key.value : BigInt(Math.trunc(key as number));
    return index >= 0n && index < BigInt(container.length) ? new Optional(true, container[Number(index)]) : none;
  }
  if (!(container instanceof Map)) throw new CelError("no such overload");
  const found = entryOf(container, key);
  return found.has ? found : fallbackOf(container);
}

/** What a map holds under a key, and nothing it would only answer. */
export function entryOf(map: ReadonlyMap<unknown, unknown>, key: unknown): Optional {
  if (map.has(key)) return new Optional(true, map.get(key));
  for (const [one, value] of map) if (typeof one !== "string" && isSame(one, key)) return new Optional(true, value);
  return none;
}

const protobufNames: Readonly<Record<string, string>> = {
  timestamp: "google.protobuf.Timestamp",
  duration: "google.protobuf.Duration",
  null: "null_type",
};
const runtimeTypeName = (type: CelType | undefined, name: string): string =>
  type === undefined ? name : (protobufNames[type.kind] ?? type.name ?? type.kind);

export const typeValueOf = (value: unknown): TypeValue => new TypeValue(typeName(value));
