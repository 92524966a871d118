/** Label selectors as text (`app=web,tier in (a,b),!canary`), also used for annotations. */
import { RenderError } from "./render-error.ts";

type Requirement = (labels: ReadonlyMap<string, string>) => boolean;

/** Whether labels satisfy the selector; an empty selector is satisfied by all. */
export function matchesSelector(selector: string, labels: ReadonlyMap<string, string>): boolean {
  return requirementsOf(selector).every((requirement) => requirement(labels));
}

const tokenPattern = /\s*(==|!=|[=<>!(),]|[^\s=!<>(),]+)/gy;

function tokensOf(selector: string): string[] {
  const tokens: string[] = [];
  const text = selector.trimEnd();
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const match = tokenPattern.exec(text);
    if (match === null) throw unparsable(selector);
    tokens.push(match[1]!);
  }
  return tokens;
}

const unparsable = (selector: string): RenderError => new RenderError(`unable to parse requirement: ${selector}`);

const namePattern = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const domainPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function requireKey(key: string): void {
  const parts = key.split("/");
  const name = parts.at(-1)!;
  const isDomainGood =
    parts.length === 1 || (parts.length === 2 && domainPattern.test(parts[0]!) && parts[0]!.length <= 253);
  if (!isDomainGood || !namePattern.test(name) || name.length > 63) throw unparsable(`invalid label key "${key}"`);
}

function requireValue(value: string): void {
  if (value !== "" && (!namePattern.test(value) || value.length > 63))
    throw unparsable(`invalid label value "${value}"`);
}

function requirementsOf(selector: string): Requirement[] {
  const tokens = tokensOf(selector);
  const requirements: Requirement[] = [];
  if (tokens.length === 0) return requirements;
  const reader = new Reader(tokens, selector);
  for (;;) {
    requirements.push(reader.requirement());
    if (reader.isDone) return requirements;
    reader.expect(",");
    if (reader.isDone) throw unparsable(selector);
  }
}

class Reader {
  readonly #tokens: readonly string[];
  readonly #selector: string;
  #index = 0;

  constructor(tokens: readonly string[], selector: string) {
    this.#tokens = tokens;
    this.#selector = selector;
  }

  get isDone(): boolean {
    return this.#index >= this.#tokens.length;
  }

  #take(): string | undefined {
    return this.#tokens[this.#index++];
  }

  #peek(): string | undefined {
    return this.#tokens[this.#index];
  }

  expect(token: string): void {
    if (this.#take() !== token) throw unparsable(this.#selector);
  }

  #word(): string {
    const token = this.#take();
    if (token === undefined || /^[=!<>(),]/.test(token)) throw unparsable(this.#selector);
    return token;
  }

  requirement(): Requirement {
    if (this.#peek() === "!") {
      this.#take();
      const key = this.#key();
      return (labels) => !labels.has(key);
    }
    const key = this.#key();
    const operator = this.#peek();
    if (operator === undefined || operator === ",") return (labels) => labels.has(key);
    this.#take();
    return this.#comparison(key, operator);
  }

  #key(): string {
    const key = this.#word();
    requireKey(key);
    return key;
  }

  #comparison(key: string, operator: string): Requirement {
    switch (operator) {
      case "=":
      case "==": {
        const value = this.#exactValue();
        return (labels) => labels.get(key) === value;
      }
      case "!=": {
        const value = this.#exactValue();
        return (labels) => labels.get(key) !== value;
      }
      case "in": {
        const values = this.#values();
        return (labels) => labels.has(key) && values.has(labels.get(key)!);
      }
      case "notin": {
        const values = this.#values();
        return (labels) => !labels.has(key) || !values.has(labels.get(key)!);
      }
      case ">":
      case "<":
        return this.#inequality(key, operator === ">");
      default:
        throw unparsable(this.#selector);
    }
  }

  #exactValue(): string {
    const next = this.#peek();
    if (next === undefined || next === ",") return "";
    const value = this.#word();
    requireValue(value);
    return value;
  }

  #values(): Set<string> {
    this.expect("(");
    const values = new Set<string>();
    for (;;) {
      const next = this.#peek();
      if (next === "," || next === ")") values.add("");
      else values.add(this.#word());
      const end = this.#take();
      if (end === ")") break;
      if (end !== ",") throw unparsable(this.#selector);
    }
    for (const value of values) requireValue(value);
    return values;
  }

  #inequality(key: string, isGreater: boolean): Requirement {
    const bound = this.#word();
    if (!/^[-+]?\d+$/.test(bound)) throw unparsable(this.#selector);
    return (labels) => {
      const value = labels.get(key);
      if (value === undefined || !/^[-+]?\d+$/.test(value)) return false;
      return isGreater ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
    };
  }
}
