/**
 * What a strategic merge must know of types: which lists merge by which keys, and which kinds are cluster-scoped. kustomize carries
 * the Kubernetes 1.21 types; an `openapi` field brings others. Later Kubernetes types are unknown to it, on purpose.
 */
import facts from "./merge-facts.json" with { type: "json" };
import { RenderError } from "./render-error.ts";
import { readConfig } from "./yaml/config-value.ts";
import { isPlainMap, type Plain, type PlainMap } from "./yaml/value.ts";

export interface Scopes {
  /** Whether the kind is known to be cluster-scoped. */
  isClusterScoped(apiVersion: string, kind: string): boolean;
}

/** The type of one field as far as merging cares. */
export interface MergeType {
  /** Whether lists of this field merge. */
  readonly isMerged: boolean;
  /** The fields that tell elements apart; none for lists of plain values. */
  readonly keys: readonly string[];
  field(name: string): MergeType | undefined;
  element(): MergeType | undefined;
}

const builtinVersion = "v1.21.2";
const builtinClusterKinds = new Set(facts.clusterScoped);
const builtinKinds: Readonly<Record<string, string>> = facts.kinds;
const builtinTypes: Readonly<Record<string, Readonly<Record<string, string>>>> = facts.types;
const builtinNamespacedKinds = new Set(facts.namespaced);

/** A type out of merge-facts.json; a field there reads `strategy:key,key>Type`. */
class BuiltinType implements MergeType {
  readonly isMerged: boolean;
  readonly keys: readonly string[];
  readonly #type: string | undefined;

  constructor(description: string) {
    const [rules = "", type] = description.split(">");
    const [strategy = "", keys = ""] = rules.split(":");
    this.isMerged = strategy.split("+").includes("merge");
    this.keys = keys === "" ? [] : keys.split(",");
    this.#type = type;
  }

  field(name: string): MergeType | undefined {
    const fields = this.#type === undefined ? undefined : builtinTypes[this.#type];
    const description = fields !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined;
    return description === undefined ? undefined : new BuiltinType(description);
  }

  element(): MergeType | undefined {
    return this.#type === undefined ? undefined : new BuiltinType(`>${this.#type}`);
  }
}

const typeKey = (apiVersion: string, kind: string): string => `${apiVersion} ${kind}`;

/** A type out of the document an `openapi` field named. */
class SwaggerType implements MergeType {
  readonly isMerged: boolean;
  readonly keys: readonly string[];
  readonly #schema: PlainMap;
  readonly #definitions: PlainMap;

  constructor(schema: PlainMap, definitions: PlainMap) {
    this.#schema = schema;
    this.#definitions = definitions;
    const strategy = schema.get("x-kubernetes-patch-strategy");
    this.isMerged = typeof strategy === "string" && strategy.split(",").includes("merge");
    this.keys = this.isMerged ? mergeKeys(schema) : [];
  }

  field(name: string): MergeType | undefined {
    const properties = this.#schema.get("properties");
    const property = isPlainMap(properties) ? properties.get(name) : undefined;
    return this.#resolved(property ?? this.#schema.get("additionalProperties"));
  }

  element(): MergeType | undefined {
    return this.#schema.get("type") === "array" ? this.#resolved(this.#schema.get("items")) : undefined;
  }

  #resolved(schema: Plain | undefined): MergeType | undefined {
    let current = schema;
    for (let hops = 0; isPlainMap(current) && hops < 32; hops += 1) {
      const reference = current.get("$ref");
      if (typeof reference !== "string") return new SwaggerType(current, this.#definitions);
      current = this.#definitions.get(reference.replace("#/definitions/", ""));
    }
    return undefined;
  }
}

function mergeKeys(schema: PlainMap): string[] {
  const list = schema.get("x-kubernetes-list-map-keys");
  if (Array.isArray(list)) return list.map(String);
  const key = schema.get("x-kubernetes-patch-merge-key");
  return typeof key === "string" ? [key] : [];
}

