/** The text of a CEL expression as a tree. Upstream: google/cel-go parser; error texts are its. */
import { syntaxFaults } from "./syntax-faults.ts";
import { type Token, tokensOf } from "./tokens.ts";
import { type CelFault, type Node, qualifiedName } from "./tree.ts";

const reserved = new Set(
  "as break const continue else for function if import let loop package namespace return var void while".split(" "),
);
/** Nesting that no sensible rule has. Upstream's limit. */
const depthMax = 250;
const tooDeep = `expression recursion limit exceeded: ${depthMax}`;
/** Upstream's limit, in code points. */
const charactersMax = 100_000;

export class SyntaxFaults extends Error {
  readonly faults: CelFault[];
  constructor(faults: CelFault[]) {
    super("CEL syntax");
    this.faults = faults;
  }
}

/** Throws SyntaxFaults. With bindings, `cel.bind(name, value, expression)` gives a value a name. */
export function parseCel(text: string, hasBindings = false): Node {
  const faults: CelFault[] = [];
  const size = text.length <= charactersMax ? 0 : Array.from(text).length;
  if (size > charactersMax)
    throw new SyntaxFaults([
      { offset: -1, text: `expression code point size exceeds limit: size: ${size}, limit ${charactersMax}` },
    ]);
  const tokens = tokensOf(text, faults);
  const node = new Parser(tokens, faults, hasBindings).whole();
  if (node === undefined || faults.length > 0) {
    if (!faults.some(({ text: fault }) => fault === tooDeep)) faults.push(...syntaxFaults(text, tokens));
    throw new SyntaxFaults(faults.sort((a, b) => a.offset - b.offset));
  }
  return node;
}

/** The text is no expression: what is wrong with it is told by syntax-faults.ts. */
class Stop extends Error {}

const levels: readonly (readonly string[])[] = [
  ["||"],
  ["&&"],
  ["<", "<=", ">", ">=", "==", "!=", "in"],
  ["+", "-"],
  ["*", "/", "%"],
];
const nameOf = (operator: string): string => (operator === "in" ? "@in" : `_${operator}_`);

class Parser {
  readonly #tokens: Token[];
  readonly #faults: CelFault[];
  readonly #hasBindings: boolean;
  #at = 0;
  #depth = 0;

  constructor(tokens: Token[], faults: CelFault[], hasBindings: boolean) {
    this.#tokens = tokens;
    this.#faults = faults;
    this.#hasBindings = hasBindings;
  }

  whole(): Node | undefined {
    try {
      const node = this.#expression();
      if (this.#now.type !== "<EOF>") this.#fail();
      return node;
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      return undefined;
    }
  }

  get #now(): Token {
    return this.#tokens[this.#at]!;
  }

