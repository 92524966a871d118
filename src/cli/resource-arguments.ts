/**
 * What `kubectl`-like arguments name: "pods", "pod web", "deploy/web svc/web", "pods,services", files. Resolves the words
 * against what the server serves, with short names, categories and "resource.version.group" forms.
 */
import { readFile, readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { JsonNumber } from "#api/decode/json-value.ts";
import { YamlError, parseYaml } from "#api/decode/yaml.ts";
import type { UnknownObject } from "#api/object.ts";
import type { DiscoveredResource, Discovery } from "#client/discovery.ts";
import { type FlagValues, UsageError } from "./command.ts";

export interface ResourceSelection {
  resource: DiscoveredResource;
  /** Empty: all of the kind. */
  names: string[];
}

/** What a command says that needs at least one object. */
export const nothingNamed =
  "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'";

/** "pods a b", "pods,svc", "pod/a svc/b" → selections in the order given. */
export async function selectResources(discovery: Discovery, args: readonly string[]): Promise<ResourceSelection[]> {
  if (args.length === 0)
    throw new UsageError(
      'You must specify the type of resource to get. Use "capstan api-resources" for a complete list of supported resources.',
    );
  if (args.some((arg) => arg.includes("/"))) return await selectSlashed(discovery, args);
  const [types = "", ...names] = args;
  const words = types.split(",").filter((word) => word !== "");
  const resources = (await Promise.all(words.map((word) => findResources(discovery, word)))).flat();
  return resources.map((resource) => ({ resource, names }));
}

async function selectSlashed(discovery: Discovery, args: readonly string[]): Promise<ResourceSelection[]> {
  const selections: ResourceSelection[] = [];
  for (const arg of args) {
    const [type = "", name = "", ...rest] = arg.split("/");
    if (!arg.includes("/"))
      throw new UsageError(
        "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'capstan get resource/<resource_name>' instead of 'capstan get resource resource/<resource_name>'",
      );
    if (rest.length > 0) throw new UsageError("arguments in resource/name form may not have more than one slash");
    if (type === "" || name === "")
      throw new UsageError("arguments in resource/name form must have a single resource and name");
    const [resource] = await findResources(discovery, type);
    const last = selections.at(-1);
    if (last !== undefined && last.resource === resource) last.names.push(name);
    else selections.push({ resource: resource!, names: [name] });
  }
  return selections;
}

/** The resources that a word means: one, or all of a category ("all"). */
export async function findResources(discovery: Discovery, word: string): Promise<DiscoveredResource[]> {
  const lower = word.toLowerCase();
  const [plural = "", ...rest] = lower.split(".");
  const isNamed = (one: DiscoveredResource, name: string) =>
    one.plural === name || one.singular === name || one.kind.toLowerCase() === name || one.shortNames.includes(name);
  const found =
    (rest.length === 0
      ? undefined
      : await discovery.find(
          (one) =>
            isNamed(one, plural) &&
            (rest.join(".") === one.group ||
              rest.join(".") === `${one.version}.${one.group}` ||
              (one.group === "" && rest.join(".") === one.version)),
        )) ?? (await discovery.find((one) => isNamed(one, lower)));
  if (found !== undefined) return [found];
  const all = await discovery.resources();
  const inCategory = all.filter((one) => one.categories.includes(lower) && one.verbs.includes("list"));
  const unique = inCategory.filter(
    (one, at) =>
      inCategory.findIndex(
        (other) => other.group === one.group && other.plural === one.plural && (other.preferred || !one.preferred),
      ) === at,
  );
  if (unique.length > 0) return unique;
  throw new UsageError(`the server doesn't have a resource type "${plural}"`);
}

export interface FileObject {
  object: UnknownObject;
  source: string;
}

export const namesFiles = (flags: FlagValues): boolean => flags.given("filename") || flags.given("kustomize");

/**
 * Objects of -f arguments: files, folders (with -R below them), "-" for standard input, http(s) addresses; or what the folder
 * of -k renders to. Lists are taken apart. What is no object throws, or is left out and told in `faults` where they are given.
 */
export async function readFileObjects(
  flags: FlagValues,
  stdin: NodeJS.ReadableStream,
  faults?: UsageError[],
): Promise<FileObject[]> {
  const [names, recursive] = [flags.strings("filename"), flags.boolean("recursive")];
  if (flags.given("kustomize")) {
    if (names.length > 0) throw new UsageError("only one of -f or -k can be specified");
    if (recursive) throw new UsageError("the -k flag can't be used with -f or -R");
    return await renderedObjects(flags.string("kustomize"));
  }
  const objects: FileObject[] = [];
  for (const name of names) {
    for (const { text, source } of await readSources(name, recursive, stdin))
      objects.push(...parseObjects(text, source, faults));
  }
  return objects;
}

/** The renderer is loaded only where it is asked for. */
async function renderedObjects(folder: string): Promise<FileObject[]> {
  const { diskTree } = await import("#git/render/file-tree.ts");
  const { objectsToYaml, renderKustomization } = await import("#git/render/kustomize.ts");
  try {
    return parseObjects(objectsToYaml(renderKustomization(diskTree(), resolve(folder))), folder);
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message, { cause: error });
  }
}

