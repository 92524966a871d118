/**
 * What an expression costs at most, from the sizes of what it is about: which rules a definition may have depends on it, so every
 * number here is upstream's. Upstream: google/cel-go checker/cost.go.
 */
import { type Call, callCost, estimateOf } from "./call-cost.ts";
import type { CelProgram } from "./program.ts";
import { type Size, type ValueSize, both, exactly, product, unknownSize } from "./size.ts";
import { type Node, qualifiedName } from "./tree.ts";
import type { CelType } from "./types.ts";

/** What is in a list or map that an expression makes. */
interface EntrySize {
  key: Size;
  value: Size;
}

/** What a name stands for. */
interface Variable {
  path: readonly string[];
  size: Size | undefined;
  entry: EntrySize | undefined;
}
type Scope = ReadonlyMap<string, Variable>;

const listCost = 10;
const mapCost = 30;
const structCost = 40;

type NodeOf<K extends Node["kind"]> = Extract<Node, { kind: K }>;

export class CostEstimator {
  readonly #root: ValueSize;
  readonly typeOf: (node: Node) => CelType;
  /** Where in the schema a node leads to: names, "@items", "@values", "@keys", from a variable on. */
  readonly #paths = new Map<Node, readonly string[]>();
  readonly #sizes = new Map<Node, Size>();
  readonly #entries = new Map<Node, EntrySize>();
  readonly #variables = new Map<Node, Variable>();

  /** `root`: the size of what the variables stand for. */
  constructor(root: ValueSize, typeOf: (node: Node) => CelType) {
    this.#root = root;
    this.typeOf = typeOf;
  }

  cost(node: Node, scope: Scope = new Map()): number {
    switch (node.kind) {
      case "literal":
        return 0;
      case "identifier":
        return this.#identifier(node, scope);
      case "select":
        return this.#select(node, scope);
      case "call":
        return this.#call(node, scope);
      case "list":
        return this.#list(node, scope);
      case "map":
        return this.#map(node, scope);
      case "struct":
        return node.entries.reduce((sum, { value }) => sum + this.cost(value, scope), structCost);
      case "loop":
        return this.#loop(node, scope);
      case "bind":
        return this.#bind(node, scope);
      default:
        return node satisfies never;
    }
  }

