/**
 * YAML as sigs.k8s.io/yaml reads it: version 1.1 words (yes, on, 0777), keys become strings, a repeated key is reported and
 * the last one wins, aliases may not multiply without end. Only the first document counts. Texts are go-yaml's.
 */
import {
  type Alias,
  type Document,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
  type YAMLError,
} from "yaml";
import { LineCounter, isAlias, isMap, isPair, isScalar, isSeq, parseAllDocuments } from "yaml";
import { goQuote } from "#api/go-text.ts";
import { parseJson } from "./json.ts";
import { JsonNumber, JsonSyntaxError, nestingDepthMax, setMember } from "./json-value.ts";

export class YamlError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "YamlError";
  }
}

export interface YamlDocument {
  /** As parseJson gives it. */
  value: unknown;
  /** At most one: "yaml: unmarshal errors:\n  line 5: key "k" already set in map". */
  errors: string[];
}

/** Throws YamlError. */
export function parseYaml(text: string): YamlDocument {
  return parseAsJson(text) ?? parseAsYaml(text);
}

/** Programs send JSON where YAML is asked for; it means the same and is read much faster. */
function parseAsJson(text: string): YamlDocument | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const { value, duplicates } = parseJson(Buffer.from(text));
    return duplicates === undefined ? { value, errors: [] } : undefined;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
}

function parseAsYaml(text: string): YamlDocument {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    version: "1.1",
    schema: "failsafe",
    uniqueKeys: false,
    lineCounter: lines,
    logLevel: "silent",
  });
  const document = "empty" in documents ? undefined : (documents[0] as Document.Parsed | undefined);
  if (document === undefined) return { value: null, errors: [] };
  const fault = document.errors[0];
  if (fault !== undefined) throw new YamlError(`yaml: ${goFault(fault, text)}`);
  const reader = new NodeReader(document, lines);
  const value = reader.read(document.contents);
  if (reader.repeated.length === 0) return { value, errors: [] };
  return { value, errors: [`yaml: unmarshal errors:\n${reader.repeated.map((line) => `  ${line}`).join("\n")}`] };
}

/** go-yaml's guard against aliases of aliases: how much of what was read may come from aliases. */
const aliasFreeNodes = 100;
const smallDocumentNodes = 1000;
const aliasRatioLow = { nodes: 400_000, ratio: 0.99 };
const aliasRatioHigh = { nodes: 4_000_000, ratio: 0.1 };

function allowedAliasRatio(nodes: number): number {
  if (nodes <= aliasRatioLow.nodes) return aliasRatioLow.ratio;
  if (nodes >= aliasRatioHigh.nodes) return aliasRatioHigh.ratio;
  const share = (nodes - aliasRatioLow.nodes) / (aliasRatioHigh.nodes - aliasRatioLow.nodes);
  return aliasRatioLow.ratio - (aliasRatioLow.ratio - aliasRatioHigh.ratio) * share;
}

class NodeReader {
  readonly repeated: string[] = [];
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #open = new Set<Node>();
  #nodes = 0;
  #aliased = 0;
  #aliasDepth = 0;
  #depth = 0;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  read(node: unknown): unknown {
    this.#count();
    if (node === null || node === undefined) return null;
    if (isAlias(node)) return this.#alias(node);
    if (isScalar(node)) return scalarValue(node);
    if (++this.#depth > nestingDepthMax) throw new YamlError("yaml: exceeded max depth");
    const value = isMap(node) ? this.#map(node) : isSeq(node) ? this.#list(node) : null;
    this.#depth--;
    return value;
  }

  #count(): void {
    this.#nodes++;
    if (this.#aliasDepth > 0) this.#aliased++;
    if (this.#aliased <= aliasFreeNodes || this.#nodes <= smallDocumentNodes) return;
    if (this.#aliased / this.#nodes > allowedAliasRatio(this.#nodes)) {
      throw new YamlError("yaml: document contains excessive aliasing");
    }
  }

  #alias(alias: Alias): unknown {
    const target = alias.resolve(this.#document);
    if (target === undefined) throw new YamlError(`yaml: unknown anchor '${alias.source}' referenced`);
    if (this.#open.has(target)) throw new YamlError(`yaml: anchor '${alias.source}' value contains itself`);
    this.#open.add(target);
    this.#aliasDepth++;
    const value = this.read(target);
    this.#aliasDepth--;
    this.#open.delete(target);
    return value;
  }

  #list(node: YAMLSeq): unknown[] {
    return node.items.map((item) => this.read(isPair(item) ? null : item));
  }

  #map(node: YAMLMap): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    const merged: unknown[] = [];
    for (const pair of node.items) {
      if (isMergeKey(pair)) {
        merged.push(this.read(pair.value));
        continue;
      }
      const key = keyText(this.read(pair.key));
      if (Object.hasOwn(map, key)) this.#repeat(pair.key, key);
      setMember(map, key, this.read(pair.value));
    }
    for (const source of merged.flat()) mergeInto(map, source);
    return map;
  }

  #repeat(node: unknown, key: string): void {
    const range = (node as Node | null)?.range;
    const line = range === null || range === undefined ? 0 : this.#lines.linePos(range[0]).line;
    this.repeated.push(`line ${line}: key ${goQuote(key)} already set in map`);
  }
}

