/** `string.format`: texts with clauses such as %s and %.2f, and what may fill them. Upstream: google/cel-go ext/formatting.go. */
import { floatText, goQuote } from "#api/go-text.ts";
import { CelError, Duration, Timestamp, TypeValue, Uint, timestampText, typeName } from "./value.ts";

interface Clause {
  verb: string;
  /** Digits behind the point. */
  precision: number;
  index: number;
}

interface Verb {
  /** Types by the names that values say. */
  takes: readonly string[];
  /** Why another type is refused. */
  refusal: string;
  show: (value: unknown, precision: number) => string;
}

const precisionDefault = 6;
const special = new Map([
  ["NaN", "NaN"],
  ["Infinity", "∞"],
  ["-Infinity", "-∞"],
]);

const integerOf = (value: unknown): bigint => (value instanceof Uint ? value.value : (value as bigint));
const hexOf = (value: unknown): string =>
  typeof value === "bigint" || value instanceof Uint
    ? integerOf(value).toString(16)
    : Buffer.from(value as string).toString("hex");
const hex = {
  takes: ["int", "uint", "string", "bytes"],
  refusal: "only integers, byte buffers, and strings can be formatted as hex",
};
const printable =
  "string bool bytes int uint double map list type google.protobuf.Duration google.protobuf.Timestamp null_type";

const verbs: Readonly<Record<string, Verb>> = {
  s: {
    takes: printable.split(" "),
    refusal:
      "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps",
    show: shown,
  },
  d: {
    takes: ["int", "uint"],
    refusal: "decimal clause can only be used on integers",
    show: (value) => String(integerOf(value)),
  },
  f: {
    takes: ["double"],
    refusal: "fixed-point clause can only be used on doubles",
    show: (value, precision) => special.get(String(value)) ?? grouped(fixed(value as number, precision)),
  },
  e: {
    takes: ["double"],
    refusal: "scientific clause can only be used on doubles",
    show: (value, precision) => special.get(String(value)) ?? scientific(value as number, precision),
  },
  b: {
    takes: ["int", "uint", "bool"],
    refusal: "only integers and bools can be formatted as binary",
    show: (value) => (typeof value === "boolean" ? (value ? "1" : "0") : integerOf(value).toString(2)),
  },
  o: {
    takes: ["int", "uint"],
    refusal: "octal clause can only be used on integers",
    show: (value) => integerOf(value).toString(8),
  },
  x: { ...hex, show: hexOf },
  X: { ...hex, show: (value) => hexOf(value).toUpperCase() },
};

/** More digits behind the point than a tie between two roundings can have. */
const tieDigits = 52;

/** Of two roundings equally near, the one that ends with an even digit. */
function fixed(value: number, precision: number): string {
  const exact = value.toFixed(Math.min(100, precision + tieDigits));
  const kept = exact.slice(0, exact.indexOf(".") + (precision === 0 ? 0 : precision + 1));
  const rest = exact.slice(kept.length).replace(".", "");
  return /^50*$/.test(rest) && Number(kept.at(-1)) % 2 === 0 ? kept : value.toFixed(precision);
}

/** As the locale en_US writes it: 1,234.50. */
const grouped = (text: string): string =>
  text.replace(/^-?\d+/, (whole) => whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ","));

/** As the locale en_US writes it: 1.05 × 10⁰³. */
function scientific(value: number, precision: number): string {
  const [digits = "", power = "0"] = value.toExponential(precision).split("e");
  const sign = power.startsWith("-") ? "⁻" : "";
  const raised = power.replace(/^[+-]/, "").padStart(2, "0");
  return `${digits}\u{202f}×\u{202f}10${sign}${[...raised].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("")}`;
}

/** The text between clauses and the clauses; throws CelError on what is none. */
function parts(text: string, count: number): (string | Clause)[] {
  const found: (string | Clause)[] = [];
  let index = 0;
  for (const [piece, digits, verb] of text.matchAll(/[^%]+|%%|%(?:\.(\d+))?([^]?)/g)) {
    if (!piece.startsWith("%") || piece === "%%") {
      found.push(piece === "%%" ? "%" : piece);
      continue;
    }
    if (piece === "%") throw new CelError("unexpected end of string");
    if (index >= count) throw new CelError(`index ${index} out of range`);
    if (!Object.hasOwn(verbs, verb!))
      throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
    found.push({ verb: verb!, precision: digits === undefined ? precisionDefault : Number(digits), index });
    index += 1;
  }
  return found;
}

export function format(text: string, args: readonly unknown[]): string {
  return parts(text, args.length)
    .map((part) => {
      if (typeof part === "string") return part;
      const value = args[part.index];
      const fault = clauseFault(part.verb, typeName(value), value);
      if (fault !== undefined) throw new CelError(fault);
      return verbs[part.verb]!.show(value, part.precision);
    })
    .join("");
}

function clauseFault(verb: string, type: string, value: unknown): string | undefined {
  const { takes, refusal } = verbs[verb]!;
  const isSpecial =
    (verb === "f" || verb === "e") && type === "string" && (value === undefined || special.has(value as string));
  if (takes.includes(type) || isSpecial) return undefined;
  return `error during formatting: ${refusal}, was given ${type}`;
}

/** What is wrong with a text and the types of its arguments, as far as that is known; "dyn" may be anything. */
export function formatFault(text: string, types: readonly string[]): { text: string; index?: number } | undefined {
  let clauses: Clause[];
  try {
    clauses = parts(text, types.length).filter((part) => typeof part !== "string");
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return { text: error.message };
  }
  for (const { verb, index } of clauses) {
    const fault = types[index] === "dyn" ? undefined : clauseFault(verb, types[index]!, undefined);
    if (fault !== undefined) return { text: fault, index };
  }
  if (types.length === clauses.length) return undefined;
  return {
    text: `too many arguments supplied to string.format (expected ${clauses.length}, got ${types.length})`,
  };
}

const durationText = ({ nanos }: Duration): string => `${Number(nanos) / 1e9}s`;

function shown(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "number") return floatText(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  if (value instanceof Duration) return durationText(value);
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof TypeValue) return value.name;
  if (Array.isArray(value) || value instanceof Map) return shownInside(value);
  return String(value);
}

/** Inside lists and maps, as it would be written in an expression. */
function shownInside(value: unknown): string {
  if (typeof value === "string") return goQuote(value);
  if (typeof value === "number") return Number.isFinite(value) ? value.toFixed(precisionDefault) : `"${value}"`;
  if (value instanceof Uint8Array) return `b${goQuote(Buffer.from(value).toString("utf8"))}`;
  if (value instanceof Duration) return `duration("${durationText(value)}")`;
  if (value instanceof Timestamp) return `timestamp("${timestampText(value)}")`;
  if (Array.isArray(value)) return `[${value.map(shownInside).join(", ")}]`;
  if (!(value instanceof Map)) return shown(value);
  const entries = [...value].map(([key, one]) => `${shownInside(key)}:${shownInside(one)}`);
  return `{${entries.sort().join(", ")}}`;
}