  #identifier(node: NodeOf<"identifier">, scope: Scope): number {
    const variable = scope.get(node.name);
    if (variable !== undefined) this.#variables.set(node, variable);
    this.#paths.set(node, variable?.path ?? [node.name]);
    return 1;
  }

  #select(node: NodeOf<"select">, scope: Scope): number {
    if (this.typeOf(node).kind === "type" && !isVariable(node, scope)) {
      // The name of a type, in one piece.
      this.#paths.set(node, [qualifiedName(node)!]);
      return 1;
    }
    const operand = this.cost(node.operand, scope);
    // Whether a field is there is asked for free.
    if (node.isTest) return operand;
    if (node.isOptional) return operand + 1;
    const { kind } = this.typeOf(node.operand);
    this.#paths.set(node, [...this.#pathOf(node.operand), node.field]);
    return kind === "map" || kind === "object" ? operand + 1 : operand;
  }

  #call(node: NodeOf<"call">, scope: Scope): number {
    const { args } = node;
    const space = node.target === undefined || isVariable(node.target, scope) ? undefined : qualifiedName(node.target);
    const name = space === undefined ? node.name : `${space}.${node.name}`;
    const target = space === undefined ? node.target : undefined;
    const costs = args.map((arg) => this.cost(arg, scope));
    const ofTarget = target === undefined ? 0 : this.cost(target, scope);
    const call: Call = { name, target, args, costs, sizes: this };
    if (name === "dyn" && args.length === 1) this.#copy(args[0]!, node);
    if (name === "_[_]") this.#index(node);
    if (name === "_?_:_") this.#join(node, args[1]!, args[2]!);
    if (name === "_+_" && args.length === 2) this.#join(node, args[0]!, args[1]!);
    const { cost, size } = estimateOf(call) ?? callCost(call);
    const result = size ?? this.#sizeOf(node);
    if (result !== undefined) this.#sizes.set(node, result);
    return ofTarget + cost;
  }

  #index(node: NodeOf<"call">): void {
    const [container] = node.args;
    const { kind } = this.typeOf(container!);
    const entry = this.#entryOf(container!);
    if (kind === "list" || kind === "dyn") this.#paths.set(node, [...this.#pathOf(container!), "@items"]);
    if (kind === "map" || kind === "dyn") this.#paths.set(node, [...this.#pathOf(container!), "@values"]);
    if (entry !== undefined) this.#sizes.set(node, entry.value);
  }

  #join(node: Node, a: Node, b: Node): void {
    const [left, right] = [this.#entryOf(a), this.#entryOf(b)];
    if (left === undefined || right === undefined) return;
    this.#entries.set(node, { key: both(left.key, right.key), value: both(left.value, right.value) });
  }

  #copy(from: Node, to: Node): void {
    const [size, entry] = [this.#sizeOf(from), this.#entryOf(from)];
    if (size !== undefined) this.#sizes.set(to, size);
    if (entry !== undefined) this.#entries.set(to, entry);
  }

  #list(node: NodeOf<"list">, scope: Scope): number {
    const cost = node.items.reduce((sum, item) => sum + this.cost(item, scope), listCost);
    this.#entries.set(node, { key: exactly(1), value: this.#span(node.items) });
    return cost;
  }

  #map(node: NodeOf<"map">, scope: Scope): number {
    const { entries } = node;
    let cost = mapCost;
    for (const { key, value } of entries) cost += this.cost(key, scope) + this.cost(value, scope);
    const [keys, values] = [entries.map(({ key }) => key), entries.map(({ value }) => value)];
    this.#entries.set(node, { key: this.#span(keys), value: this.#span(values) });
    return cost;
  }

  #span(nodes: readonly Node[]): Size {
    const sizes = nodes.map((node) => this.size(node));
    return sizes.length === 0 ? exactly(0) : sizes.reduce(both);
  }

  /** The macros are costed as the loops that they stand for. */
  #loop(node: NodeOf<"loop">, scope: Scope): number {
    const { macro, range, variables, bodies } = node;
    const before = this.cost(range, scope);
    const inner = new Map(scope);
    const [first, second] = variables;
    if (second === undefined) inner.set(first!, this.#entryVariable(range, this.#isList(range) ? "value" : "key"));
    else inner.set(first!, this.#entryVariable(range, "key")).set(second, this.#entryVariable(range, "value"));
    const costs = bodies.map((body) => this.cost(body, inner));
    const places = this.size(range);
    const { once, each } = loopCosts(macro, costs);
    if (makesContainer.has(macro)) {
      this.#sizes.set(node, places);
      this.#entries.set(node, this.#madeEntries(node, inner));
    } else this.#sizes.set(node, exactly(1));
    return before + once + product(places.max, each);
  }

  /** What map() and filter() make has what their last expression gives. */
  #madeEntries({ macro, variables, bodies }: NodeOf<"loop">, inner: Scope): EntrySize {
    const item = inner.get(variables.at(-1)!)!;
    if (macro === "filter") return { key: exactly(1), value: this.#sizeAt(item) ?? unknownSize };
    return { key: exactly(1), value: this.size(bodies.at(-1)!) };
  }

  #isList(range: Node): boolean {
    return this.typeOf(range).kind === "list";
  }

  #entryVariable(range: Node, part: "key" | "value"): Variable {
    const isList = this.#isList(range);
    const step = part === "value" ? (isList ? "@items" : "@values") : isList ? "@indices" : "@keys";
    return { path: [...this.#pathOf(range), step], size: this.#entryOf(range)?.[part], entry: undefined };
  }

  #bind(node: NodeOf<"bind">, scope: Scope): number {
    const { macro, range, variable, body } = node;
    const init = this.cost(range, scope);
    const isOptional = macro !== "bind";
    const held: Variable = isOptional
      ? { path: [], size: undefined, entry: undefined }
      : { path: this.#pathOf(range), size: this.#sizeOf(range), entry: this.#entryOf(range) };
    const inside = this.cost(body, new Map(scope).set(variable, held));
    if (!isOptional) {
      this.#copy(body, node);
      return listCost + init + inside;
    }
    // target.hasValue() ? optional.of(bind(variable, target.value(), body)) : optional.none()
    const wrapped = macro === "optMap" ? 1 : 0;
    return init + 1 + listCost + (init + 1) + inside + wrapped;
  }

  size(node: Node): Size {
    return this.#sizeOf(node) ?? unknownSize;
  }

  /** The size of what is in a list; undefined: it is not a list. */
  itemSize(list: Node): { kind: string; size: Size } | undefined {
    const item = this.typeOf(list).of?.[0];
    if (item === undefined) return undefined;
    const path = this.#pathOf(list);
    const size = path.length === 0 ? undefined : this.#sizeOfPath([...path, "@items"]);
    return { kind: item.kind, size: size ?? unknownSize };
  }

  #sizeOf(node: Node): Size | undefined {
    const known = this.#sizes.get(node) ?? literalSize(node) ?? this.#sizeOfPath(this.#pathOf(node));
    if (known !== undefined) return known;
    if (isScalar(this.typeOf(node))) return exactly(1);
    return this.#variables.get(node)?.size;
  }

  #sizeAt({ path, size }: Variable): Size | undefined {
    return this.#sizeOfPath(path) ?? size;
  }

  #entryOf(node: Node): EntrySize | undefined {
    return this.#entries.get(node) ?? this.#variables.get(node)?.entry;
  }

  #pathOf(node: Node): readonly string[] {
    return this.#paths.get(node) ?? [];
  }

  /** Upstream takes any first name for "self". */
  #sizeOfPath(path: readonly string[]): Size | undefined {
    if (path.length === 0) return undefined;
    let at: ValueSize | undefined = this.#root;
    for (const step of path.slice(1)) {
      if (step === "@items" || step === "@values") at = at.item;
      else at = step === "@keys" ? at.key : at.fields?.get(step);
      if (at === undefined) return undefined;
    }
    return { min: 0, max: at.elementsMax };
  }
}

