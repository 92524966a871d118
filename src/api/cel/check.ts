/** What type an expression has, or every reason why it has none. Upstream: google/cel-go checker; texts and places are its. */
import type { Functions, Overload } from "./functions.ts";
import { type CelFault, type Node, qualifiedName } from "./tree.ts";
import { OpenTypes } from "./assignment.ts";
import { type CelType, areAlike, isDynamic, listOf, mapOf, optionalOf, types, typeOfType, typeText } from "./types.ts";
import { literalFaults } from "./literal-rules.ts";

export interface CheckEnvironment {
  functions: Functions;
  variables: ReadonlyMap<string, CelType>;
  /** Names of types: "int", "net.IP". */
  typeNames: ReadonlyMap<string, CelType>;
  /** Types that an expression may make: "Object.spec". */
  structs?: (name: string) => CelType | undefined;
}

export interface Checked {
  type: CelType;
  /** Of every part of the expression. */
  typeOf: (node: Node) => CelType;
  faults: CelFault[];
}

export function checkCel(node: Node, environment: CheckEnvironment): Checked {
  const checker = new Checker(environment);
  const type = checker.typeOf(node, environment.variables);
  const faults = checker.faults;
  if (faults.length === 0) faults.push(...literalFaults(node, checker.typeOfNode));
  const { typeOfNode: typeOf } = checker;
  return { type: checker.settled(type), typeOf, faults: faults.sort((a, b) => a.offset - b.offset) };
}

type Variables = ReadonlyMap<string, CelType>;

class Checker {
  readonly faults: CelFault[] = [];
  readonly #found = new Map<Node, CelType>();
  readonly typeOfNode = (node: Node): CelType => this.settled(this.#found.get(node) ?? types.dyn);
  readonly #open = new OpenTypes();
  readonly #environment: CheckEnvironment;

  constructor(environment: CheckEnvironment) {
    this.#environment = environment;
  }

  /** What is still open may be anything. */
  settled(type: CelType): CelType {
    return this.#open.settled(type);
  }

  #fault(offset: number, text: string): CelType {
    this.faults.push({ offset, text });
    return types.error;
  }

  typeOf(node: Node, variables: Variables): CelType {
    const type = this.#typeOf(node, variables);
    this.#found.set(node, type);
    return type;
  }

