/**
 * Kubernetes' JSONPath: templates such as `{range .items[*]}{.metadata.name}{"\n"}{end}`, and bare paths as printer
 * columns of CRDs have them. Upstream: client-go/util/jsonpath, whose dialect and printing this follows. Pure.
 */
export class JsonPathError extends Error {}

export type JsonPath = readonly Node[];

type Node =
  | { type: "text"; text: string }
  | { type: "path"; steps: Step[] }
  | { type: "range"; steps: Step[]; body: Node[] };

type Step =
  | { type: "field"; name: string }
  | { type: "wildcard" }
  | { type: "recursive" }
  | { type: "slice"; start: number | undefined; end: number | undefined; step: number }
  | { type: "index"; index: number }
  | { type: "union"; parts: Step[][] }
  | { type: "filter"; left: Operand; operator: string; right: Operand | undefined };

type Operand = { steps: Step[] } | { value: unknown };

/** Nesting of ranges and filters beyond this is refused. */
export const depthMax = 32;

/** Parses a template; a text without braces is taken as one bare path, with or without the leading dot. */
export function parseJsonPath(template: string): JsonPath {
  return new Parser(template).template();
}

/** `kubectl get -o jsonpath` accepts `.a`, `a` and `{.a}` alike: puts braces and the dot where they miss. */
export function relaxedJsonPath(text: string): string {
  if (text === "") return "";
  const bare = text.match(/^\{?\.?([^{}]+)\}?$/);
  if (bare === null) return text;
  return `{.${bare[1]!.replace(/^\./, "")}}`;
}

/** The values that a single path finds: for printer columns and sorting. */
export function findAll(path: JsonPath, data: unknown, allowMissing = true): unknown[] {
  const node = path.find((one) => one.type === "path");
  return node === undefined || node.type !== "path" ? [] : walk([data], node.steps, allowMissing, data);
}

/** What may miss without a JsonPathError: fields and list entries, fields only ("keys"), or nothing. */
export type MayMiss = boolean | "keys";

/** The text of a template. A missing field prints nothing if that is allowed, else it throws JsonPathError. */
export function printJsonPath(path: JsonPath, data: unknown, allowMissing: MayMiss = true): string {
  return evaluate(path, data, allowMissing, data);
}

function evaluate(nodes: readonly Node[], current: unknown, allowMissing: MayMiss, root: unknown): string {
  let out = "";
  for (const node of nodes) {
    if (node.type === "text") out += node.text;
    else if (node.type === "path") out += walk([current], node.steps, allowMissing, root).map(show).join(" ");
    else
      for (const item of walk([current], node.steps, allowMissing, root))
        out += evaluate(node.body, item, allowMissing, root);
  }
  return out;
}

function walk(start: readonly unknown[], steps: readonly Step[], allowMissing: MayMiss, root: unknown): unknown[] {
  let values = [...start];
  for (const step of steps) values = values.flatMap((value) => apply(step, value, allowMissing, root));
  return values;
}

function apply(step: Step, value: unknown, allowMissing: MayMiss, root: unknown): unknown[] {
  switch (step.type) {
    case "field": {
      if (step.name === "") return [value];
      if (isRecord(value) && Object.hasOwn(value, step.name)) return [value[step.name]];
      if (allowMissing !== false) return [];
      throw new JsonPathError(`${step.name} is not found`);
    }
    case "wildcard":
      return Array.isArray(value) ? value : isRecord(value) ? sortedValues(value) : [];
    case "recursive":
      return descendants(value);
    case "index":
      return indexOf(value, step.index, allowMissing);
    case "slice":
      return sliceOf(value, step);
    case "union":
      return step.parts.flatMap((part) => walk([value], part, allowMissing, root));
    case "filter":
      return (Array.isArray(value) ? value : isRecord(value) ? sortedValues(value) : []).filter((item) =>
        matches(step, item, root),
      );
  }
}

function indexOf(value: unknown, index: number, allowMissing: MayMiss): unknown[] {
  if (!Array.isArray(value)) {
    if (allowMissing === true) return [];
    throw new JsonPathError("value is not array or slice");
  }
  const at = index < 0 ? value.length + index : index;
  if (at >= 0 && at < value.length) return [value[at]];
  if (allowMissing === true) return [];
  throw new JsonPathError(`array index out of bounds: index ${index}, length ${value.length}`);
}

