/**
 * Label selectors: the text form of a query, the object form of a spec, and matching. Upstream: apimachinery/pkg/labels and
 * meta/v1/helpers.go (LabelSelectorAsSelector), whose texts these are.
 */
import type { FieldError } from "./field-error.ts";
import { compareText } from "./go-text.ts";
import { aggregateText, fieldErrorText, forbidden, invalid, required } from "./validation/field-errors.ts";
import { isLabelValue, isQualifiedName } from "./validation/names.ts";

export type LabelOperator = "in" | "notin" | "=" | "==" | "!=" | "gt" | "lt" | "exists" | "!";

export interface LabelRequirement {
  key: string;
  operator: LabelOperator;
  values: readonly string[];
}

export interface LabelSelector {
  /** All must hold; none: everything matches. */
  requirements: readonly LabelRequirement[];
  /** A selector that matches no object, whatever its labels. */
  nothing?: true;
}

export type Labels = Readonly<Record<string, string>> | undefined;

/** The text is no selector; the message is upstream's. */
export class SelectorError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SelectorError";
  }
}

export const everything: LabelSelector = { requirements: [] };
export const nothing: LabelSelector = { requirements: [], nothing: true };

export const selectsEverything = (selector: LabelSelector): boolean =>
  selector.nothing !== true && selector.requirements.length === 0;

export function matchesLabels(selector: LabelSelector, labels: Labels): boolean {
  if (selector.nothing === true) return false;
  for (const requirement of selector.requirements) if (!requirementHolds(requirement, labels)) return false;
  return true;
}

function requirementHolds({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "in":
    case "=":
    case "==":
      return value !== undefined && values.includes(value);
    case "notin":
    case "!=":
      return value === undefined || !values.includes(value);
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    case "gt":
    case "lt":
      return isBeyond(value, values, operator);
  }
}

function isBeyond(value: string | undefined, values: readonly string[], operator: "gt" | "lt"): boolean {
  if (value === undefined || values.length !== 1) return false;
  const left = int64(value);
  const right = int64(values[0]!);
  if (left === undefined || right === undefined) return false;
  return operator === "gt" ? left > right : left < right;
}

/** strconv.ParseInt(text, 10, 64). */
function int64(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
  return value === BigInt.asIntN(64, value) ? value : undefined;
}

/** A selector of a spec: `undefined` selects nothing, `{}` everything. Faulty operators are for validation to find. */
export function labelSelectorOf(
  selector:
    | {
        matchLabels?: Readonly<Record<string, string>>;
        matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
      }
    | undefined
    | null,
): LabelSelector {
  if (selector === undefined || selector === null) return nothing;
  const requirements: LabelRequirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: "=",
    values: [value],
  }));
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const known = expressionOperators[operator];
    if (known === undefined) throw new SelectorError(`"${operator}" is not a valid label selector operator`);
    requirements.push({ key, operator: known, values });
  }
  return { requirements };
}

const expressionOperators: Readonly<Record<string, LabelOperator>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

/** A map as a selector: every pair must be there. */
export function selectorOfLabels(labels: Labels): LabelSelector {
  return {
    requirements: Object.entries(labels ?? {}).map(([key, value]) => ({ key, operator: "=", values: [value] })),
  };
}