  #typeOf(node: Node, variables: Variables): CelType {
    switch (node.kind) {
      case "literal":
        return literalType(node);
      case "identifier":
        return this.#identifier(node.name, node.offset, variables);
      case "select":
        return this.#select(node, variables);
      case "call":
        return this.#call(node, variables);
      case "list":
        return this.#list(node, variables);
      case "map":
        return this.#map(node, variables);
      case "struct":
        return this.#struct(node, variables);
      case "bind":
        return this.#bind(node, variables);
      case "loop":
        return this.#loop(node, variables);
      default:
        return node satisfies never;
    }
  }

  #identifier(name: string, offset: number, variables: Variables): CelType {
    const type = variables.get(name);
    if (type !== undefined) return type;
    const named = this.#environment.typeNames.get(name);
    return named === undefined ? this.#fault(offset, undeclared(name)) : typeOfType(named);
  }

  #select(node: Extract<Node, { kind: "select" }>, variables: Variables): CelType {
    const full = qualifiedName(node);
    const [root = ""] = full?.split(".") ?? [];
    const named = full === undefined || variables.has(root) ? undefined : this.#environment.typeNames.get(full);
    if (named !== undefined) return typeOfType(named);
    const whole = full === undefined ? undefined : variables.get(full);
    if (whole !== undefined) return whole;
    const operand = this.#open.resolved(this.typeOf(node.operand, variables));
    const isOptional = operand.kind === "optional_type";
    const field = this.#field(isOptional ? operand.of![0]! : operand, node.field, node.offset);
    if (node.isTest) return types.bool;
    return field.kind === "error" ? field : isOptional || node.isOptional ? optionalOf(unwrapped(field)) : field;
  }

  #field(operand: CelType, field: string, offset: number): CelType {
    switch (operand.kind) {
      case "error":
      case "dyn":
        return types.dyn;
      case "param":
        this.#open.assign([types.dyn], [operand]);
        return types.dyn;
      case "map":
        return operand.of![1]!;
      case "object":
        if (operand.fields === undefined) return types.dyn;
        return operand.fields.get(field) ?? this.#fault(offset, `undefined field '${field}'`);
      default:
        return this.#fault(offset, `type '${typeText(operand)}' does not support field selection`);
    }
  }

  #call(node: Extract<Node, { kind: "call" }>, variables: Variables): CelType {
    const { name, target, args, offset } = node;
    const { functions } = this.#environment;
    if (target !== undefined) {
      const full = qualifiedName(target);
      const [root = ""] = full?.split(".") ?? [];
      const global = full === undefined || variables.has(root) ? undefined : functions.get(`${full}.${name}`);
      if (global !== undefined) return this.#resolve(`${full!}.${name}`, global, args, undefined, offset, variables);
    }
    const receiver = target === undefined ? undefined : this.typeOf(target, variables);
    const overloads = functions.get(name);
    if (overloads === undefined) {
      for (const arg of args) this.typeOf(arg, variables);
      return this.#fault(offset, undeclared(name));
    }
    return this.#resolve(name, overloads, args, receiver, offset, variables);
  }

  #resolve(
    name: string,
    overloads: readonly Overload[],
    args: readonly Node[],
    receiver: CelType | undefined,
    offset: number,
    variables: Variables,
  ): CelType {
    const own = args.map((arg) => this.typeOf(arg, variables));
    if (name === "_&&_" || name === "_||_") return this.#junction(args, own);
    return this.#result(name, overloads, own, receiver, offset);
  }

  /** Each side by itself. */
  #junction(args: readonly Node[], found: readonly CelType[]): CelType {
    for (const [index, type] of found.entries()) this.#mustBeBool(type, args[index]!.offset);
    return types.bool;
  }

  #mustBeBool(type: CelType, offset: number): void {
    if (!this.#open.assign([type], [types.bool])) this.#mismatch(offset, types.bool, type);
  }

  #mismatch(offset: number, wanted: CelType, found: CelType): CelType {
    const shown = (type: CelType) => typeText(this.#open.settled(type));
    return this.#fault(offset, `expected type '${shown(wanted)}' but found '${shown(found)}'`);
  }

  #result(
    name: string,
    overloads: readonly Overload[],
    own: readonly CelType[],
    receiver: CelType | undefined,
    offset: number,
  ): CelType {
    const all = receiver === undefined ? own : [receiver, ...own];
    let result: CelType | undefined;
    for (const overload of overloads) {
      if (overload.isMember !== (receiver !== undefined) || overload.params.length !== all.length) continue;
      const [given, ...params] = this.#open.instance([overload.result, ...overload.params]);
      if (!this.#open.assign(all, params)) continue;
      const found = this.#open.resolved(given!);
      if (result === undefined) result = found;
      else if (!isDynamic(result) && !areAlike(found, result)) result = types.dyn;
    }
    if (result !== undefined) return result;
    const shown = own.map((type) => typeText(this.settled(type))).join(", ");
    const applied = receiver === undefined ? `(${shown})` : `${typeText(this.settled(receiver))}.(${shown})`;
    return this.#fault(offset, `found no matching overload for '${name}' applied to '${applied}'`);
  }

  #list({ items, optional }: Extract<Node, { kind: "list" }>, variables: Variables): CelType {
    let item: CelType | undefined;
    for (const [index, one] of items.entries()) {
      const found = this.typeOf(one, variables);
      const type = optional.has(index) ? this.#held(found, one.offset) : found;
      item = item === undefined ? type : this.#open.joined(item, type);
    }
    return listOf(item ?? this.#open.fresh());
  }

  /** What an optional value holds, where nothing else may stand. */
  #held(type: CelType, offset: number): CelType {
    if (type.kind !== "optional_type" && !isDynamic(type)) this.#mismatch(offset, optionalOf(type), type);
    return unwrapped(type);
  }

  #map({ entries }: Extract<Node, { kind: "map" }>, variables: Variables): CelType {
    let key: CelType | undefined;
    let value: CelType | undefined;
    for (const entry of entries) {
      const keyType = this.typeOf(entry.key, variables);
      const found = this.typeOf(entry.value, variables);
      const valueType = entry.isOptional ? this.#held(found, entry.value.offset) : found;
      key = key === undefined ? keyType : this.#open.joined(key, keyType);
      value = value === undefined ? valueType : this.#open.joined(value, valueType);
    }
    return mapOf(key ?? this.#open.fresh(), value ?? this.#open.fresh());
  }

  #struct({ name, entries, offset }: Extract<Node, { kind: "struct" }>, variables: Variables): CelType {
    const type = this.#environment.structs?.(name);
    if (type === undefined) {
      for (const { value } of entries) this.typeOf(value, variables);
      return this.#fault(offset, undeclared(name));
    }
    for (const { key, value, isOptional, offset: colon } of entries) {
      const given = this.typeOf(value, variables);
      const found = isOptional ? this.#held(given, value.offset) : given;
      const field = type.fields === undefined ? types.dyn : type.fields.get(key);
      if (field !== undefined && this.#open.assign([found], [field])) continue;
      const wanted = field === undefined ? "" : typeText(field);
      this.#fault(
        colon,
        `expected type of field '${key}' is '${wanted}' but provided type is '${typeText(this.settled(found))}'`,
      );
    }
    return type;
  }

  #bind(node: Extract<Node, { kind: "bind" }>, variables: Variables): CelType {
    const range = this.typeOf(node.range, variables);
    const bound = node.macro === "bind" ? range : unwrapped(range);
    const inner = this.typeOf(node.body, new Map(variables).set(node.variable, bound));
    return node.macro === "optMap" ? optionalOf(inner) : inner;
  }

  #loop(node: Extract<Node, { kind: "loop" }>, variables: Variables): CelType {
    const { macro, range, variables: names, bodies, offset } = node;
    const over = this.#open.resolved(this.typeOf(range, variables));
    const scope = new Map(variables);
    const [first, second] = this.#itemTypes(over, range.offset, names.length === 2);
    scope.set(names[0]!, first);
    if (names.length === 2) scope.set(names[1]!, second);
    const found = bodies.map((body) => this.typeOf(body, scope));
    const isTest = ["all", "exists", "exists_one", "existsOne", "filter"].includes(macro);
    const [test] = found;
    if (test !== undefined && (isTest || found.length === 2))
      this.#test(macro, test, found[1] ?? first, bodies[0]!.offset, offset);
    const last = found.at(-1) ?? types.dyn;
    switch (macro) {
      case "filter":
      case "sortBy":
        return listOf(first);
      case "map":
      case "transformList":
        return listOf(last);
      case "transformMap":
        return mapOf(over.kind === "map" ? over.of![0]! : types.int, last);
      case "transformMapEntry":
        return last;
      default:
        return types.bool;
    }
  }

  /** Whether a step counts is an operand of what the macro stands for: of && and ||, or of ?: with what is gathered. */
  #test(macro: string, test: CelType, item: CelType, place: number, offset: number): void {
    if (macro === "all" || macro === "exists") return this.#mustBeBool(test, place);
    if (this.#open.assign([test], [types.bool])) return undefined;
    const gathered = macro === "exists_one" || macro === "existsOne" ? types.int : listOf(item);
    const shown = [test, gathered, gathered].map((type) => typeText(this.settled(type))).join(", ");
    this.#fault(offset, `found no matching overload for '_?_:_' applied to '(${shown})'`);
    return undefined;
  }

  #itemTypes(over: CelType, offset: number, hasTwo: boolean): [CelType, CelType] {
    if (over.kind === "param") this.#open.assign([types.dyn], [over]);
    if (isDynamic(over) || over.kind === "param") return [types.dyn, types.dyn];
    if (over.kind === "list") return hasTwo ? [types.int, over.of![0]!] : [over.of![0]!, types.dyn];
    if (over.kind === "map") return [over.of![0]!, over.of![1]!];
    const text = `expression of type '${typeText(over)}' cannot be range of a comprehension (must be list, map, or dynamic)`;
    this.#fault(offset, text);
    return [types.error, types.error];
  }
}

const undeclared = (name: string): string => `undeclared reference to '${name}' (in container '')`;
const unwrapped = (type: CelType): CelType => (type.kind === "optional_type" ? type.of![0]! : type);

function literalType({ value, unsigned }: Extract<Node, { kind: "literal" }>): CelType {
  if (value === null) return types.null;
  switch (typeof value) {
    case "bigint":
      return unsigned === true ? types.uint : types.int;
    case "number":
      return types.double;
    case "string":
      return types.string;
    case "boolean":
      return types.bool;
    default:
      return types.bytes;
  }
}