async function readSources(
  name: string,
  recursive: boolean,
  stdin: NodeJS.ReadableStream,
): Promise<{ text: string; source: string }[]> {
  if (name === "-") return [{ text: await readAll(stdin), source: "STDIN" }];
  if (/^https?:\/\//.test(name)) {
    const response = await fetch(name);
    if (!response.ok)
      throw new UsageError(
        `unable to read URL "${name}", server reported ${response.status} ${response.statusText}, status code=${response.status}`,
      );
    return [{ text: await response.text(), source: name }];
  }
  const facts = await stat(name).catch(() => undefined);
  if (facts === undefined) throw new UsageError(`the path "${name}" does not exist`);
  if (!facts.isDirectory()) return [{ text: await readFile(name, "utf8"), source: name }];
  const entries = await readdir(name, { recursive, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && /\.(json|yaml|yml)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  return await Promise.all(files.sort().map(async (file) => ({ text: await readFile(file, "utf8"), source: file })));
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks).toString("utf8");
}

/** The first fault ends the text: it throws, or what stands before it counts and it is told in `faults`. */
export function parseObjects(text: string, source: string, faults?: UsageError[]): FileObject[] {
  const objects: FileObject[] = [];
  try {
    for (const value of readValues(text)) if (value !== null) objects.push(...expandList(value, source));
  } catch (error) {
    const fault =
      error instanceof YamlError
        ? new UsageError(`error parsing ${source}: error converting YAML to JSON: ${error.message}`)
        : error;
    if (faults === undefined || !(fault instanceof UsageError)) throw fault;
    faults.push(fault);
  }
  return objects;
}

/** JSON values one after another, or YAML documents, read as the server reads them. Throws YamlError. */
function* readValues(text: string): Iterable<unknown> {
  const values = /^\s*\{/.test(text) ? readJsonValues(text) : undefined;
  if (values !== undefined) yield* values;
  else for (const document of yamlDocuments(text)) yield plainNumbers(parseYaml(Buffer.from(document)).value);
}

/** undefined: it is no JSON. */
function readJsonValues(text: string): unknown[] | undefined {
  const values: unknown[] = [];
  let [depth, start] = [0, 0];
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (token === "{") depth += 1;
    else if (token === "}") depth -= 1;
    if (token !== "}" || depth > 0) continue;
    try {
      values.push(JSON.parse(text.slice(start, index + 1)));
    } catch {
      return undefined;
    }
    start = index + 1;
  }
  return text.slice(start).trim() === "" ? values : undefined;
}

const yamlDocuments = (text: string): string[] => text.split(/^---[ \t\r]*(?:#.*)?(?:\n|$)/m);

/** Numbers as JavaScript has them. */
function plainNumbers(value: unknown): unknown {
  if (value instanceof JsonNumber) return value.valueOf();
  if (Array.isArray(value)) return value.map(plainNumbers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainNumbers(inner)]));
}

/** The fault in the words that Kubernetes users know, if that reader finds it too. */
export function yamlFault(text: string, fault: Error): string {
  try {
    parseYaml(Buffer.from(text));
  } catch (error) {
    const { message } = error as Error;
    return message.startsWith("yaml: ") ? message : `yaml: ${message}`;
  }
  return fault.message.split("\n")[0]!;
}

function expandList(value: unknown, source: string): FileObject[] {
  const object = value as UnknownObject & { items?: unknown };
  if (typeof value !== "object" || Array.isArray(value))
    throw new UsageError(`error validating "${source}": error validating data: invalid object to validate`);
  const missing = [
    object.apiVersion === undefined ? "apiVersion not set" : "",
    object.kind === undefined ? "kind not set" : "",
  ].filter((one) => one !== "");
  if (missing.length > 0)
    throw new UsageError(
      `error validating "${source}": error validating data: ${missing.length > 1 ? `[${missing.join(", ")}]` : missing[0]}; if you choose to ignore these errors, turn validation off with --validate=false`,
    );
  if (Array.isArray(object.items)) {
    const { apiVersion, kind = "" } = object;
    const typed = (item: UnknownObject) =>
      item.kind === undefined && item.apiVersion === undefined
        ? { ...item, apiVersion, kind: kind.replace(/List$/, "") }
        : item;
    return object.items.flatMap((item: UnknownObject) => expandList(typed(item), source));
  }
  return [{ object: { ...object, metadata: object.metadata ?? {} }, source }];
}