function sliceOf(value: unknown, { start, end, step }: Step & { type: "slice" }): unknown[] {
  if (!Array.isArray(value)) return [];
  const clamp = (at: number) => Math.max(0, Math.min(value.length, at < 0 ? value.length + at : at));
  const from = start === undefined ? 0 : clamp(start);
  const to = end === undefined ? value.length : clamp(end);
  return value.slice(from, to).filter((_, at) => at % step === 0);
}

function descendants(value: unknown): unknown[] {
  const inner = Array.isArray(value) ? value : isRecord(value) ? sortedValues(value) : [];
  return [value, ...inner.flatMap(descendants)];
}

function matches({ left, operator, right }: Step & { type: "filter" }, item: unknown, root: unknown): boolean {
  const lefts = operand(left, item, root);
  if (operator === "exists") return lefts.length > 0;
  const [a] = lefts;
  const [b] = operand(right!, item, root);
  if (lefts.length === 0) return false;
  const order = compare(a, b);
  switch (operator) {
    case "==":
      return a === b || order === 0;
    case "!=":
      return a !== b && order !== 0;
    case "<":
      return order !== undefined && order < 0;
    case "<=":
      return order !== undefined && order <= 0;
    case ">":
      return order !== undefined && order > 0;
    case ">=":
      return order !== undefined && order >= 0;
    default:
      throw new JsonPathError(`unrecognized filter operator ${operator}`);
  }
}

function operand(side: Operand, item: unknown, root: unknown): unknown[] {
  return "steps" in side ? walk([item], side.steps, true, root) : [side.value];
}