  #fail(): never {
    throw new Stop();
  }

  #refuse(offset: number, text: string): void {
    this.#faults.push({ offset, text });
  }

  #is(type: string): boolean {
    return this.#now.type === type;
  }

  #take(...types: string[]): Token | undefined {
    const token = this.#now;
    if (!types.includes(token.type)) return undefined;
    this.#at += 1;
    return token;
  }

  #need(...types: string[]): Token {
    return this.#take(...types) ?? this.#fail();
  }

  #expression(): Node {
    this.#depth += 1;
    if (this.#depth > depthMax) {
      this.#refuse(this.#now.offset, tooDeep);
      this.#fail();
    }
    const condition = this.#binary(0);
    const question = this.#take("?");
    let node = condition;
    if (question !== undefined) {
      const yes = this.#binary(0);
      this.#need(":");
      node = {
        kind: "call",
        name: "_?_:_",
        target: undefined,
        args: [condition, yes, this.#expression()],
        offset: question.offset,
      };
    }
    this.#depth -= 1;
    return node;
  }

  #binary(level: number): Node {
    if (level === levels.length) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const operator = levels[level]!.find((one) => this.#is(one));
      if (operator === undefined) return left;
      const { offset } = this.#take(operator)!;
      left = { kind: "call", name: nameOf(operator), target: undefined, args: [left, this.#binary(level + 1)], offset };
    }
  }

  /** As many of one operator as there are; two cancel each other. */
  #unary(): Node {
    for (const operator of ["!", "-"]) {
      const first = this.#take(operator);
      if (first === undefined) continue;
      let count = 1;
      while (this.#take(operator) !== undefined) count += 1;
      if (operator === "-" && count === 1 && (this.#is("NUM_INT") || this.#is("NUM_FLOAT")))
        return this.#suffixed(this.#numberToken(first));
      const minus = operator === "!" ? this.#take("-") : undefined;
      if (minus !== undefined && !this.#is("NUM_INT") && !this.#is("NUM_FLOAT")) this.#fail();
      const operand = this.#suffixed(minus === undefined ? this.#primary() : this.#numberToken(minus));
      if (count % 2 === 0) return operand;
      return { kind: "call", name: `${operator}_`, target: undefined, args: [operand], offset: first.offset };
    }
    return this.#suffixed(this.#primary());
  }

  #numberToken(minus?: Token): Node {
    const { type, text, offset: own } = this.#now;
    const offset = minus?.offset ?? own;
    const sign = minus === undefined ? "" : "-";
    this.#at += 1;
    if (type === "NUM_FLOAT") {
      const value = Number(`${sign}${text}`);
      if (!Number.isFinite(value)) this.#refuse(offset, "invalid double literal");
      return { kind: "literal", value, offset };
    }
    const digits = BigInt(text.replace(/[uU]$/, ""));
    const value = minus === undefined ? digits : -digits;
    const isUnsigned = type === "NUM_UINT";
    const kept = isUnsigned ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value);
    if (kept !== value) this.#refuse(offset, `invalid ${isUnsigned ? "uint" : "int"} literal`);
    return { kind: "literal", value, unsigned: isUnsigned, offset };
  }

  #primary(): Node {
    const token = this.#now;
    switch (token.type) {
      case "NUM_INT":
      case "NUM_UINT":
      case "NUM_FLOAT":
        return this.#numberToken();
      case "STRING":
      case "BYTES":
        this.#at += 1;
        return { kind: "literal", value: token.value!, offset: token.offset };
      case "true":
      case "false":
        this.#at += 1;
        return { kind: "literal", value: token.type === "true", offset: token.offset };
      case "null":
        this.#at += 1;
        return { kind: "literal", value: null, offset: token.offset };
      case "IDENTIFIER":
        return this.#named();
      default:
        return this.#bracketed(token);
    }
  }

  #bracketed(token: Token): Node {
    if (this.#take("(") !== undefined) {
      const inner = this.#expression();
      this.#need(")");
      return inner;
    }
    if (this.#take("[") !== undefined) return this.#list(token.offset);
    if (this.#take("{") !== undefined) return this.#map(token.offset);
    this.#need(".");
    return this.#named();
  }

  #list(offset: number): Node {
    const items: Node[] = [];
    const optional = new Set<number>();
    while (!this.#is("]") && !this.#is(",")) {
      if (this.#take("?") !== undefined) optional.add(items.length);
      items.push(this.#expression());
      if (!this.#another("]")) break;
    }
    this.#take(",");
    this.#need("]");
    return { kind: "list", items, optional, offset };
  }

  #map(offset: number): Node {
    const entries = [];
    while (!this.#is("}") && !this.#is(",")) {
      const isOptional = this.#take("?") !== undefined;
      const key = this.#expression();
      const colon = this.#need(":");
      entries.push({ key, value: this.#expression(), isOptional, offset: colon.offset });
      if (!this.#another("}")) break;
    }
    this.#take(",");
    this.#need("}");
    return { kind: "map", entries, offset };
  }

  /** After an item: whether one follows its comma. The last comma may stand before the end. */
  #another(end: string): boolean {
    if (!this.#is(",") || this.#tokens[this.#at + 1]?.type === end) return false;
    this.#at += 1;
    return true;
  }

  #named(): Node {
    const { text, offset } = this.#need("IDENTIFIER");
    if (reserved.has(text)) this.#refuse(offset, `reserved identifier: ${text}`);
    const bracket = this.#take("(");
    if (bracket === undefined) return { kind: "identifier", name: text, offset };
    const args = this.#arguments();
    return this.#call(text, undefined, args, bracket.offset);
  }

  #arguments(): Node[] {
    const args: Node[] = [];
    if (this.#take(")") !== undefined) return args;
    do args.push(this.#expression());
    while (this.#take(",") !== undefined);
    this.#need(")");
    return args;
  }

  #suffixed(start: Node): Node {
    let node = start;
    for (;;) {
      const dot = this.#take(".");
      if (dot !== undefined) {
        const isOptional = this.#take("?") !== undefined;
        const token = this.#need("IDENTIFIER", "ESC_IDENTIFIER");
        const bracket = isOptional || token.type === "ESC_IDENTIFIER" ? undefined : this.#take("(");
        const field = token.text.replaceAll("`", "");
        if (bracket !== undefined) node = this.#call(field, node, this.#arguments(), bracket.offset);
        else node = { kind: "select", operand: node, field, isOptional, isTest: false, offset: dot.offset };
        continue;
      }
      const bracket = this.#take("[");
      if (bracket !== undefined) {
        const isOptional = this.#take("?") !== undefined;
        const key = this.#expression();
        this.#need("]");
        node = {
          kind: "call",
          name: isOptional ? "_[?_]" : "_[_]",
          target: undefined,
          args: [node, key],
          offset: bracket.offset,
        };
        continue;
      }
      const brace = qualifiedName(node) === undefined ? undefined : this.#take("{");
      if (brace === undefined) return node;
      node = this.#struct(qualifiedName(node) ?? "", brace.offset);
    }
  }

  #struct(name: string, offset: number): Node {
    const entries = [];
    while (!this.#is("}") && !this.#is(",")) {
      const isOptional = this.#take("?") !== undefined;
      const key = this.#need("IDENTIFIER", "ESC_IDENTIFIER").text.replaceAll("`", "");
      const { offset: colon } = this.#need(":");
      entries.push({ key, value: this.#expression(), isOptional, offset: colon });
      if (!this.#another("}")) break;
    }
    this.#take(",");
    this.#need("}");
    return { kind: "struct", name, entries, offset };
  }

  /** Macros are calls of a shape of their own. */
  #call(name: string, target: Node | undefined, args: Node[], offset: number): Node {
    if (target === undefined && name === "has" && args.length === 1) return this.#has(args[0]!, offset);
    if (target !== undefined && loops[name]?.includes(args.length) === true)
      return this.#loop(name, target, args, offset);
    if (target !== undefined && (name === "optMap" || name === "optFlatMap") && args.length === 2) {
      const [variable, body] = args as [Node, Node];
      if (variable.kind === "identifier")
        return { kind: "bind", macro: name, range: target, variable: variable.name, body, offset };
      this.#refuse(variable.offset, `${name}() variable name must be a simple identifier`);
    }
    if (
      this.#hasBindings &&
      name === "bind" &&
      target?.kind === "identifier" &&
      target.name === "cel" &&
      args.length === 3
    )
      return this.#bind(args as [Node, Node, Node], offset);
    return { kind: "call", name, target, args, offset };
  }

  #bind([variable, range, body]: [Node, Node, Node], offset: number): Node {
    if (variable.kind !== "identifier")
      this.#refuse(variable.offset, "cel.bind() variable names must be simple identifiers");
    const name = variable.kind === "identifier" ? variable.name : "";
    return { kind: "bind", macro: "bind", range, variable: name, body, offset };
  }

  #has(argument: Node, offset: number): Node {
    if (argument.kind === "select") return { ...argument, isTest: true, offset: argument.offset };
    this.#refuse(argument.offset, "invalid argument to has() macro");
    return { kind: "literal", value: false, offset };
  }

  #loop(macro: string, range: Node, args: Node[], offset: number): Node {
    const isQuantifier = ["all", "exists", "exists_one", "existsOne"].includes(macro);
    const hasTwo = twoVariableMacros.has(macro) || (isQuantifier && args.length === 3);
    const count = hasTwo ? 2 : 1;
    const variables = args.slice(0, count).map((node) => {
      if (node.kind !== "identifier") this.#refuse(node.offset, "argument must be a simple name");
      return node.kind === "identifier" ? node.name : "";
    });
    return { kind: "loop", macro, range, variables, bodies: args.slice(count), offset };
  }
}

/** Macros over a list or map, and how many arguments they may have. */
const loops: Readonly<Record<string, readonly number[]>> = {
  all: [2, 3],
  exists: [2, 3],
  exists_one: [2, 3],
  existsOne: [2, 3],
  map: [2, 3],
  filter: [2],
  sortBy: [2],
  transformList: [3, 4],
  transformMap: [3, 4],
  transformMapEntry: [3, 4],
};
const twoVariableMacros = new Set(["transformList", "transformMap", "transformMapEntry"]);
