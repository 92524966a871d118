/** The text of a CEL expression as tokens and as a tree. Upstream: google/cel-go parser; error texts are its. */

export interface CelFault {
  /** Place in the expression, in UTF-16 units. */
  offset: number;
  text: string;
}

export type Node = { offset: number } & (
  | { kind: "literal"; value: bigint | number | string | boolean | null | Uint8Array; unsigned?: boolean }
  | { kind: "identifier"; name: string }
  | { kind: "select"; operand: Node; field: string; isOptional: boolean; isTest: boolean }
  | { kind: "call"; name: string; target: Node | undefined; args: Node[] }
  | { kind: "list"; items: Node[]; optional: ReadonlySet<number> }
  | { kind: "map"; entries: { key: Node; value: Node; isOptional: boolean; offset: number }[] }
  | { kind: "struct"; name: string; entries: { key: string; value: Node; offset: number }[] }
  | { kind: "loop"; macro: string; range: Node; variables: string[]; bodies: Node[] }
  | { kind: "bind"; macro: "optMap" | "optFlatMap"; range: Node; variable: string; body: Node }
);

interface Token {
  type: "int" | "uint" | "float" | "string" | "bytes" | "name" | "op" | "end";
  text: string;
  offset: number;
  value?: string | Uint8Array;
}

const operators = ["&&", "||", "==", "!=", "<=", ">=", ...".,:?[](){}<>+-*/%!"];
const reserved = new Set(
  "as break const continue else for function if import let loop package namespace return var void while".split(" "),
);
const startText =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
/** Nesting that no sensible rule has. Upstream's limit. */
const depthMax = 250;

const number =
  /^(?:(0x[0-9a-fA-F]+|\d+)([uU])|(\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)|(0x[0-9a-fA-F]+|\d+))/;
const quoted = /^([bBrR]{0,2})("""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')/;

export class SyntaxFaults extends Error {
  readonly faults: CelFault[];
  constructor(faults: CelFault[]) {
    super("CEL syntax");
    this.faults = faults;
  }
}

function tokensOf(text: string, faults: CelFault[]): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const push = (type: Token["type"], length: number, value?: string | Uint8Array) => {
    tokens.push({ type, text: text.slice(at, at + length), offset: at, ...(value === undefined ? {} : { value }) });
    at += length;
  };
  while (at < text.length) {
    const rest = text.slice(at);
    const space = /^(\s+|\/\/[^\n]*)/.exec(rest);
    if (space !== null) {
      at += space[0].length;
      continue;
    }
    const text_ = quoted.exec(rest);
    if (text_ !== null && isPrefix(text_[1]!)) {
      const isRaw = /r/i.test(text_[1]!);
      const isBytes = /b/i.test(text_[1]!);
      const value = unquoted(text_[2]!, isRaw, isBytes);
      push(isBytes ? "bytes" : "string", text_[0].length, value);
      continue;
    }
    const digits = number.exec(rest);
    if (digits !== null && !(rest[0] === "." && tokens.at(-1)?.type === "name")) {
      push(digits[2] !== undefined ? "uint" : digits[3] !== undefined ? "float" : "int", digits[0].length);
      continue;
    }
    const name = /^(?:[A-Za-z_][A-Za-z0-9_]*|`[A-Za-z0-9_.\-/ ]+`)/.exec(rest);
    if (name !== null) {
      push("name", name[0].length);
      continue;
    }
    const operator = operators.find((one) => rest.startsWith(one));
    if (operator !== undefined) {
      push("op", operator.length);
      continue;
    }
    const bad = /^['"]/.test(rest) ? (/^[^\n]*/.exec(rest)?.[0] ?? rest[0]!) : rest[0]!;
    faults.push({ offset: at, text: `Syntax error: token recognition error at: '${bad}'` });
    at += bad.length;
  }
  tokens.push({ type: "end", text: "<EOF>", offset: text.length });
  return tokens;
}

const isPrefix = (prefix: string): boolean => /^(b?r?|r?b?)$/i.test(prefix);

const escapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "`": "`",
  "?": "?",
};

function unquoted(text: string, isRaw: boolean, isBytes: boolean): string | Uint8Array {
  const width = text.startsWith('"""') || text.startsWith("'''") ? 3 : 1;
  const inner = text.slice(width, -width);
  if (isRaw) return isBytes ? Buffer.from(inner) : inner;
  const parts: Buffer[] = [];
  let plain = "";
  const pattern = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([^]))|([^\\]+)/g;
  for (const [, hex, short, long, octal, one, rest] of inner.matchAll(pattern)) {
    const byte = hex ?? octal;
    if (isBytes && byte !== undefined) {
      parts.push(Buffer.from(plain), Buffer.from([Number.parseInt(byte, hex === undefined ? 8 : 16)]));
      plain = "";
    } else if (byte !== undefined) plain += String.fromCodePoint(Number.parseInt(byte, hex === undefined ? 8 : 16));
    else if (short ?? long) plain += String.fromCodePoint(Number.parseInt((short ?? long)!, 16));
    else plain += rest ?? escapes[one!] ?? one!;
  }
  return isBytes ? Buffer.concat([...parts, Buffer.from(plain)]) : plain;
}

