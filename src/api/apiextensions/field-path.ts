/** Simple paths into a schema: ".spec.color", ".labels['a.b']". Upstream: apiextensions apiserver/schema/cel, ValidFieldPath. */
import type { JsonSchema } from "./json-schema.ts";

export interface FieldPath {
  /** As errors show it: "spec.color", "labels[a.b]". */
  text: string;
  /** Of what is there; undefined: of any sort. */
  schema: JsonSchema | undefined;
}

const invalidField = "does not refer to a valid field";
const endOfPath = "unexpected end of JSON path";

/** Or why it leads nowhere. */
export function fieldPathIn(path: string, schema: JsonSchema, allowsBrackets = true): FieldPath | string {
  const tokens = tokensOf(path);
  let at: FieldPath = { text: "", schema };
  for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
    if (token !== "." && token !== "[") return `expected [ or . but got: ${token}`;
    if (token === "[" && !allowsBrackets) return "array notation is not allowed";
    const next = tokens.shift();
    if (next === undefined) return endOfPath;
    const name = token === "." ? { name: next } : quotedName(next);
    if (typeof name === "string") return name;
    const step = stepInto(at, name.name);
    if (step === undefined) return invalidField;
    at = step;
    if (token === ".") continue;
    const closing = tokens.shift();
    if (closing === undefined) return endOfPath;
    if (closing !== "]") return `expected ] but got ${closing}`;
  }
  return at;
}

/** Delimiters, texts in single quotes, and what is between them. */
const tokensOf = (path: string): string[] => path.match(/[.[\]]|'(?:[^'\\]|\\.|\\)*?(?<!\\)'|'.*|[^.[\]]+/gs) ?? [];

function quotedName(token: string): { name: string } | string {
  if (token.length < 2 || !token.startsWith("'") || !token.endsWith("'"))
    return `expected single quoted string but got ${token}`;
  let fault: string | undefined;
  const name = token.slice(1, -1).replaceAll(/\\./gs, (escape) => {
    const meant = escapes[escape[1]!];
    if (meant === undefined) fault = `invalid string literal: invalid escape char ${escape}`;
    return meant ?? "";
  });
  return fault ?? { name };
}

const escapes: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "'": "'",
  "\\": "\\",
};

function stepInto({ text, schema }: FieldPath, name: string): FieldPath | undefined {
  const { properties = {}, additionalProperties } = schema ?? {};
  if (Object.keys(properties).length > 0) {
    const inner = Object.hasOwn(properties, name) ? properties[name] : undefined;
    return inner && { text: text === "" ? name : `${text}.${name}`, schema: inner };
  }
  if (additionalProperties === undefined || additionalProperties === false) return undefined;
  return { text: `${text}[${name}]`, schema: additionalProperties === true ? undefined : additionalProperties };
}