/** The faults of a requirement; `path` is empty in a query. */
export function requirementErrors({ key, operator, values }: LabelRequirement, path = ""): FieldError[] {
  const errors: FieldError[] = [];
  const child = (name: string) => (path === "" ? name : `${path}.${name}`);
  const keyFaults = isQualifiedName(key);
  if (keyFaults.length > 0) errors.push(invalid(child("key"), key, keyFaults.join("; ")));
  const at = child("values");
  switch (operator) {
    case "in":
    case "notin":
      if (values.length === 0)
        errors.push(invalid(at, values, "for 'in', 'notin' operators, values set can't be empty"));
      break;
    case "=":
    case "==":
    case "!=":
      if (values.length !== 1) errors.push(invalid(at, values, "exact-match compatibility requires one single value"));
      break;
    case "exists":
    case "!":
      if (values.length > 0) errors.push(invalid(at, values, "values set must be empty for exists and does not exist"));
      break;
    case "gt":
    case "lt":
      if (values.length !== 1)
        errors.push(invalid(at, values, "for 'Gt', 'Lt' operators, exactly one value is required"));
      for (const [index, value] of values.entries()) {
        if (int64(value) !== undefined) continue;
        errors.push(invalid(`${at}[${index}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer"));
      }
      break;
  }
  for (const [index, value] of values.entries()) {
    const faults = isLabelValue(value);
    if (faults.length > 0) errors.push(invalid(`${at}[${index}][${key}]`, value, faults.join("; ")));
  }
  return errors;
}

/** Faults of a selector in a spec: upstream's ValidateLabelSelector. */
export function labelSelectorErrors(
  selector:
    | {
        matchLabels?: Readonly<Record<string, string>>;
        matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
      }
    | undefined
    | null,
  path: string,
  options: { allowInvalidValues?: boolean } = {},
): FieldError[] {
  if (selector === undefined || selector === null) return [];
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    for (const fault of isQualifiedName(key)) errors.push(invalid(`${path}.matchLabels`, key, fault));
    if (options.allowInvalidValues === true) continue;
    for (const fault of isLabelValue(value)) errors.push(invalid(`${path}.matchLabels`, value, fault));
  }
  for (const [index, expression] of (selector.matchExpressions ?? []).entries()) {
    errors.push(
      ...expressionErrors(expression, `${path}.matchExpressions[${index}]`, options.allowInvalidValues === true),
    );
  }
  return errors;
}

function expressionErrors(
  { key = "", operator = "", values = [] }: { key?: string; operator?: string; values?: readonly string[] },
  path: string,
  allowInvalidValues: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) {
      errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0) {
      errors.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  } else errors.push(invalid(`${path}.operator`, operator, "not a valid selector operator"));
  for (const fault of isQualifiedName(key)) errors.push(invalid(`${path}.key`, key, fault));
  if (allowInvalidValues) return errors;
  for (const [index, value] of values.entries()) {
    for (const fault of isLabelValue(value)) errors.push(invalid(`${path}.values[${index}]`, value, fault));
  }
  return errors;
}

/** "a=b,c in (d,e)" in upstream's canonical text. */
export function labelSelectorText(selector: LabelSelector): string {
  return [...selector.requirements]
    .sort((a, b) => compareText(a.key, b.key))
    .map(requirementText)
    .join(",");
}

function requirementText({ key, operator, values }: LabelRequirement): string {
  const sorted = [...values].sort(compareText).join(",");
  switch (operator) {
    case "exists":
      return key;
    case "!":
      return `!${key}`;
    case "in":
    case "notin":
      return `${key} ${operator} (${sorted})`;
    case "gt":
      return `${key}>${sorted}`;
    case "lt":
      return `${key}<${sorted}`;
    default:
      return `${key}${operator}${sorted}`;
  }
}

const symbols = new Set(["=", "!", "(", ")", ",", ">", "<"]);
const spaces = new Set([" ", "\t", "\r", "\n"]);
const words = new Set([")", ",", "!", "==", "=", ">", "in", "<", "!=", "notin", "("]);
const textOperators: Readonly<Record<string, LabelOperator>> = {
  in: "in",
  notin: "notin",
  "=": "=",
  "==": "==",
  "!=": "!=",
  ">": "gt",
  "<": "lt",
};

interface Token {
  /** "id" for a name or value, "end" behind the last, "error", or the symbol itself. */
  type: string;
  text: string;
}

/** Reads "a=b,c in (d,e),!f". Throws SelectorError. */
export function parseLabelSelector(text: string): LabelSelector {
  if (text === "") return everything;
  const requirements = new Parser(tokensOf(text)).parse();
  return { requirements: requirements.sort((a, b) => compareText(a.key, b.key)) };
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; ;) {
    while (spaces.has(text[at]!)) at++;
    if (at >= text.length || text[at] === "\0") break;
    const token = symbols.has(text[at]!) ? symbolAt(text, at) : wordAt(text, at);
    tokens.push(token.token);
    at = token.end;
  }
  return [...tokens, { type: "end", text: "" }];
}

function wordAt(text: string, from: number): { token: Token; end: number } {
  let end = from;
  while (end < text.length && text[end] !== "\0" && !symbols.has(text[end]!) && !spaces.has(text[end]!)) end++;
  const word = text.slice(from, end);
  return { token: { type: words.has(word) ? word : "id", text: word }, end };
}

/** The longest symbol that begins here: "!=" before "!". */
function symbolAt(text: string, from: number): { token: Token; end: number } {
  let found: Token | undefined;
  let buffer = "";
  let end = from;
  for (; end < text.length && symbols.has(text[end]!); end++) {
    buffer += text[end];
    if (words.has(buffer)) found = { type: buffer, text: buffer };
    else if (found !== undefined) break;
  }
  return { token: found ?? { type: "error", text: `error expected: keyword found '${buffer}'` }, end };
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** "in" and "notin" are names wherever an operator cannot stand. */
  #peek(): Token {
    const token = this.#tokens[Math.min(this.#at, this.#tokens.length - 1)]!;
    return token.type === "in" || token.type === "notin" ? { type: "id", text: token.text } : token;
  }

  #next(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const { type, text } = this.#peek();
      if (type === "end") return requirements;
      if (type !== "id" && type !== "!") {
        throw new SelectorError(`found '${text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.#checkedRequirement());
      const after = this.#next();
      if (after.type === "end") return requirements;
      if (after.type !== ",") throw new SelectorError(`found '${after.text}', expected: ',' or 'end of string'`);
      const following = this.#peek();
      if (following.type !== "id" && following.type !== "!") {
        throw new SelectorError(`found '${following.text}', expected: identifier after ','`);
      }
    }
  }

  #checkedRequirement(): LabelRequirement {
    try {
      const requirement = this.#requirement();
      const errors = requirementErrors(requirement);
      if (errors.length > 0) throw new SelectorError(aggregateText(errors.map(fieldErrorText)));
      return requirement;
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      throw new SelectorError(`unable to parse requirement: ${error.message}`);
    }
  }

  #requirement(): LabelRequirement {
    let token = this.#next();
    const negated = token.type === "!";
    if (negated) token = this.#next();
    if (token.type !== "id") throw new SelectorError(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const faults = isQualifiedName(key);
    if (faults.length > 0) throw new SelectorError(fieldErrorText(invalid("<nil>", key, faults.join("; "))));
    const next = this.#peek().type;
    if (negated) return { key, operator: "!", values: [] };
    if (next === "end" || next === ",") return { key, operator: "exists", values: [] };
    const operator = this.#operator();
    const values = operator === "in" || operator === "notin" ? this.#values() : [this.#exactValue()];
    return { key, operator, values: [...new Set(values)].sort(compareText) };
  }

  #operator(): LabelOperator {
    const { text, type } = this.#tokens[Math.min(this.#at++, this.#tokens.length - 1)]!;
    const operator = type === "id" ? undefined : textOperators[type];
    if (operator !== undefined) return operator;
    throw new SelectorError(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`);
  }

  #exactValue(): string {
    const { type } = this.#peek();
    if (type === "end" || type === ",") return "";
    const token = this.#next();
    if (token.type === "id") return token.text;
    throw new SelectorError(`found '${token.text}', expected: identifier`);
  }

  #values(): string[] {
    const open = this.#next();
    if (open.type !== "(") throw new SelectorError(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.type === ")") {
      this.#next();
      return [""];
    }
    if (first.type !== "id" && first.type !== ",") {
      throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    const values = this.#valueList();
    if (this.#next().type !== ")") throw new SelectorError(`found '${first.text}', expected: ')'`);
    return values;
  }

  #valueList(): string[] {
    const values: string[] = [];
    for (;;) {
      const { type, text } = this.#next();
      if (type === "id") {
        values.push(text);
        const after = this.#peek();
        if (after.type === ",") continue;
        if (after.type === ")") return values;
        throw new SelectorError(`found '${after.text}', expected: ',' or ')'`);
      }
      if (type !== ",") throw new SelectorError(`found '${text}', expected: ',', or identifier`);
      if (values.length === 0) values.push("");
      const after = this.#peek().type;
      if (after === "," || after === ")") values.push("");
      if (after === ")") return values;
      if (after === ",") this.#next();
    }
  }
}
