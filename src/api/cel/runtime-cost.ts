/**
 * What carrying an expression out costs, call by call: every limit on rules is in this unit. What stands in an expression as a
 * constant is free. Upstream: google/cel-go interpreter/runtimecost.go, apiserver/pkg/cel/library/cost.go.
 */
import type { Node } from "./tree.ts";
import { Opaque } from "./value.ts";

/** Of one expression. */
export const callCostMax = 1_000_000;
/** Of all rules about one object, and of all expressions of a policy. */
export const requestCostMax = 10_000_000;
/** Of all match conditions. */
export const conditionsCostMax = 2_500_000;

export const listCost = 10;
export const mapCost = 30;
export const structCost = 40;

/** Of a character that is read, and of one of a regular expression. */
const textFactor = 0.1;
const patternFactor = 0.25;
const formatPatternMax = 128;
const checkCost = 350_000;

const scaled = (size: number, factor: number): number => Math.ceil(size * factor);

function sizeOf(value: unknown): number {
  if (typeof value === "string") return Array.from(value).length;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length;
  return value instanceof Map || value instanceof Opaque ? value.size : 1;
}

/** Of everything in a value. */
function wholeSize(value: unknown): number {
  if (typeof value === "string") return Math.floor(Buffer.byteLength(value) * textFactor);
  if (value instanceof Uint8Array) return Math.floor(value.length * textFactor);
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + wholeSize(one), 0);
  if (!(value instanceof Map)) return 1;
  return [...value].reduce((sum, [key, one]) => sum + wholeSize(key) + wholeSize(one), 0);
}

type Rule = (args: readonly unknown[], result: unknown) => number;

const reads =
  (factor = textFactor): Rule =>
  ([text]) =>
    scaled(sizeOf(text), factor);
const whole: Rule = ([value]) => wholeSize(value);
const matching = (text: unknown, pattern: number): number =>
  scaled(1 + sizeOf(text), textFactor) * scaled(pattern, patternFactor);
const compares: Rule = ([a, b]) => (a instanceof Opaque ? 1 : scaled(Math.min(sizeOf(a), sizeOf(b)), textFactor));
const orders: Rule = ([a, b]) => (isText(a) && isText(b) ? scaled(Math.min(sizeOf(a), sizeOf(b)), textFactor) : 1);
const crosses =
  (factor: number): Rule =>
  ([a, b]) =>
    sizeOf(a) * sizeOf(b) * factor + 1;
const selects: Rule = ([, text]) => {
  const size = sizeOf(text);
  return listCost + scaled(size, textFactor) + scaled(scaled(size, 0.5), listCost + structCost);
};

const isText = (value: unknown): boolean => typeof value === "string" || value instanceof Uint8Array;
/** A text has to be read first. */
const comparesBytes = (cidr: unknown, other: unknown): number =>
  scaled(2 * sizeOf(cidr), textFactor) + (isText(other) ? scaled(sizeOf(other), textFactor) : 0);

const named = (rule: Rule, names: string): [string, Rule][] => names.split(" ").map((name) => [name, rule]);

/** All else costs one. */
const rules: ReadonlyMap<string, Rule> = new Map([
  ...named(compares, "_==_ _!=_"),
  ...named(orders, "_<_ _<=_ _>_ _>=_"),
  ...named(([a, b]) => (isText(a) ? scaled(sizeOf(a) + sizeOf(b), textFactor) : 1), "_+_"),
  ...named(([, list]) => (Array.isArray(list) ? list.length : 1), "@in"),
  ...named(([text, pattern]) => matching(text, sizeOf(pattern)), "matches find findAll"),
  ...named(([text, part]) => scaled(sizeOf(text), textFactor) * scaled(sizeOf(part), textFactor), "contains"),
  ...named(
    reads(),
    "startsWith endsWith format strings.quote url lowerAscii upperAscii substring trim cidr isIP isCIDR",
  ),
  ...named(reads(), "quantity isQuantity semver isSemver jsonpatch.escapeKey"),
  ...named(([value]) => (isText(value) ? scaled(sizeOf(value), textFactor) : 1), "ip"),
  ...named(([value]) => (value instanceof Uint8Array ? scaled(value.length, textFactor) : 1), "string"),
  ...named(([value]) => (typeof value === "string" ? scaled(sizeOf(value), textFactor) : 1), "bytes"),
  ...named(reads(2 * textFactor), "replace split ip.isCanonical"),
  ...named((_, result) => scaled(sizeOf(result), 2 * textFactor), "join"),
  ...named(whole, "isSorted sum max min indexOf lastIndexOf"),
  ...named(([, text]) => matching(text, formatPatternMax), "validate"),
  ...named(crosses(1), "sets.contains sets.intersects"),
  ...named(crosses(2), "sets.equivalent"),
  ...named(([cidr, other]) => comparesBytes(cidr, other), "containsIP"),
  ...named(([cidr, other]) => comparesBytes(cidr, other) + scaled(sizeOf(cidr), textFactor) + 1, "containsCIDR"),
  ...named(selects, "fieldSelector labelSelector"),
  ...named(() => checkCost, "check"),
]);

export const costOfCall = (name: string, args: readonly unknown[], result: unknown): number =>
  rules.get(name)?.(args, result) ?? 1;

/** Names, fields of what has a name, and elements of it: each step is one. */
export function isAttribute(node: Node): boolean {
  if (node.kind === "identifier") return true;
  if (node.kind === "select") return !node.isTest;
  return node.kind === "call" && (node.name === "_[_]" || node.name === "_[?_]");
}

/** Conversions that are made beforehand where they are of constants. */
const conversions = new Set(["bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "uint"]);
const constants = new WeakMap<Node, boolean>();

/** Whether a value is known before anything is carried out. */
export function isConstant(node: Node): boolean {
  let known = constants.get(node);
  if (known === undefined) constants.set(node, (known = isFixed(node)));
  return known;
}

function isFixed(node: Node): boolean {
  switch (node.kind) {
    case "literal":
      return true;
    case "list":
      return node.optional.size === 0 && node.items.every(isConstant);
    case "map":
      return node.entries.every(({ key, value, isOptional }) => !isOptional && isConstant(key) && isConstant(value));
    case "call":
      return node.target === undefined && conversions.has(node.name) && node.args.every(isConstant);
    default:
      return false;
  }
}

/** What the steps of a macro's loop cost besides its bodies: before each, for one that counts, and at the end. */
export interface LoopCost {
  each: number;
  taken: number;
  last: number;
}

const loops: Readonly<Record<string, LoopCost>> = {
  // @not_strictly_false(result), result && body
  all: { each: 3, taken: 0, last: 1 },
  // @not_strictly_false(!result), result || body
  exists: { each: 4, taken: 0, last: 1 },
  // test ? result + 1 : result; result == 1
  exists_one: { each: 0, taken: 2, last: 2 },
  existsOne: { each: 0, taken: 2, last: 2 },
  // test ? result + [item] : result
  filter: { each: 0, taken: 3 + listCost, last: 1 },
  map: { each: 0, taken: 2 + listCost, last: 1 },
  transformList: { each: 0, taken: 2 + listCost, last: 1 },
  transformMap: { each: 0, taken: 3, last: 1 },
  transformMapEntry: { each: 0, taken: 2, last: 1 },
  sortBy: { each: 0, taken: 2 + listCost, last: 2 },
};
export const loopCostOf = (macro: string): LoopCost => loops[macro]!;
