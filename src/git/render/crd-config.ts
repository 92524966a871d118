/** The `crds` field: OpenAPI definitions of own types whose `x-kubernetes-…` marks say where names, labels and references are. */
import { makeFieldSpec, mergeFieldSpecs } from "./field-spec.ts";
import { during, RenderError } from "./render-error.ts";
import { emptyConfig, mergeConfigs, type TransformerConfig } from "./transformer-config.ts";
import { readConfig } from "./yaml/config-value.ts";
import { isPlainMap, type Plain, type PlainMap } from "./yaml/value.ts";

export function crdConfig(path: string, content: string): TransformerConfig {
  const definitions = during(`unable to parse open API definition from '${path}'`, () => readDefinitions(content));
  let config = emptyConfig;
  for (const name of definitions.keys()) {
    const properties = propertiesOf(definitions, name);
    if (["kind", "apiVersion", "metadata"].every((field) => properties?.has(field) === true))
      config = mergeConfigs(config, definitionConfig(definitions, name));
  }
  return config;
}

function readDefinitions(content: string): PlainMap {
  const value = readConfig(content);
  if (!isPlainMap(value)) throw new RenderError("json: cannot unmarshal into a map of definitions");
  for (const definition of value.values())
    if (definition !== null && !isPlainMap(definition))
      throw new RenderError("json: cannot unmarshal into Go value of type accumulator.OpenAPIDefinition");
  return value;
}

const fieldIgnoringCase = (map: PlainMap, name: string): Plain | undefined =>
  map.get(name) ?? map.get([...map.keys()].find((key) => key.toLowerCase() === name.toLowerCase()) ?? "");

function propertiesOf(definitions: PlainMap, name: string): PlainMap | undefined {
  const definition = definitions.get(name);
  const schema = isPlainMap(definition) ? fieldIgnoringCase(definition, "Schema") : undefined;
  const properties = isPlainMap(schema) ? schema.get("properties") : undefined;
  return isPlainMap(properties) ? properties : undefined;
}

function definitionConfig(definitions: PlainMap, name: string): TransformerConfig {
  const found = new Found(name.split(".").at(-1)!);
  walk(definitions, name, [], found, new Set());
  return found.config;
}

class Found {
  config: TransformerConfig = emptyConfig;
  readonly #kind: string;

  constructor(kind: string) {
    this.#kind = kind;
  }

  add(field: "commonAnnotations" | "commonLabels" | "namePrefix", path: readonly string[]): void {
    const spec = makeFieldSpec(path.join("/"), false, { kind: this.#kind });
    this.config = { ...this.config, [field]: mergeFieldSpecs(this.config[field], [spec]) };
  }

  addReference(version: string, kind: string, path: readonly string[]): void {
    const referrers = [makeFieldSpec(path.join("/"), false, { kind: this.#kind })];
    const nameReferences = [{ group: "", version, kind, referrers }];
    this.config = mergeConfigs(this.config, { ...emptyConfig, nameReferences });
  }
}

const markOf = (property: PlainMap, mark: string): string | undefined => {
  const value = property.get(`x-kubernetes-${mark}`);
  return typeof value === "string" ? value : undefined;
};

function walk(definitions: PlainMap, name: string, path: readonly string[], found: Found, open: Set<string>): void {
  if (open.has(name)) throw new RenderError(`definition ${name} refers to itself`);
  open.add(name);
  for (const [field, property] of propertiesOf(definitions, name) ?? []) {
    if (!isPlainMap(property)) continue;
    const here = [...path, field];
    if (markOf(property, "annotation") !== undefined) found.add("commonAnnotations", here);
    if (markOf(property, "label-selector") !== undefined) found.add("commonLabels", here);
    if (markOf(property, "identity") !== undefined) found.add("namePrefix", here);
    const [version, kind] = [markOf(property, "object-ref-api-version"), markOf(property, "object-ref-kind")];
    if (version !== undefined && kind !== undefined)
      found.addReference(version, kind, [...here, markOf(property, "object-ref-name-key") ?? "name"]);
    const reference = property.get("$ref");
    if (typeof reference === "string") walk(definitions, reference, here, found, open);
  }
  open.delete(name);
}