const isMergeKey = ({ key }: Pair): boolean =>
  isScalar(key) && key.type === "PLAIN" && key.value === "<<" && key.tag === undefined;

function mergeInto(map: Record<string, unknown>, source: unknown): void {
  if (typeof source !== "object" || source === null) {
    throw new YamlError("yaml: map merge requires map or sequence of maps as the value");
  }
  for (const [key, value] of Object.entries(source)) if (!Object.hasOwn(map, key)) setMember(map, key, value);
}

function keyText(key: unknown): string {
  if (typeof key === "string") return key;
  if (typeof key === "number" || typeof key === "boolean") return String(key);
  if (key instanceof JsonNumber) return key.text;
  const type = key === null ? "<nil>" : Array.isArray(key) ? "[]interface {}" : "map[interface {}]interface {}";
  throw new YamlError(`error converting YAML to JSON: unsupported map key of type: ${type}`);
}

const words = new Map<string, boolean | null>([
  ...["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"].map((word) => [word, true] as const),
  ...["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"].map((word) => [word, false] as const),
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, null] as const),
]);

function scalarValue(node: Scalar): unknown {
  const text = typeof node.value === "string" ? node.value : (node.source ?? "");
  const tag = node.tag;
  if (tag === "tag:yaml.org,2002:binary") return Buffer.from(text, "base64").toString("utf8");
  if (tag === "tag:yaml.org,2002:str" || tag === "!") return text;
  if (node.type !== "PLAIN" && node.type !== undefined && tag === undefined) return text;
  return plainValue(text);
}

/** What a word without quotes means in YAML 1.1, as go-yaml reads it. */
export function plainValue(text: string): unknown {
  const word = words.get(text);
  if (word !== undefined) return word;
  if (!/^[-+.0-9]/.test(text)) return text;
  const number = integerOf(text.replaceAll("_", "")) ?? floatOf(text.replaceAll("_", ""));
  return number ?? text;
}

function integerOf(text: string): number | JsonNumber | undefined {
  const match = /^([-+]?)(?:(0[xX][0-9a-fA-F]+)|(0[bB][01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/.exec(text);
  if (match === null) return undefined;
  const [, sign, hexadecimal, binary, octal, decimal] = match;
  const value = BigInt(hexadecimal ?? binary ?? (octal === undefined ? decimal! : `0o${octal}`));
  const signed = sign === "-" ? -value : value;
  if (signed > 0xffff_ffff_ffff_ffffn || signed < -0x8000_0000_0000_0000n) return floatOf(text);
  return signed.toString().length <= 15 ? Number(signed) : new JsonNumber(signed.toString());
}

function floatOf(text: string): number | JsonNumber | undefined {
  if (/^[-+]?\.(inf|Inf|INF)$/.test(text))
    throw new YamlError(`json: unsupported value: ${text.startsWith("-") ? "-" : "+"}Inf`);
  if (/^\.(nan|NaN|NAN)$/.test(text)) throw new YamlError("json: unsupported value: NaN");
  if (!/^[-+]?[0-9]*\.?[0-9]+([eE][-+][0-9]+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? value : new JsonNumber(String(value));
}

/** go-yaml's words for a fault. Its scanner and its parser count lines differently, and neither names the first. */
function goFault(fault: YAMLError, text: string): string {
  const line = fault.linePos?.[0].line ?? 1;
  const scanner = (message: string, at = line) => (at <= 1 ? message : `line ${at}: ${message}`);
  const parser = (message: string, at = line) => (at <= 1 ? message : `line ${at - 1}: ${message}`);
  switch (fault.code) {
    case "TAB_AS_INDENT":
    case "BAD_SCALAR_START":
      return scanner("found character that cannot start any token");
    case "BLOCK_AS_IMPLICIT_KEY":
    case "BLOCK_IN_FLOW":
      return scanner("mapping values are not allowed in this context");
    case "BAD_INDENT":
    case "MISSING_CHAR":
    case "UNEXPECTED_TOKEN":
      return structuralFault(fault.message, text, scanner, parser, line);
    case "BAD_ALIAS":
      return "unknown anchor referenced";
    default:
      return parser("did not find expected node content");
  }
}

type Placed = (message: string, at?: number) => string;

function structuralFault(message: string, text: string, scanner: Placed, parser: Placed, line: number): string {
  if (message.startsWith("Missing closing")) return scanner("found unexpected end of stream", text.split("\n").length);
  if (message.startsWith("Implicit map keys")) return scanner("could not find expected ':'", line + 1);
  if (message.startsWith("Flow")) {
    const close = message.startsWith("Flow map") ? "}" : "]";
    if (/[,:{[]\s*$/.test(text)) return parser("did not find expected node content", endLine(text));
    return parser(`did not find expected ',' or '${close}'`, endLine(text));
  }
  if (message.startsWith("All mapping items")) return parser("did not find expected key");
  if (message.startsWith("All sequence items")) return parser("did not find expected '-' indicator");
  if (message.includes("Unexpected flow")) return parser("did not find expected node content");
  return parser("did not find expected <document start>");
}

/** Where go-yaml's parser meets the end: always at the start of a line. */
const endLine = (text: string) => text.split("\n").length + (text.endsWith("\n") ? 0 : 1);
