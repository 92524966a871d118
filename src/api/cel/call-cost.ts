/** What calls cost, and how large their results are. Upstream: apiserver/pkg/cel/library/cost.go, cel-go checker/cost.go. */
import type { CostEstimator } from "./cost.ts";
import { type Size, both, exactly, product, scaled } from "./size.ts";
import type { Node } from "./tree.ts";

export interface Call {
  name: string;
  target: Node | undefined;
  args: readonly Node[];
  /** What the arguments cost. */
  costs: readonly number[];
  sizes: CostEstimator;
}

interface Estimate {
  cost: number;
  size?: Size;
}

/** Of a character that is read. */
const textFactor = 0.1;
/** Of a character of a regular expression. */
const patternFactor = 0.25;
const formatPatternMax = 128;
const formatTextMax = 64;

const sum = (costs: readonly number[]): number => costs.reduce((total, cost) => total + cost, 0);
const reading = (size: Size, factor = textFactor): number => scaled(size.max, factor);
const matching = (text: Size, pattern: Size): number =>
  product(scaled(text.max + 1, textFactor), scaled(pattern.max, patternFactor));
const added = (a: Size, b: Size): Size => ({ min: a.min + b.min, max: a.max + b.max });

type Rule = (call: Call) => Estimate | undefined;
/** Of methods: without a target they cost what any call does. */
type MethodRule = (target: Size, args: readonly Size[], call: Call) => Estimate | undefined;

const method =
  (rule: MethodRule): Rule =>
  (call) =>
    call.target === undefined ? undefined : rule(call.sizes.size(call.target), argSizes(call), call);
const argSizes = ({ args, sizes }: Call): Size[] => args.map((arg) => sizes.size(arg));
const fixed =
  (cost: number): Rule =>
  () => ({ cost });

/** Reads its target, and gives something as long. */
const readsTarget = method((size) => ({ cost: reading(size), size }));
/** Reads its first argument, as a method and as a function. */
const readsArgument =
  (factor = textFactor): Rule =>
  (call) => {
    const [size] = argSizes(call);
    return size && { cost: reading(size, factor) };
  };
const readsOnly: Rule = (call) => {
  const [size] = argSizes(call);
  return size === undefined || call.args.length !== 1 ? undefined : { cost: reading(size), size };
};
const comparesItems = method((size, _args, { target, sizes }) => {
  const item = sizes.itemSize(target!);
  if (item === undefined) return { cost: reading(size) };
  const isText = item.kind === "string" || item.kind === "bytes";
  return { cost: product(size.max, isText ? 1 + reading(item.size) : 1) };
});
const findsPattern = method((text, [pattern]) =>
  pattern === undefined ? undefined : { cost: matching(text, pattern), size: { min: 0, max: text.max } },
);
const setsCost =
  (factor: number): Rule =>
  (call) => {
    const [a, b] = argSizes(call);
    return b === undefined ? undefined : { cost: scaled(product(a!.max, b.max), factor) + 1 };
  };
/** Two addresses, compared byte by byte. */
const addressMax = 16;

const named = (rule: Rule, ...names: string[]): [string, Rule][] => names.map((name) => [name, rule]);

/** What only looks something up. */
const accessors = [
  "masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast",
  "format.named sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub",
  "major minor patch getScheme getHostname getHost getPort getEscapedPath getQuery",
].flatMap((names) => names.split(" "));

const rules: ReadonlyMap<string, Rule> = new Map([
  ...named(comparesItems, "isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"),
  ...named(readsOnly, "url", "jsonpatch.escapeKey"),
  ...named(readsTarget, "lowerAscii", "upperAscii", "substring", "trim"),
  ...named(method(replaceCost), "replace"),
  ...named(method(splitCost), "split"),
  ...named(method(joinCost), "join"),
  ...named(findsPattern, "find", "findAll"),
  ...named(readsArgument(), "cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver"),
  ...named(readsArgument(2 * textFactor), "ip.isCanonical"),
  ...named((call) => readsArgument()(call) ?? { cost: 1 }, "ip"),
  ...named(fixed(1), ...accessors),
  ...named(method(containsAddress), "containsIP", "containsCIDR"),
  ...named(
    method((_target, [size]) => ({ cost: scaled(reading(size!), formatPatternMax * patternFactor) })),
    "validate",
  ),
  ...named(sameOpaque, "_==_"),
  ...named(setsCost(1), "sets.contains", "sets.intersects"),
  ...named(setsCost(2), "sets.equivalent"),
]);

/** What Kubernetes says of a call; undefined: nothing. */
export function estimateOf(call: Call): Estimate | undefined {
  const estimate = rules.get(call.name)?.(call);
  return estimate && { ...estimate, cost: estimate.cost + sum(call.costs) };
}

function containsAddress(_target: Size, [size]: readonly Size[], { name, args, sizes }: Call): Estimate {
  const isText = sizes.typeOf(args[0]!).kind === "string";
  const compared = scaled(2 * addressMax, textFactor);
  const masked = name === "containsCIDR" ? scaled(addressMax, textFactor) + 1 : 0;
  return { cost: compared + masked + (isText ? reading(size!) : 0) };
}

function replaceCost(size: Size, [from, to]: readonly Size[]): Estimate | undefined {
  if (from === undefined || to === undefined) return undefined;
  const result = { min: shortestReplaced(size, from, to), max: longestReplaced(size, from, to) };
  return { cost: reading(size, 2 * textFactor), size: result };
}

function longestReplaced(size: Size, from: Size, to: Size): number {
  // An empty text is replaced before and after every character.
  if (from.min === 0) return product(size.max + 1, to.max) + size.max;
  return to.max <= from.min ? size.max : product(Math.ceil(size.max / from.min), to.max);
}