function compare(a: unknown, b: unknown): number | undefined {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  return undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const sortedValues = (value: Record<string, unknown>) =>
  Object.keys(value)
    .sort()
    .map((key) => value[key]);

/** A value as the template prints it: text as it is, everything else as JSON. */
function show(value: unknown): string {
  return typeof value === "string"
    ? value
    : value === undefined
      ? ""
      : value === null
        ? "<nil>"
        : JSON.stringify(value);
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  template(): Node[] {
    const nodes = this.#nodes(false, 0);
    return nodes;
  }

  #nodes(inRange: boolean, depth: number): Node[] {
    if (depth > depthMax) throw new JsonPathError("template is nested too deeply");
    const nodes: Node[] = [];
    while (this.#at < this.#text.length) {
      const brace = this.#text.indexOf("{", this.#at);
      const end = brace < 0 ? this.#text.length : brace;
      if (end > this.#at) nodes.push({ type: "text", text: this.#text.slice(this.#at, end) });
      this.#at = end;
      if (brace < 0) break;
      this.#at += 1;
      if (this.#action(nodes, depth) === "end") {
        if (!inRange) throw new JsonPathError("not in range, nothing to end");
        return nodes;
      }
    }
    if (inRange) throw new JsonPathError("unterminated range");
    return nodes;
  }

  /** What stands between braces: several paths and strings may follow each other. */
  #action(nodes: Node[], depth: number): "end" | undefined {
    for (;;) {
      this.#spaces();
      const next = this.#text[this.#at];
      if (next === undefined) throw new JsonPathError("unclosed action");
      if (next === "}") {
        this.#at += 1;
        return undefined;
      }
      if (next === '"' || next === "'") nodes.push({ type: "text", text: this.#quoted() });
      else if (this.#word("end")) {
        this.#close();
        return "end";
      } else if (this.#word("range")) {
        this.#spaces();
        const steps = this.#steps();
        this.#close();
        nodes.push({ type: "range", steps, body: this.#nodes(true, depth + 1) });
        return undefined;
      } else nodes.push({ type: "path", steps: this.#steps() });
    }
  }

  #close(): void {
    this.#spaces();
    if (this.#text[this.#at] !== "}") throw new JsonPathError("unclosed action");
    this.#at += 1;
  }

  #word(word: string): boolean {
    const rest = this.#text.slice(this.#at, this.#at + word.length + 1);
    if (!rest.startsWith(word) || /\w/.test(rest[word.length] ?? "")) return false;
    this.#at += word.length;
    return true;
  }

  #steps(): Step[] {
    const steps: Step[] = [];
    const start = this.#at;
    if (this.#text[this.#at] === "@" || this.#text[this.#at] === "$") this.#at += 1;
    for (;;) {
      const next = this.#text[this.#at];
      if (next === ".") {
        this.#at += 1;
        if (this.#text[this.#at] === ".") {
          this.#at += 1;
          steps.push({ type: "recursive" });
        }
        this.#named(steps);
      } else if (next === "[") steps.push(this.#bracket());
      else if (this.#at === start && next !== undefined && /[\w-]/.test(next)) this.#named(steps);
      else break;
    }
    if (this.#at === start)
      throw new JsonPathError(`unrecognized character in action: ${JSON.stringify(this.#text[this.#at] ?? "end")}`);
    return steps;
  }

  #named(steps: Step[]): void {
    if (this.#text[this.#at] === "*") {
      this.#at += 1;
      steps.push({ type: "wildcard" });
      return;
    }
    if (this.#text[this.#at] === "[") return;
    let name = "";
    for (;;) {
      const next = this.#text[this.#at];
      if (next === "\\" && this.#at + 1 < this.#text.length) {
        name += this.#text[this.#at + 1];
        this.#at += 2;
      } else if (next === undefined || /[\s.[\]{}()=!<>,|&"'?@]/.test(next)) break;
      else {
        name += next;
        this.#at += 1;
      }
    }
    if (name !== "") steps.push({ type: "field", name });
  }

  #bracket(): Step {
    this.#at += 1;
    this.#spaces();
    if (this.#text.startsWith("?(", this.#at)) return this.#filter();
    const parts: Step[][] = [];
    for (;;) {
      this.#spaces();
      parts.push(this.#bracketPart());
      this.#spaces();
      const next = this.#text[this.#at];
      this.#at += 1;
      if (next === "]") break;
      if (next !== ",") throw new JsonPathError("unterminated array");
    }
    return parts.length === 1 && parts[0]!.length === 1 ? parts[0]![0]! : { type: "union", parts };
  }

  #bracketPart(): Step[] {
    const next = this.#text[this.#at];
    if (next === "*") {
      this.#at += 1;
      return [{ type: "wildcard" }];
    }
    if (next === "'" || next === '"') return [{ type: "field", name: this.#quoted() }];
    if (next === "." || next === "@" || next === "$") return this.#steps();
    const match = this.#text.slice(this.#at).match(/^(-?\d+)?(?:(:)(-?\d+)?(?::(-?\d+)?)?)?/);
    const [all, start, colon, end, step] = match ?? [""];
    if (all === undefined || all === "")
      throw new JsonPathError(`invalid array index ${JSON.stringify(this.#text.slice(this.#at).split("]")[0])}`);
    this.#at += all.length;
    if (colon === undefined) return [{ type: "index", index: Number(start) }];
    const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
    const stride = number(step) ?? 1;
    if (stride < 1) throw new JsonPathError("step must be > 0");
    return [{ type: "slice", start: number(start), end: number(end), step: stride }];
  }

  #filter(): Step {
    this.#at += 2;
    this.#spaces();
    const left = this.#operand();
    this.#spaces();
    const operator = this.#text.slice(this.#at).match(/^(==|!=|<=|>=|<|>|=)/)?.[1];
    let right: Operand | undefined;
    if (operator !== undefined) {
      this.#at += operator.length;
      this.#spaces();
      right = this.#operand();
      this.#spaces();
    }
    if (!this.#text.startsWith(")]", this.#at)) throw new JsonPathError("unterminated filter");
    this.#at += 2;
    return {
      type: "filter",
      left,
      operator: operator === undefined ? "exists" : operator === "=" ? "==" : operator,
      right,
    };
  }

  #operand(): Operand {
    const rest = this.#text.slice(this.#at);
    if (rest.startsWith("'") || rest.startsWith('"')) return { value: this.#quoted() };
    const number = rest.match(/^-?\d+(\.\d+)?/)?.[0];
    if (number !== undefined) {
      this.#at += number.length;
      return { value: Number(number) };
    }
    const boolean = rest.match(/^(true|false)\b/)?.[0];
    if (boolean !== undefined) {
      this.#at += boolean.length;
      return { value: boolean === "true" };
    }
    return { steps: this.#steps() };
  }

  #quoted(): string {
    const quote = this.#text[this.#at]!;
    let out = "";
    for (this.#at += 1; this.#at < this.#text.length; this.#at += 1) {
      const next = this.#text[this.#at]!;
      if (next === quote) {
        this.#at += 1;
        return out;
      }
      if (next === "\\") {
        this.#at += 1;
        const escaped = this.#text[this.#at] ?? "";
        out += ({ n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" } as Record<string, string>)[escaped] ?? escaped;
      } else out += next;
    }
    throw new JsonPathError("unterminated quoted string");
  }

  #spaces(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at += 1;
  }
}
