/** The functions that templates may call: text/template's own, and kubectl's `exists` and `base64decode`. */
import { escapeHtml, goJson, goQuote, goValue } from "#api/go-text.ts";
import { TemplateError } from "./tokens.ts";

export type TemplateFunction = (args: readonly unknown[]) => unknown;

/** Go's truth: false, 0, "", nil and what is empty are false. */
export function isTrue(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object") return Object.keys(value).length > 0;
  return value !== false && value !== 0 && value !== "";
}

/** As an action prints it. */
export const shown = (value: unknown): string =>
  value === undefined || value === null ? "<no value>" : goValue(value);

function index([of, ...keys]: readonly unknown[]): unknown {
  let value = of;
  for (const key of keys) {
    if (Array.isArray(value)) {
      if (typeof key !== "number") throw new TemplateError(`cannot index slice/array with type ${typeof key}`);
      if (key < 0 || key >= value.length)
        throw new TemplateError(`error calling index: reflect: slice index out of range: ${key}`);
      value = value[key];
    } else if (typeof value === "object" && value !== null) value = (value as Record<string, unknown>)[String(key)];
    else
      throw new TemplateError(
        value === undefined || value === null
          ? "error calling index: index of untyped nil"
          : `error calling index: can't index item of type ${typeof value}`,
      );
  }
  return value;
}

function exists([of, ...keys]: readonly unknown[]): boolean {
  try {
    const value = index([of, ...keys]);
    return value !== undefined && value !== null;
  } catch (error) {
    if (error instanceof TemplateError) return false;
    throw error;
  }
}

function slice([of, from = 0, to]: readonly unknown[]): unknown {
  if (typeof of !== "string" && !Array.isArray(of)) throw new TemplateError("error calling slice: can't slice item");
  return of.slice(from as number, to as number | undefined);
}

function length([of]: readonly unknown[]): number {
  if (typeof of === "string") return Buffer.byteLength(of);
  if (Array.isArray(of)) return of.length;
  if (typeof of === "object" && of !== null) return Object.keys(of).length;
  throw new TemplateError(
    of === undefined || of === null
      ? "error calling len: len of nil pointer"
      : `error calling len: len of type ${typeof of}`,
  );
}

function compare(name: string, test: (order: number) => boolean): TemplateFunction {
  return ([a, b]) => {
    if (typeof a !== typeof b) throw new TemplateError(`error calling ${name}: incompatible types for comparison`);
    const [left, right] = [a as number | string, b as number | string];
    return test(left < right ? -1 : left > right ? 1 : 0);
  };
}

/** Text beside text gets no space in `print`, all else does. */
function print(args: readonly unknown[]): string {
  return args
    .map(
      (value, at) =>
        (at > 0 && typeof value !== "string" && typeof args[at - 1] !== "string" ? " " : "") + goValue(value),
    )
    .join("");
}

function printf([format, ...args]: readonly unknown[]): string {
  let next = 0;
  const text = String(format).replace(
    /%([-+ 0#]*)(\d+)?(?:\.(\d+))?([%a-zA-Z])/g,
    (_, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const made = formatted(args[next++], verb, precision, flags);
      if (width === undefined) return made;
      return flags.includes("-")
        ? made.padEnd(Number(width))
        : made.padStart(Number(width), flags.includes("0") && !Number.isNaN(Number(made)) ? "0" : " ");
    },
  );
  const extra = args.slice(next).map((value) => `${typeName(value)}=${goValue(value)}`);
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(", ")})`;
}

function typeName(value: unknown): string {
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64";
  return Array.isArray(value) ? "[]interface {}" : "map[string]interface {}";
}

function formatted(value: unknown, verb: string, precision: string | undefined, flags: string): string {
  const wrong = () => `%!${verb}(${typeName(value)}=${goValue(value)})`;
  switch (verb) {
    case "s":
      return typeof value === "string"
        ? value.slice(0, precision === undefined ? undefined : Number(precision))
        : typeof value === "object"
          ? goValue(value)
          : wrong();
    case "v":
      return goValue(value);
    case "q":
      return typeof value === "string" ? goQuote(value) : wrong();
    case "d":
      return typeof value === "number" && Number.isInteger(value)
        ? `${flags.includes("+") && value >= 0 ? "+" : ""}${value}`
        : wrong();
    case "t":
      return typeof value === "boolean" ? String(value) : wrong();
    case "x":
      return typeof value === "number"
        ? value.toString(16)
        : typeof value === "string"
          ? Buffer.from(value).toString("hex")
          : wrong();
    case "f":
      return typeof value === "number" ? value.toFixed(precision === undefined ? 6 : Number(precision)) : wrong();
    case "T":
      return typeName(value);
    default:
      return wrong();
  }
}

const scriptEscapes: Readonly<Record<string, string>> = {
  "<": "\\u003C",
  ">": "\\u003E",
  "&": "\\u0026",
  "=": "\\u003D",
  '"': '\\"',
  "'": "\\'",
  "\\": "\\\\",
};

export const functions: Readonly<Record<string, TemplateFunction>> = {
  // `and` and `or` stop early; evaluate.ts sees to that.
  and: (args) => args.find((value) => !isTrue(value)) ?? args.at(-1),
  or: (args) => args.find(isTrue) ?? args.at(-1),
  not: ([value]) => !isTrue(value),
  len: length,
  index,
  slice,
  exists,
  eq: ([a, ...others]) => others.some((b) => goJson(a ?? null) === goJson(b ?? null)),
  ne: ([a, b]) => goJson(a ?? null) !== goJson(b ?? null),
  lt: compare("lt", (order) => order < 0),
  le: compare("le", (order) => order <= 0),
  gt: compare("gt", (order) => order > 0),
  ge: compare("ge", (order) => order >= 0),
  print,
  println: (args) => `${args.map(goValue).join(" ")}\n`,
  printf,
  html: (args) => escapeHtml(print(args)),
  js: (args) => print(args).replace(/[<>&="'\\]/g, (found) => scriptEscapes[found]!),
  urlquery: (args) => encodeURIComponent(print(args)).replaceAll("%20", "+"),
  base64decode: ([text]) => Buffer.from(String(text ?? ""), "base64").toString("utf8"),
};
