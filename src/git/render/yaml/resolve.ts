/**
 * What an unquoted YAML word means. Two dialects: Kubernetes reads resources with go-yaml v3 (1.2 words, 1.1 octals) and
 * configuration with go-yaml v2, where yes, no, on, off, y and n are booleans too.
 */
import { parseFloatText, parseInteger, parseIntegerIn } from "./go-number.ts";
import { parseTimestamp, type Timestamp } from "./timestamp.ts";

export type Dialect = "v2" | "v3";
export type ScalarValue = string | boolean | null | number | bigint | Timestamp;
export interface Resolved {
  readonly tag: string;
  readonly value: ScalarValue;
}

const nothing: Resolved = { tag: "!!null", value: null };
const yes: Resolved = { tag: "!!bool", value: true };
const no: Resolved = { tag: "!!bool", value: false };
const float = (value: number): Resolved => ({ tag: "!!float", value });

const words = (pairs: readonly (readonly [Resolved, string])[]): Map<string, Resolved> =>
  new Map(pairs.flatMap(([meaning, list]) => list.split(" ").map((word) => [word, meaning] as const)));

const wordsOfV3 = words([
  [yes, "true True TRUE"],
  [no, "false False FALSE"],
  [nothing, "~ null Null NULL"],
  [float(Number.NaN), ".nan .NaN .NAN"],
  [float(Number.POSITIVE_INFINITY), ".inf .Inf .INF +.inf +.Inf +.INF"],
  [float(Number.NEGATIVE_INFINITY), "-.inf -.Inf -.INF"],
]).set("", nothing);
const wordsOfV2 = new Map([
  ...wordsOfV3,
  ...words([
    [yes, "y Y yes Yes YES on On ON"],
    [no, "n N no No NO off Off OFF"],
  ]),
]);

/** First characters that can begin something else than text. */
const firstOfSpecial = /^[-+0-9yYnNtTfFoO~.]/;

export function resolvePlain(text: string, dialect: Dialect = "v3"): Resolved {
  if (text !== "" && !firstOfSpecial.test(text)) return { tag: "!!str", value: text };
  const word = (dialect === "v2" ? wordsOfV2 : wordsOfV3).get(text);
  if (word !== undefined) return word;
  const first = text.charCodeAt(0);
  if (first === 0x2e) return dotFloat(text) ?? { tag: "!!str", value: text };
  if (first > 0x39) return { tag: "!!str", value: text };
  return numberOrTime(text, dialect) ?? { tag: "!!str", value: text };
}

function dotFloat(text: string): Resolved | undefined {
  const value = parseFloatText(text);
  return value === undefined ? undefined : float(value);
}

function numberOrTime(text: string, dialect: Dialect): Resolved | undefined {
  const time = parseTimestamp(text);
  if (time !== undefined) return { tag: "!!timestamp", value: time };
  const bare = text.replaceAll("_", "");
  const integer = parseInteger(bare) ?? namedBase(bare, dialect);
  if (integer !== undefined) return { tag: "!!int", value: integer };
  const number = parseFloatText(bare);
  return number === undefined ? undefined : float(number);
}

function namedBase(text: string, dialect: Dialect): number | bigint | undefined {
  const match = /^(-?)0([bo])(.*)$/.exec(text);
  if (match === null || (match[2] === "o" && dialect === "v2")) return undefined;
  return parseIntegerIn(`${match[1]}${match[3]}`, match[2] === "b" ? 2 : 8);
}

const resolvableTags = new Set(["", "!!str", "!!bool", "!!int", "!!float", "!!null", "!!timestamp"]);

/** The meaning of a scalar that carries a tag; undefined when tag and text do not fit. */
export function resolveTagged(tag: string, text: string, dialect: Dialect = "v3"): Resolved | undefined {
  if (!resolvableTags.has(tag)) return { tag, value: text };
  if (tag === "!!str") return { tag, value: text };
  const found = resolvePlain(text, dialect);
  if (tag === "" || found.tag === tag) return found;
  if (tag === "!!float" && found.tag === "!!int") return float(Number(found.value));
  return undefined;
}

/** Whether a YAML 1.1 reader would take this unquoted word for something else than text. */
export function isNonStringWord(text: string): boolean {
  if (text === "" || text.includes("\n")) return false;
  const { tag } = resolvePlain(text, "v2");
  return tag !== "!!str" && tag !== "!!timestamp";
}
