/** What is sure to go wrong with what stands in an expression itself. Upstream: google/cel-go cel/validator.go, ext/strings.go. */
import { RE2JS } from "re2js";
import { formatFault } from "./format-text.ts";
import { type CelFault, type Node, childrenOf } from "./tree.ts";
import { type CelType, areAlike, typeText, valueTypeText } from "./types.ts";
import { durationOf, isTimestamp, timestampOf } from "./value.ts";

type TypeOf = (node: Node) => CelType;

/** Of an expression without faults. */
export function literalFaults(node: Node, typeOf: TypeOf): CelFault[] {
  const faults: CelFault[] = [];
  visit(node, false);
  return faults;

  function visit(at: Node, isFormatted: boolean): void {
    if (at.kind === "call") faults.push(...textFaults(at), ...formatFaults(at, typeOf));
    if (!isFormatted) faults.push(...mixtureFaults(at, typeOf));
    const isFormat = at.kind === "call" && at.name === "format";
    for (const inner of childrenOf(at)) visit(inner, isFormatted || isFormat);
  }
}

/** Texts, and seconds since the epoch, that a function would refuse every time. */
function textFaults({ name, target, args }: Extract<Node, { kind: "call" }>): CelFault[] {
  const arg = args[name === "matches" && target === undefined ? 1 : 0];
  if (arg?.kind === "literal" && name === "timestamp" && typeof arg.value === "bigint" && !isTimestamp(arg.value))
    return [{ offset: arg.offset, text: "invalid timestamp argument" }];
  const text = arg?.kind === "literal" && typeof arg.value === "string" ? arg.value : undefined;
  if (arg === undefined || text === undefined || textRules[name]?.(text) !== false) return [];
  return [{ offset: arg.offset, text: `invalid ${name} argument` }];
}

const textRules: Readonly<Record<string, (text: string) => boolean>> = {
  matches: (text) => patternFault(text) === undefined,
  duration: (text) => durationOf(text) !== undefined,
  timestamp: (text) => timestampOf(text) !== undefined,
};

function patternFault(text: string): string | undefined {
  try {
    RE2JS.compile(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function formatFaults(node: Extract<Node, { kind: "call" }>, typeOf: TypeOf): CelFault[] {
  const { name, target, args } = node;
  const [list] = args;
  if (name !== "format" || target?.kind !== "literal" || list?.kind !== "list") return [];
  const given = list.items.map((item) => valueTypeText({ ...typeOf(item), of: undefined }));
  const fault = formatFault(String(target.value), given);
  if (fault === undefined) return [];
  return [{ offset: fault.index === undefined ? node.offset : list.items[fault.index]!.offset, text: fault.text }];
}

/** Methods whose pattern, if it stands in the expression itself, is read beforehand. */
const searches = new Set(["find", "findAll"]);

/** Functions whose outcome of what stands in the expression itself is made beforehand. */
const conversions = new Set(["bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "uint"]);

/** The first conversion of a literal, for which `run` gives why it fails. Upstream: cel-go interpreter/decorators.go. */
export function constantFault(node: Node, run: (node: Node) => string | undefined): string | undefined {
  for (const inner of childrenOf(node)) {
    const fault = constantFault(inner, run);
    if (fault !== undefined) return fault;
  }
  if (node.kind !== "call") return undefined;
  const [pattern] = node.args;
  if (searches.has(node.name) && node.target !== undefined && pattern?.kind === "literal")
    return patternFault(String(pattern.value));
  if (node.target !== undefined || !conversions.has(node.name)) return undefined;
  return node.args[0]?.kind === "literal" ? run(node) : undefined;
}

/** Lists and maps have items of one type, but where they are made into text. */
function mixtureFaults(node: Node, typeOf: TypeOf): CelFault[] {
  if (node.kind === "list") {
    const types = node.items.map((item, index) => ({ item, type: held(typeOf(item), node.optional.has(index)) }));
    const other = types.find(({ type }) => !areAlike(types[0]!.type, type));
    return other === undefined ? [] : [mismatch(other.item, types[0]!.type, other.type)];
  }
  if (node.kind !== "map") return [];
  const [first] = node.entries;
  if (first === undefined) return [];
  const key = typeOf(first.key);
  const value = held(typeOf(first.value), first.isOptional);
  return node.entries.flatMap((entry) => [
    ...(areAlike(key, typeOf(entry.key)) ? [] : [mismatch(entry.key, key, typeOf(entry.key))]),
    ...(areAlike(value, held(typeOf(entry.value), entry.isOptional))
      ? []
      : [mismatch(entry.value, value, held(typeOf(entry.value), entry.isOptional))]),
  ]);
}

const held = (type: CelType, isOptional: boolean): CelType => (isOptional ? (type.of?.[0] ?? type) : type);

const mismatch = (node: Node, wanted: CelType, found: CelType): CelFault => ({
  offset: node.offset,
  text: `expected type '${typeText(wanted)}' but found '${typeText(found)}'`,
});
