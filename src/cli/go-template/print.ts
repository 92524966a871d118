/** -o go-template: runs a Go template on an object. */
import { goValue, sortedJson, withSortedKeys } from "#api/go-text.ts";
import type { KubernetesObject } from "#api/object.ts";
import { UsageError } from "#cli/command.ts";
import { functions, isTrue, shown } from "./functions.ts";
import { type Node, type Operand, type Pipe, type Template, parseTemplate } from "./parse.ts";
import { TemplateError } from "./tokens.ts";

/** Templates that call templates stop here. */
export const callsMax = 1000;

/** `mayMiss`: a key that is not there is no error. */
export function goTemplatePrinter(text: string, mayMiss = true): (object: KubernetesObject) => string {
  if (text === "") throw new UsageError("template format specified but no template given");
  let template: Template;
  try {
    template = parseTemplate(text, new Set(Object.keys(functions)));
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new UsageError(`error parsing template ${text}, ${error.message}`);
  }
  return (object) => {
    try {
      return executeTemplate(template, withSortedKeys(object), mayMiss);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      throw new UsageError(
        `error executing template ${JSON.stringify(text)}: template: output: executing "output": ${error.message}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t${text}\n\traw data was:\n\t\t${sortedJson(object)}\n\tobject given to template engine was:\n\t\t${goValue(object)}\n\n`,
      );
    }
  };
}

export function executeTemplate(template: Template, data: unknown, mayMiss = true): string {
  const execution = new Execution(template, mayMiss);
  execution.run(template.main, data, new Scope(undefined, data));
  return execution.out;
}

class Scope {
  readonly #outer: Scope | undefined;
  readonly #values = new Map<string, unknown>();
  constructor(outer: Scope | undefined, root?: unknown) {
    this.#outer = outer;
    if (outer === undefined) this.#values.set("$", root);
  }
  declare(name: string, value: unknown): void {
    this.#values.set(name, value);
  }
  #holder(name: string): Scope {
    if (this.#values.has(name)) return this;
    if (this.#outer === undefined) throw new TemplateError(`undefined variable ${JSON.stringify(name)}`);
    return this.#outer.#holder(name);
  }
  assign(name: string, value: unknown): void {
    this.#holder(name).#values.set(name, value);
  }
  get(name: string): unknown {
    return this.#holder(name).#values.get(name);
  }
}

type Outcome = "next" | "break" | "continue";

class Execution {
  out = "";
  readonly #template: Template;
  readonly #mayMiss: boolean;
  #calls = 0;

  constructor(template: Template, mayMiss: boolean) {
    this.#template = template;
    this.#mayMiss = mayMiss;
  }

  run(nodes: readonly Node[], dot: unknown, scope: Scope): Outcome {
    for (const node of nodes) {
      const outcome = this.#node(node, dot, scope);
      if (outcome !== "next") return outcome;
    }
    return "next";
  }

  #node(node: Node, dot: unknown, scope: Scope): Outcome {
    switch (node.type) {
      case "text":
        this.out += node.text;
        return "next";
      case "print": {
        const value = this.#pipe(node.pipe, dot, scope);
        if (node.pipe.variables.length === 0) this.out += shown(value);
        return "next";
      }
      case "if":
      case "with": {
        const inner = new Scope(scope);
        const value = this.#pipe(node.pipe, dot, inner);
        if (!isTrue(value)) return this.run(node.otherwise, dot, inner);
        return this.run(node.body, node.type === "with" ? value : dot, inner);
      }
      case "range":
        return this.#range(node, dot, scope);
      case "template": {
        const body = this.#template.named.get(node.name);
        if (body === undefined) throw new TemplateError(`template ${JSON.stringify(node.name)} not defined`);
        this.#calls += 1;
        if (this.#calls > callsMax) throw new TemplateError("exceeded maximum template depth");
        const data = node.pipe === undefined ? undefined : this.#pipe(node.pipe, dot, scope);
        this.run(body, data, new Scope(undefined, data));
        this.#calls -= 1;
        return "next";
      }
      case "break":
      case "continue":
        return node.type;
    }
  }

  #range({ pipe, body, otherwise }: Node & { type: "range" }, dot: unknown, scope: Scope): Outcome {
    const value = this.#pipe({ ...pipe, variables: [] }, dot, scope);
    const entries = rangeEntries(value);
    if (entries.length === 0) return this.run(otherwise, dot, new Scope(scope));
    const [first, second] = pipe.variables;
    for (const [key, item] of entries) {
      const inner = new Scope(scope);
      if (first !== undefined) inner.declare(first, second === undefined ? item : key);
      if (second !== undefined) inner.declare(second, item);
      if (this.run(body, item, inner) === "break") break;
    }
    return "next";
  }

  #pipe({ variables, isDeclaration, commands }: Pipe, dot: unknown, scope: Scope): unknown {
    let value: unknown;
    for (const [at, command] of commands.entries()) value = this.#command(command, at === 0 ? [] : [value], dot, scope);
    const [name] = variables;
    if (name !== undefined && isDeclaration) scope.declare(name, value);
    else if (name !== undefined) scope.assign(name, value);
    return value;
  }

  #command([head, ...rest]: readonly Operand[], piped: readonly unknown[], dot: unknown, scope: Scope): unknown {
    if (head?.type !== "function") {
      if (rest.length + piped.length > 0) throw new TemplateError("can't give argument to non-function");
      return this.#operand(head!, dot, scope);
    }
    if (head.name === "and" || head.name === "or") {
      let value: unknown;
      for (const operand of rest) {
        value = this.#operand(operand, dot, scope);
        if (isTrue(value) === (head.name === "or")) return value;
      }
      return piped.length > 0 ? piped[0] : value;
    }
    return functions[head.name]!([...rest.map((operand) => this.#operand(operand, dot, scope)), ...piped]);
  }

  #operand(operand: Operand, dot: unknown, scope: Scope): unknown {
    switch (operand.type) {
      case "dot":
        return dot;
      case "literal":
        return operand.value;
      case "variable":
        return scope.get(operand.name);
      case "pipe":
        return this.#pipe(operand.pipe, dot, new Scope(scope));
      case "function":
        return functions[operand.name]!([]);
      case "fields":
        return operand.names.reduce<unknown>(
          (value, name) => fieldOf(value, name, this.#mayMiss),
          this.#operand(operand.of, dot, scope),
        );
    }
  }
}

/** What is not there has no fields either, other than what is null. */
function fieldOf(value: unknown, name: string, mayMiss: boolean): unknown {
  if (value === undefined) return undefined;
  if (value === null) throw new TemplateError(`nil pointer evaluating interface {}.${name}`);
  if (typeof value !== "object" || Array.isArray(value))
    throw new TemplateError(`can't evaluate field ${name} in type interface {}`);
  if (Object.hasOwn(value, name)) return (value as Record<string, unknown>)[name];
  if (mayMiss) return undefined;
  throw new TemplateError(`map has no entry for key ${JSON.stringify(name)}`);
}

function rangeEntries(value: unknown): [string | number, unknown][] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.map((item, at) => [at, item]);
  if (typeof value === "object") return Object.entries(value);
  if (typeof value === "number") return Array.from({ length: Math.min(value, 1_000_000) }, (_, at) => [at, at]);
  throw new TemplateError(`range can't iterate over ${goValue(value)}`);
}
