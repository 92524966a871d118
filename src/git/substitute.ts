/**
 * `postBuild.substitute`: ${NAME} and its forms in the text of objects. The syntax is that of the envsubst that Flux
 * uses. Pure.
 */
export class SubstitutionError extends Error {}

const variableName = /^[_a-zA-Z][_a-zA-Z0-9]*$/;

/**
 * Replaces ${NAME}, ${NAME:=default}, ${NAME:-default}, ${NAME=default}, ${NAME-default}, ${NAME:+alternative},
 * ${NAME:offset:length}, ${#NAME}, ${NAME^^}, ${NAME,,}, ${NAME/old/new}, ${NAME//old/new}, ${NAME#prefix},
 * ${NAME%suffix}; `$${` stays as `${`. Strict: a name without value and default throws SubstitutionError.
 */
export function substituteText(text: string, variables: Readonly<Record<string, string>>): string {
  let out = "";
  let at = 0;
  for (;;) {
    const start = text.indexOf("${", at);
    if (start < 0) return out + text.slice(at);
    if (start > at - 1 && text[start - 1] === "$" && start - 1 >= at) {
      out += `${text.slice(at, start - 1)}\${`;
      at = start + 2;
      continue;
    }
    const end = closingBrace(text, start + 2);
    if (end < 0) return out + text.slice(at);
    out += text.slice(at, start) + expand(text.slice(start + 2, end), variables);
    at = end + 1;
  }
}

function closingBrace(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    if (text.startsWith("${", at)) depth += 1;
    if (text[at] === "}") {
      if (depth === 0) return at;
      depth -= 1;
    }
  }
  return -1;
}

function expand(expression: string, variables: Readonly<Record<string, string>>): string {
  if (expression.startsWith("#")) return String([...valueOf(expression.slice(1), variables)].length);
  const match = expression.match(/^([^\W\d]\w*)([\s\S]*)$/);
  if (match === null) throw new SubstitutionError(`variable substitution failed: bad substitution \${${expression}}`);
  const [, name = "", operation = ""] = match;
  const known = Object.hasOwn(variables, name) ? variables[name]! : undefined;
  const fallback = operation.match(/^(:?[=-]|:\+)([\s\S]*)$/);
  if (fallback !== null) {
    const [, operator = "", word = ""] = fallback;
    const isEmpty = operator.startsWith(":") ? (known ?? "") === "" : known === undefined;
    if (operator === ":+") return isEmpty ? "" : substituteText(word, variables);
    return isEmpty ? substituteText(word, variables) : known!;
  }
  return transform(valueOf(name, variables), operation, expression);
}

function valueOf(name: string, variables: Readonly<Record<string, string>>): string {
  if (!variableName.test(name))
    throw new SubstitutionError(`variable substitution failed: bad substitution \${${name}}`);
  if (!Object.hasOwn(variables, name))
    throw new SubstitutionError(`variable substitution failed: variable not set (strict mode): "${name}"`);
  return variables[name]!;
}

function transform(value: string, operation: string, expression: string): string {
  if (operation === "") return value;
  const cases: Record<string, (text: string) => string> = {
    "^": (text) => text.charAt(0).toUpperCase() + text.slice(1),
    "^^": (text) => text.toUpperCase(),
    ",": (text) => text.charAt(0).toLowerCase() + text.slice(1),
    ",,": (text) => text.toLowerCase(),
  };
  if (cases[operation] !== undefined) return cases[operation](value);
  const slice = operation.match(/^:(-?\d+)(?::(-?\d+))?$/);
  if (slice !== null) {
    const start = Number(slice[1]) < 0 ? Math.max(0, value.length + Number(slice[1])) : Number(slice[1]);
    if (slice[2] === undefined) return value.slice(start);
    const length = Number(slice[2]);
    return length < 0 ? value.slice(start, value.length + length) : value.slice(start, start + length);
  }
  const replace = operation.match(/^(\/\/?)([^/]+)\/([\s\S]*)$/);
  if (replace !== null)
    return replace[1] === "//"
      ? value.replaceAll(replace[2]!, () => replace[3]!)
      : value.replace(replace[2]!, () => replace[3]!);
  const trim = operation.match(/^(##?|%%?)([\s\S]+)$/);
  if (trim !== null) return trimPattern(value, trim[1]!, trim[2]!);
  throw new SubstitutionError(`variable substitution failed: bad substitution \${${expression}}`);
}

/** Cuts the shortest (# %) or longest (## %%) match of a shell pattern (only * and ?) from the front or the end. */
function trimPattern(value: string, operator: string, pattern: string): string {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[\\s\\S]*")
    .replaceAll("?", "[\\s\\S]");
  const whole = new RegExp(`^(?:${source})$`);
  const lengths = Array.from({ length: value.length + 1 }, (_, length) =>
    operator.length === 2 ? value.length - length : length,
  );
  for (const length of lengths) {
    const part = operator.startsWith("#") ? value.slice(0, length) : value.slice(value.length - length);
    if (whole.test(part)) return operator.startsWith("#") ? value.slice(length) : value.slice(0, value.length - length);
  }
  return value;
}

/** Replaces in every string of an object; a string that is nothing but a number or a boolean afterwards becomes one only where the whole text was one variable, as YAML would read it. */
export function substituteObject<T>(object: T, variables: Readonly<Record<string, string>>): T {
  return walk(object, variables) as T;
}

function walk(value: unknown, variables: Readonly<Record<string, string>>): unknown {
  if (typeof value === "string") return value.includes("${") ? retype(value, substituteText(value, variables)) : value;
  if (Array.isArray(value)) return value.map((item) => walk(item, variables));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key.includes("${") ? substituteText(key, variables) : key,
      walk(item, variables),
    ]),
  );
}

/** Flux substitutes in the YAML text, where an unquoted ${N} that becomes 3 is a number. */
function retype(before: string, after: string): unknown {
  if (!/^\$\{[^{}]*\}$/.test(before)) return after;
  if (after === "true" || after === "false") return after === "true";
  if (/^(0|-?[1-9]\d{0,14})$/.test(after) || /^-?\d+\.\d+$/.test(after)) return Number(after);
  return after;
}