function shortestReplaced(size: Size, from: Size, to: Size): number {
  if (from.max === 0) return product(size.min + 1, to.min) + size.min;
  return from.max <= to.min ? size.min : product(Math.ceil(size.min / from.max), to.min);
}

function splitCost(size: Size, _args: readonly Size[], { args }: Call): Estimate {
  const limit = args[1]?.kind === "literal" && typeof args[1].value === "bigint" ? Number(args[1].value) : undefined;
  // Upstream reads a negative limit as a very large one.
  const max = limit === undefined ? size.max : limit < 0 ? Infinity : limit;
  return { cost: reading(size, 2 * textFactor), size: { min: 0, max } };
}

function joinCost(list: Size, [separator]: readonly Size[], { target, sizes }: Call): Estimate {
  const item = sizes.itemSize(target!)?.size ?? exactly(0);
  let size: Size = { min: product(list.min, item.min), max: product(list.max, item.max) };
  if (separator !== undefined) {
    const between = { min: Math.max(0, list.min - 1), max: Math.max(0, list.max - 1) };
    size = added(size, { min: product(between.min, separator.min), max: product(between.max, separator.max) });
  }
  return { cost: reading(size), size };
}

const unitNames = new Set(["net.IP", "net.CIDR", "kubernetes.Quantity", "kubernetes.Semver"]);

function sameOpaque({ args, sizes }: Call): Estimate | undefined {
  const [left, right] = args.map((arg) => sizes.typeOf(arg));
  if (left?.kind !== "opaque" || right?.kind !== "opaque" || left.name !== right.name) return undefined;
  if (unitNames.has(left.name!)) return { cost: 1 };
  if (left.name === "kubernetes.NamedFormat") return { cost: scaled(formatTextMax, textFactor) };
  if (left.name !== "kubernetes.URL") return undefined;
  const { max } = sizes.size(args[1]!);
  return { cost: Number.isFinite(max) ? scaled(max, textFactor) : 1 };
}

/** What CEL itself says of a call. */
export function callCost(call: Call): Estimate {
  const { name, costs, target, args, sizes } = call;
  const ofArgs = sum(costs);
  const builtIn = builtIns.get(name)?.(call, argSizes(call));
  if (builtIn !== undefined) return { ...builtIn, cost: builtIn.cost + ofArgs };
  if (name === "_&&_" || name === "_||_") return { cost: ofArgs };
  if (name === "_?_:_")
    return { cost: costs[0]! + Math.max(costs[1]!, costs[2]!), size: both(sizes.size(args[1]!), sizes.size(args[2]!)) };
  if (target === undefined && comparisons.has(name)) return { cost: ofArgs + comparisonCost(call) };
  return { cost: ofArgs + 1 };
}

type BuiltIn = (call: Call, args: readonly Size[]) => Estimate | undefined;

const builtIns: ReadonlyMap<string, BuiltIn> = new Map<string, BuiltIn>([
  ["_+_", additionCost],
  ["bytes", (call, [size]) => converted(call, "string", size && { min: size.min, max: size.max * 4 })],
  ["string", (call, [size]) => converted(call, "bytes", size && { min: Math.floor(size.min / 4), max: size.max })],
  [
    "strings.quote",
    (_call, [size]) => size && { cost: reading(size), size: { min: size.min + 2, max: size.max * 2 + 2 } },
  ],
  ["format", ({ target, sizes }) => (target === undefined ? undefined : { cost: reading(sizes.size(target)) })],
  ["startsWith", (_call, [size]) => size && { cost: reading(size) }],
  ["endsWith", (_call, [size]) => size && { cost: reading(size) }],
  [
    "contains",
    ({ target, sizes }, [size]) => target && size && { cost: product(reading(sizes.size(target)), reading(size)) },
  ],
  ["matches", matchesCost],
  ["@in", membershipCost],
]);

/** As a function it costs what any call does. */
function matchesCost({ target, sizes }: Call, [pattern]: readonly Size[]): Estimate | undefined {
  return target && pattern && { cost: matching(sizes.size(target), pattern) };
}

function membershipCost({ args, sizes }: Call, [, size]: readonly Size[]): Estimate | undefined {
  return sizes.typeOf(args[1]!).kind === "map" ? undefined : { cost: scaled(size!.max, 1) };
}

function converted({ args, sizes }: Call, from: string, size: Size | undefined): Estimate | undefined {
  const { kind } = sizes.typeOf(args[0]!);
  return size !== undefined && (kind === from || kind === "dyn")
    ? { cost: reading(sizes.size(args[0]!)), size }
    : undefined;
}

const isUnclear = (kind: string): boolean => kind === "dyn" || kind === "error" || kind === "param";

function additionCost({ args, sizes }: Call, [a, b]: readonly Size[]): Estimate | undefined {
  if (a === undefined || b === undefined) return undefined;
  const kinds = args.map((arg) => sizes.typeOf(arg).kind);
  const kind = kinds.find((one) => !isUnclear(one));
  const size = added(a, b);
  if (kind === "list") return { cost: 1, size };
  if (kind === "string" || kind === "bytes") return { cost: reading(size), size };
  return kind === undefined ? { cost: Math.max(1, reading(size)), size } : undefined;
}

const comparisons = new Set(["_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"]);

/** The smaller of the two decides. */
function comparisonCost({ name, args, sizes }: Call): number {
  const max = Math.min(...args.map((arg) => sizes.size(arg).max));
  const cost = scaled(max, textFactor);
  if (name === "_==_" || name === "_!=_") return cost;
  const kind = args.map((arg) => sizes.typeOf(arg).kind).find((one) => !isUnclear(one));
  if (kind === "string" || kind === "bytes") return cost;
  return kind === undefined ? Math.max(1, cost) : 1;
}