const roots = new Set(["self", "oldSelf", "device"]);

/** "sets" of sets.contains() is none. */
function isVariable(node: Node, scope: Scope): boolean {
  const full = qualifiedName(node);
  if (full === undefined) return true;
  const [root = ""] = full.split(".");
  return roots.has(root) || scope.has(root);
}

function literalSize(node: Node): Size | undefined {
  switch (node.kind) {
    case "literal":
      if (typeof node.value === "string") return exactly(Array.from(node.value).length);
      return exactly(node.value instanceof Uint8Array ? node.value.length : 1);
    case "list":
      return exactly(node.items.length);
    case "map":
      return exactly(node.entries.length);
    default:
      return undefined;
  }
}

const scalars = new Set(["bool", "double", "duration", "int", "timestamp", "uint"]);
const isScalar = ({ kind, of }: CelType): boolean =>
  scalars.has(kind) || (kind === "optional_type" && of?.[0] !== undefined && isScalar(of[0]));

const makesContainer = new Set(["map", "filter", "transformList", "transformMap", "transformMapEntry"]);

/** What a macro's loop costs outside of its bodies: before and after it, and for each round. */
function loopCosts(macro: string, [first = 0, second]: readonly number[]): { once: number; each: number } {
  switch (macro) {
    case "all":
      return { once: 1, each: 3 + first };
    case "exists":
      return { once: 1, each: 4 + first };
    case "exists_one":
    case "existsOne":
      return { once: 2, each: first + 2 };
    case "filter":
      return { once: listCost + 1, each: first + 2 + listCost + 1 };
    case "map":
    case "transformList": {
      const step = 2 + listCost + (second ?? first);
      return { once: listCost + 1, each: second === undefined ? step : first + step };
    }
    case "transformMapEntry": {
      const step = 2 + (second ?? first);
      return { once: mapCost + 1, each: second === undefined ? step : first + step };
    }
    default: {
      const step = 3 + (second ?? first);
      return { once: mapCost + 1, each: second === undefined ? step : first + step };
    }
  }
}

/** The most that a program costs whose variables are of a size. */
export const programCost = ({ node, typeOf }: CelProgram, root: ValueSize): number =>
  new CostEstimator(root, typeOf).cost(node);
