/** Reads a Go template (text/template) into nodes. What it cannot read is a TemplateError with the line. */
import { type Token, TemplateError, actionTokens, splitActions } from "./tokens.ts";

export type Node =
  | { type: "text"; text: string }
  | { type: "print"; pipe: Pipe }
  | { type: "if" | "with"; pipe: Pipe; body: Node[]; otherwise: Node[] }
  | { type: "range"; pipe: Pipe; body: Node[]; otherwise: Node[] }
  | { type: "template"; name: string; pipe: Pipe | undefined }
  | { type: "break" | "continue" };

/** Values flow from command to command; the last goes into the variables, if there are any. */
export interface Pipe {
  variables: string[];
  isDeclaration: boolean;
  commands: Operand[][];
}

export type Operand =
  | { type: "dot" }
  | { type: "literal"; value: unknown }
  | { type: "function"; name: string }
  | { type: "variable"; name: string }
  | { type: "pipe"; pipe: Pipe }
  | { type: "fields"; of: Operand; names: string[] };

export interface Template {
  main: Node[];
  named: Map<string, Node[]>;
}

/** Blocks within blocks, and parentheses within parentheses. */
export const depthMax = 100;

export function parseTemplate(text: string, functions: ReadonlySet<string>): Template {
  return new Parser(text, functions).template();
}

class Parser {
  readonly #parts: ReturnType<typeof splitActions>;
  readonly #functions: ReadonlySet<string>;
  readonly #named = new Map<string, Node[]>();
  #at = 0;
  #tokens: Token[] = [];
  #line = 1;
  #depth = 0;

  constructor(text: string, functions: ReadonlySet<string>) {
    this.#parts = splitActions(text);
    this.#functions = functions;
  }

  template(): Template {
    const { nodes, end } = this.#nodes(false);
    if (end !== "") throw this.#error(`unexpected {{${end}}}`);
    return { main: nodes, named: this.#named };
  }

  #error(message: string): TemplateError {
    return new TemplateError(`template: output:${this.#line}: ${message}`);
  }

  /** Nodes up to "end" or "else", which is returned; the else's own tokens stay to be read. */
  #nodes(isInside: boolean): { nodes: Node[]; end: "" | "end" | "else" } {
    this.#depth += 1;
    if (this.#depth > depthMax) throw this.#error("nested too deeply");
    const nodes: Node[] = [];
    while (this.#at < this.#parts.length) {
      const part = this.#parts[this.#at]!;
      this.#at += 1;
      if (part.type === "text") {
        nodes.push(part);
        continue;
      }
      this.#line = part.line;
      this.#tokens = actionTokens(part.text, part.line);
      const first = this.#tokens[0];
      if (first === undefined) throw this.#error("missing value for command");
      if (first.type === "word" && (first.text === "end" || first.text === "else")) {
        this.#depth -= 1;
        this.#tokens.shift();
        return { nodes, end: first.text };
      }
      const node = this.#action(first);
      if (node !== undefined) nodes.push(node);
    }
    if (isInside) throw this.#error("unexpected EOF");
    this.#depth -= 1;
    return { nodes, end: "" };
  }

  #action(first: Token): Node | undefined {
    const word = first.type === "word" ? first.text : "";
    switch (word) {
      case "if":
      case "with":
      case "range":
        this.#tokens.shift();
        return this.#block(word);
      case "break":
      case "continue":
        return { type: word };
      case "template": {
        this.#tokens.shift();
        const name = this.#name();
        return { type: "template", name, pipe: this.#tokens.length === 0 ? undefined : this.#pipe() };
      }
      case "define":
      case "block": {
        this.#tokens.shift();
        const name = this.#name();
        const pipe = word === "block" ? this.#pipe() : undefined;
        const { nodes, end } = this.#nodes(true);
        if (end !== "end") throw this.#error(`unexpected {{${end}}} in ${word} clause`);
        this.#named.set(name, nodes);
        return word === "block" ? { type: "template", name, pipe } : undefined;
      }
      default:
        return { type: "print", pipe: this.#pipe() };
    }
  }

  #block(type: "if" | "with" | "range"): Node {
    const pipe = this.#pipe();
    const { nodes: body, end } = this.#nodes(true);
    if (end === "end") return { type, pipe, body, otherwise: [] };
    const next = this.#tokens[0];
    if (next?.type === "word" && (next.text === "if" || next.text === "with")) {
      this.#tokens.shift();
      return { type, pipe, body, otherwise: [this.#block(next.text)] };
    }
    const otherwise = this.#nodes(true);
    if (otherwise.end !== "end") throw this.#error(`expected end; found {{${otherwise.end}}}`);
    return { type, pipe, body, otherwise: otherwise.nodes };
  }

  #name(): string {
    const token = this.#tokens.shift();
    if (token?.type !== "literal" || typeof token.value !== "string") throw this.#error("missing template name");
    return token.value;
  }

  #pipe(): Pipe {
    this.#depth += 1;
    if (this.#depth > depthMax) throw this.#error("nested too deeply");
    const { variables, isDeclaration } = this.#variables();
    const commands: Operand[][] = [];
    for (;;) {
      commands.push(this.#command());
      if (this.#tokens[0]?.type !== "pipe") break;
      this.#tokens.shift();
    }
    this.#depth -= 1;
    return { variables, isDeclaration, commands };
  }

  /** "$x :=", "$i, $x :=", "$x =", or nothing. */
  #variables(): { variables: string[]; isDeclaration: boolean } {
    const end = this.#tokens.findIndex(({ type }) => type === "declare" || type === "assign");
    const names = this.#tokens.slice(0, Math.max(end, 0)).filter(({ type }) => type !== "comma");
    if (end < 0 || names.length > 2 || names.some(({ type }) => type !== "variable"))
      return { variables: [], isDeclaration: false };
    const isDeclaration = this.#tokens[end]!.type === "declare";
    this.#tokens.splice(0, end + 1);
    return { variables: names.map((one) => (one.type === "variable" ? one.text : "")), isDeclaration };
  }

  #command(): Operand[] {
    const operands: Operand[] = [];
    for (;;) {
      const next = this.#tokens[0];
      if (next === undefined || next.type === "pipe" || next.type === "close") break;
      operands.push(this.#operand());
    }
    if (operands.length === 0) throw this.#error("missing value for command");
    return operands;
  }

  #operand(): Operand {
    const token = this.#tokens.shift()!;
    const operand = this.#bareOperand(token);
    const next = this.#tokens[0];
    if (next?.type !== "chain") return operand;
    this.#tokens.shift();
    return { type: "fields", of: operand, names: next.names };
  }

  #bareOperand(token: Token): Operand {
    switch (token.type) {
      case "dot":
        return { type: "dot" };
      case "chain":
      case "fields":
        return { type: "fields", of: { type: "dot" }, names: token.names };
      case "literal":
        return { type: "literal", value: token.value };
      case "variable":
        return { type: "variable", name: token.text };
      case "word":
        if (!this.#functions.has(token.text)) throw this.#error(`function ${JSON.stringify(token.text)} not defined`);
        return { type: "function", name: token.text };
      case "open": {
        const pipe = this.#pipe();
        if (this.#tokens.shift()?.type !== "close") throw this.#error("unclosed left paren");
        return { type: "pipe", pipe };
      }
      default:
        throw this.#error(`unexpected ${JSON.stringify(token.type)} in operand`);
    }
  }
}