/** The types one render knows. Like kustomize's, they depend on what was asked before an `openapi` field was seen. */
export class Schemas implements Scopes {
  #version = "";
  #custom: PlainMap | undefined;
  #isReady = false;
  #isBuiltinWanted = false;
  readonly #types = new Map<string, MergeType>();
  readonly #namespaced = new Map<string, boolean>();

  /** Takes an `openapi` field; only the first one that says something counts, unless it is the root's. */
  use(openapi: ReadonlyMap<string, string>, document: string | undefined, isRoot: boolean): void {
    if ((this.#version !== "" || this.#custom !== undefined) && !isRoot) return;
    const version = openapi.get("version");
    if (document !== undefined) {
      if (version !== undefined) throw new RenderError("builtin version and custom schema provided, cannot use both");
      this.#custom = readSwagger(document);
      this.#version = "custom";
      this.#isReady = false;
      return;
    }
    this.#version = version ?? "";
    if (this.#version === "") return;
    if (this.#version !== builtinVersion) throw new RenderError("the specified OpenAPI version is not built in");
    this.#custom = undefined;
    this.#isReady = false;
  }

  typeOf(apiVersion: string, kind: string): MergeType | undefined {
    this.#prepare();
    return this.#types.get(typeKey(apiVersion, kind));
  }

  isClusterScoped(apiVersion: string, kind: string): boolean {
    const key = typeKey(apiVersion, kind);
    if (builtinClusterKinds.has(key)) return true;
    if (builtinNamespacedKinds.has(key)) return false;
    if (!this.#isReady) {
      if (this.#custom !== undefined) this.#prepare();
      else this.#isBuiltinWanted = true;
    }
    return this.#namespaced.get(key) === false;
  }

  #prepare(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    if (this.#custom === undefined) this.#addBuiltin();
    else this.#addCustom(this.#custom);
    if (this.#isBuiltinWanted) this.#addBuiltin();
  }

  #addBuiltin(): void {
    this.#isBuiltinWanted = false;
    for (const [key, type] of Object.entries(builtinKinds)) this.#types.set(key, new BuiltinType(`>${type}`));
  }

  #addCustom(swagger: PlainMap): void {
    const definitions = swagger.get("definitions");
    if (isPlainMap(definitions))
      for (const schema of definitions.values())
        if (isPlainMap(schema))
          for (const key of kindsOf(schema)) this.#types.set(key, new SwaggerType(schema, definitions));
    const paths = swagger.get("paths");
    if (isPlainMap(paths)) for (const [path, item] of paths) this.#addPath(path, item);
  }

  #addPath(path: string, item: Plain): void {
    const get = isPlainMap(item) ? item.get("get") : undefined;
    const gvk = isPlainMap(get) ? get.get("x-kubernetes-group-version-kind") : undefined;
    const key = isPlainMap(gvk) ? kindKey(gvk) : undefined;
    if (key === undefined) return;
    if (path.includes("namespaces/{namespace}")) this.#namespaced.set(key, true);
    else if (!this.#namespaced.has(key)) this.#namespaced.set(key, false);
  }
}

function kindKey(gvk: PlainMap): string | undefined {
  const [group, version, kind] = [gvk.get("group"), gvk.get("version"), gvk.get("kind")];
  if (typeof version !== "string" || typeof kind !== "string") return undefined;
  return typeKey(typeof group === "string" && group !== "" ? `${group}/${version}` : version, kind);
}

function kindsOf(schema: PlainMap): string[] {
  const list = schema.get("x-kubernetes-group-version-kind");
  if (!Array.isArray(list)) return [];
  return list.flatMap((gvk) => (isPlainMap(gvk) ? (kindKey(gvk) ?? []) : []));
}

function readSwagger(document: string): PlainMap {
  const swagger = document === "" ? new Map() : readConfig(document);
  if (!isPlainMap(swagger)) throw new RenderError("invalid schema file");
  return swagger;
}
