/** Makes ConfigMaps and Secrets of literals, files and env files. */
import { isUtf8 } from "node:buffer";
import { posix } from "node:path";
import { base64Lines, dataScalar } from "./data-fields.ts";
import type { GeneratorEntry, GeneratorOptions } from "./kustomization.ts";
import { during, RenderError } from "./render-error.ts";
import { Resource, type ResourceSource } from "./resource.ts";
import type { Scopes } from "./schema.ts";
import { compareText, lookup, setField } from "./yaml/fields.ts";
import { newMapping, newScalar, newString, Style, type YamlNode } from "./yaml/yaml-node.ts";

export type GeneratedKind = "ConfigMap" | "Secret";
type Load = (path: string) => Uint8Array;
type Pair = readonly [key: string, value: Uint8Array];

export interface GenerateOptions {
  readonly kind: GeneratedKind;
  readonly entry: GeneratorEntry;
  readonly load: Load;
  readonly source: ResourceSource;
  readonly scopes: Scopes;
}

export function generate({ kind, entry, load, source, scopes }: GenerateOptions): Resource {
  const { name = "", namespace = "", options, behavior } = entry;
  if (name === "") throw new RenderError("a configmap must have a name");
  const root = newMapping();
  setField(root, "apiVersion", newScalar("v1", "!!str"));
  setField(root, "kind", newScalar(kind, "!!str"));
  const metadata = lookup(root, ["metadata"], "mapping")!;
  setField(metadata, "name", newString(name));
  if (namespace !== "") setField(metadata, "namespace", newString(namespace));
  if (kind === "Secret") setField(root, "type", newString(entry.type || "Opaque"));
  fillData(root, kind, uniquePairs(name, collectPairs(entry, load)));
  addOptions(root, options);
  const resource = new Resource(root, source, scopes);
  if (options?.disableNameSuffixHash !== true) resource.wantHash();
  resource.behavior =
    behavior === "create" || behavior === "replace" || behavior === "merge" ? behavior : "unspecified";
  return resource;
}

function addOptions(root: YamlNode, options: GeneratorOptions | undefined): void {
  if (options === undefined) return;
  for (const field of ["labels", "annotations"] as const)
    for (const [key, value] of [...(options[field] ?? [])].sort(([left], [right]) => compareText(left, right)))
      setField(lookup(root, ["metadata", field], "mapping")!, key, newScalar(value, "!!str", Style.single));
  if (options.immutable === true) setField(root, "immutable", newScalar("true", "!!bool"));
}

/** Options of the whole kustomization fill in what the generator itself leaves open. */
export function withGlobalOptions(entry: GeneratorEntry, global: GeneratorOptions | undefined): GeneratorEntry {
  if (global === undefined) return entry;
  const local = entry.options ?? {};
  const merged = (field: "labels" | "annotations"): Map<string, string> | undefined =>
    local[field] === undefined && global[field] === undefined
      ? undefined
      : new Map([...(global[field] ?? []), ...(local[field] ?? [])]);
  const options: GeneratorOptions = {
    disableNameSuffixHash: local.disableNameSuffixHash === true || global.disableNameSuffixHash === true,
    immutable: local.immutable === true || global.immutable === true,
  };
  for (const field of ["labels", "annotations"] as const) {
    const pairs = merged(field);
    if (pairs !== undefined) options[field] = pairs;
  }
  return { ...entry, options };
}

function fillData(root: YamlNode, kind: GeneratedKind, pairs: ReadonlyMap<string, Uint8Array>): void {
  if (kind === "Secret") lookup(root, ["data"], "mapping");
  for (const key of [...pairs.keys()].sort(compareText)) {
    const bytes = pairs.get(key)!;
    const isText = kind === "ConfigMap" && isUtf8(bytes);
    const field = kind === "Secret" || isText ? "data" : "binaryData";
    const value = isText ? Buffer.from(bytes).toString("utf8") : base64Lines(bytes);
    setField(lookup(root, [field], "mapping")!, key, dataScalar(value));
  }
}

function uniquePairs(name: string, pairs: readonly Pair[]): Map<string, Uint8Array> {
  const result = new Map<string, Uint8Array>();
  for (const [key, value] of pairs) {
    if (result.has(key)) throw new RenderError(`configmap ${name} illegally repeats the key \`${key}\``);
    result.set(key, value);
  }
  return result;
}

function collectPairs({ envs = [], literals = [], files = [] }: GeneratorEntry, load: Load): Pair[] {
  return during("loading KV pairs", () => [
    ...during(`env source files: [${envs.join(" ")}]`, () => envs.flatMap((path) => envPairs(load(path)))),
    ...during(`literal sources [${literals.join(" ")}]`, () => literals.map(literalPair)),
    ...during(`file sources: [${files.join(" ")}]`, () => files.map((source) => filePair(source, load))),
  ]);
}

function literalPair(source: string): Pair {
  const at = source.indexOf("=");
  if (at < 1) throw new RenderError(`invalid literal source ${source}, expected key=value`);
  return [source.slice(0, at), Buffer.from(withoutQuotes(source.slice(at + 1)))];
}

function withoutQuotes(value: string): string {
  const first = value[0];
  const isQuoted = value.length >= 2 && (first === '"' || first === "'") && value.endsWith(first);
  return isQuoted ? value.slice(1, -1) : value;
}

function filePair(source: string, load: Load): Pair {
  const parts = source.split("=");
  if (parts.length === 1) return [posix.basename(source) || "/", load(source)];
  const [key = "", path = ""] = parts;
  if (parts.length > 2) throw new RenderError(`source "${source}" key name or file path contains '='`);
  if (key === "") throw new RenderError(`missing key name for file path "${path}" in source "${source}"`);
  if (path === "") throw new RenderError(`missing file path for key name "${key}" in source "${source}"`);
  return [key, load(path)];
}

/** Go's line reader stops, without an error, at a longer line. */
const envLineBytesMax = 64 * 1024;

function envPairs(content: Uint8Array): Pair[] {
  const pairs: Pair[] = [];
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  for (let start = 0, number = 0; start < bytes.length; number += 1) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    if (end - start >= envLineBytesMax) break;
    const isCarriageReturned = end > start && bytes[end - 1] === 0x0d;
    const pair = envPair(bytes.subarray(start, isCarriageReturned ? end - 1 : end), number);
    if (pair !== undefined) pairs.push(pair);
    start = end + 1;
  }
  return pairs;
}

function envPair(line: Buffer, number: number): Pair | undefined {
  if (!isUtf8(line)) throw new RenderError(`line ${number} has invalid utf8 bytes`);
  let text = line.toString("utf8");
  if (number === 0) text = text.replace(/^\ufeff/, "");
  text = text.replace(/^[\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/, "");
  if (text === "" || text.startsWith("#")) return undefined;
  const at = text.indexOf("=");
  if (at === 0) return undefined;
  return at < 0 ? [text, Buffer.alloc(0)] : [text.slice(0, at), Buffer.from(text.slice(at + 1))];
}