/** Throws SyntaxFaults. */
export function parseCel(text: string): Node {
  const faults: CelFault[] = [];
  const parser = new Parser(tokensOf(text, faults), faults);
  const node = parser.whole();
  if (faults.length > 0) throw new SyntaxFaults(faults);
  return node!;
}

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
  #at = 0;
  #depth = 0;

  constructor(tokens: Token[], faults: CelFault[]) {
    this.#tokens = tokens;
    this.#faults = faults;
  }

  whole(): Node | undefined {
    try {
      const node = this.#expression();
      if (this.#now.type !== "end") this.#fail(`extraneous input '${this.#now.text}' expecting <EOF>`);
      return node;
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      return undefined;
    }
  }

  get #now(): Token {
    return this.#tokens[this.#at]!;
  }

  #fail(text: string): never {
    this.#faults.push({ offset: this.#now.offset, text: `Syntax error: ${text}` });
    throw new Stop();
  }

  #refuse(offset: number, text: string): void {
    this.#faults.push({ offset, text });
  }

  #is(text: string): boolean {
    return (this.#now.type === "op" || (text === "in" && this.#now.type === "name")) && this.#now.text === text;
  }

  #take(text: string): Token | undefined {
    if (!this.#is(text)) return undefined;
    this.#at += 1;
    return this.#tokens[this.#at - 1];
  }

  #need(text: string): Token {
    return this.#take(text) ?? this.#fail(`mismatched input '${this.#now.text}' expecting '${text}'`);
  }

  #expression(): Node {
    this.#depth += 1;
    if (this.#depth > depthMax) this.#fail("expression recursion limit exceeded: 250");
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

  #unary(): Node {
    for (const operator of ["!", "-"]) {
      const token = this.#take(operator);
      if (token === undefined) continue;
      const isNumber = this.#now.type === "int" || this.#now.type === "float";
      if (operator === "-" && isNumber && this.#now.offset === token.offset + 1)
        return this.#suffixed(this.#numberToken(token));
      const name = operator === "!" ? "!_" : "-_";
      return { kind: "call", name, target: undefined, args: [this.#unary()], offset: token.offset };
    }
    return this.#suffixed(this.#primary());
  }

  #numberToken(minus?: Token): Node {
    const { type, text, offset } = this.#now;
    this.#at += 1;
    const sign = minus === undefined ? "" : "-";
    if (type === "float") return { kind: "literal", value: Number(`${sign}${text}`), offset: minus?.offset ?? offset };
    const digits = BigInt(text.replace(/[uU]$/, ""));
    const value = minus === undefined ? digits : -digits;
    if (type === "int" && BigInt.asIntN(64, value) !== value) this.#refuse(offset, "invalid int literal");
    return { kind: "literal", value, unsigned: type === "uint", offset: minus?.offset ?? offset };
  }

  #primary(): Node {
    const token = this.#now;
    switch (token.type) {
      case "int":
      case "uint":
      case "float":
        return this.#numberToken();
      case "string":
      case "bytes":
        this.#at += 1;
        return { kind: "literal", value: token.value!, offset: token.offset };
      case "name":
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
    if (this.#take(".") !== undefined) return this.#named();
    return this.#fail(`mismatched input '${token.text}' expecting ${startText}`);
  }

  #list(offset: number): Node {
    const items: Node[] = [];
    const optional = new Set<number>();
    while (!this.#is("]")) {
      if (this.#take("?") !== undefined) optional.add(items.length);
      items.push(this.#expression());
      if (this.#take(",") === undefined) break;
    }
    this.#need("]");
    return { kind: "list", items, optional, offset };
  }

  #map(offset: number): Node {
    const entries = [];
    while (!this.#is("}")) {
      const isOptional = this.#take("?") !== undefined;
      const key = this.#expression();
      const colon = this.#need(":");
      entries.push({ key, value: this.#expression(), isOptional, offset: colon.offset });
      if (this.#take(",") === undefined) break;
    }
    this.#need("}");
    return { kind: "map", entries, offset };
  }

  #named(): Node {
    const { text, offset, type } = this.#now;
    if (type !== "name") return this.#fail(`mismatched input '${text}' expecting IDENTIFIER`);
    this.#at += 1;
    if (text === "true" || text === "false") return { kind: "literal", value: text === "true", offset };
    if (text === "null") return { kind: "literal", value: null, offset };
    if (reserved.has(text)) this.#refuse(offset, `reserved identifier: ${text}`);
    const bracket = this.#take("(");
    if (bracket === undefined) return { kind: "identifier", name: text, offset };
    const args = this.#arguments();
    return this.#call(text, undefined, args, bracket.offset);
  }

  #arguments(): Node[] {
    const args: Node[] = [];
    while (!this.#is(")")) {
      args.push(this.#expression());
      if (this.#take(",") === undefined) break;
    }
    this.#need(")");
    return args;
  }

  #suffixed(start: Node): Node {
    let node = start;
    for (;;) {
      const dot = this.#take(".");
      if (dot !== undefined) {
        const isOptional = this.#take("?") !== undefined;
        const token = this.#now;
        if (token.type !== "name") this.#fail(`mismatched input '${token.text}' expecting IDENTIFIER`);
        this.#at += 1;
        const bracket = isOptional ? undefined : this.#take("(");
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
      const brace = /^[A-Z]/.test(qualifiedName(node) ?? "") ? this.#take("{") : undefined;
      if (brace === undefined) return node;
      node = this.#struct(qualifiedName(node) ?? "", brace.offset);
    }
  }

  #struct(name: string, offset: number): Node {
    const entries = [];
    while (!this.#is("}")) {
      const key = this.#now.text.replaceAll("`", "");
      if (this.#now.type !== "name")
        this.#fail(`mismatched input '${this.#now.text}' expecting {'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}`);
      this.#at += 1;
      const { offset: colon } = this.#need(":");
      entries.push({ key, value: this.#expression(), offset: colon });
      if (this.#take(",") === undefined) break;
    }
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
    return { kind: "call", name, target, args, offset };
  }

  #has(argument: Node, offset: number): Node {
    if (argument.kind === "select") return { ...argument, isTest: true, offset: argument.offset };
    this.#refuse(argument.offset, "invalid argument to has() macro");
    return { kind: "literal", value: false, offset };
  }

  #loop(macro: string, range: Node, args: Node[], offset: number): Node {
    const hasTwo =
      twoVariableMacros.has(macro) ||
      ((macro === "all" || macro === "exists") && args.length === 3) ||
      (macro === "existsOne" && args.length === 3);
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
  exists_one: [2],
  existsOne: [2, 3],
  map: [2, 3],
  filter: [2],
  transformList: [3, 4],
  transformMap: [3, 4],
  transformMapEntry: [3, 4],
};
const twoVariableMacros = new Set(["transformList", "transformMap", "transformMapEntry"]);

/** "a.b.c" of names and selections only. */
export function qualifiedName(node: Node): string | undefined {
  if (node.kind === "identifier") return node.name;
  if (node.kind !== "select" || node.isTest || node.isOptional) return undefined;
  const operand = qualifiedName(node.operand);
  return operand === undefined ? undefined : `${operand}.${node.field}`;
}

/** One fault as cel-go shows it: place, text, the line and a mark below it. */
export function faultText({ offset, text }: CelFault, source: string): string {
  const before = source.slice(0, offset);
  const line = before.split("\n").length;
  const start = before.lastIndexOf("\n") + 1;
  const column = Array.from(before.slice(start)).length;
  const shown = source.slice(start).split("\n")[0]!;
  return `ERROR: <input>:${line}:${column + 1}: ${text}\n | ${shown}\n | ${".".repeat(column)}^`;
}
