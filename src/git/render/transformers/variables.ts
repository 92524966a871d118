/** The deprecated `vars`: `$(NAME)` in certain fields is replaced by the value of a field of some object. */
import { type FieldSpec, visitFieldSpec } from "#git/render/field-spec.ts";
import { idKey, isSameGvk, makeId, type ObjectId, parseApiVersion } from "#git/render/gvk.ts";
import type { Variable } from "#git/render/kustomization.ts";
import { RenderError } from "#git/render/render-error.ts";
import type { ResourceList } from "#git/render/resource-list.ts";
import { lookup } from "#git/render/yaml/fields.ts";
import { isMissingOrNull, isStringScalar, Style, type YamlNode } from "#git/render/yaml/yaml-node.ts";
import { smartPath } from "./field-path.ts";

const namespacedOnly = { isClusterScoped: (): boolean => false };

export interface NamedVariable {
  readonly name: string;
  readonly fieldPath: string;
}

/** Marks the objects that variables refer to, by the names they have at this point. */
export function markVariables(list: ResourceList, variables: readonly Variable[]): NamedVariable[] {
  return variables.map((variable) => {
    const name = variable.name ?? "";
    const matches = list.whereAnyId(matcherOf(variable));
    if (matches.length > 1)
      throw new RenderError(`found ${matches.length} resId matches for var ${name} (unable to disambiguate)`);
    matches[0]?.variableNames.push(name);
    return { name, fieldPath: variable.fieldref?.fieldPath || "metadata.name" };
  });
}

function matcherOf({ objref = {} }: Variable): (id: ObjectId) => boolean {
  const { apiVersion = "", group = "", version = "", kind = "", name = "", namespace = "" } = objref;
  const parsed = apiVersion === "" ? { group, version } : parseApiVersion(apiVersion);
  const wanted = makeId(
    { group: parsed.group || group, version: parsed.version, kind },
    name,
    namespace,
    namespacedOnly,
  );
  if (namespace === "") return (id) => id.name === name && isSameGvk(id, wanted);
  return (id) => idKey(id) === idKey(wanted);
}

export class VariableSet {
  readonly #variables = new Map<string, NamedVariable>();

  add(variables: Iterable<NamedVariable>): void {
    for (const variable of variables) {
      if (this.#variables.has(variable.name)) throw new RenderError(`var '${variable.name}' already encountered`);
      this.#variables.set(variable.name, variable);
    }
  }

  all(): NamedVariable[] {
    return [...this.#variables.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }
}

type VariableValue = string | number | bigint | boolean | YamlNode;

export function resolveVariables(list: ResourceList, variables: VariableSet, specs: readonly FieldSpec[]): void {
  const values = new Map<string, VariableValue>();
  for (const variable of variables.all()) values.set(variable.name, valueOf(list, variable));
  if (values.size === 0) return;
  const replacer = new Replacer(values);
  for (const item of list.items)
    for (const spec of specs) visitFieldSpec(item.root!, spec, { set: (node) => replacer.visit(node) });
}

function valueOf(list: ResourceList, { name, fieldPath }: NamedVariable): VariableValue {
  const item = list.items.find(({ variableNames }) => variableNames.includes(name));
  if (item === undefined)
    throw new RenderError(`var '${name}' cannot be mapped to a field in the set of known resources`);
  let node: YamlNode | undefined;
  try {
    node = lookup(item.root!, smartPath(fieldPath).flatMap(splitPosition));
  } catch {
    node = undefined;
  }
  if (node === undefined) throw new RenderError(`field specified in var '${name}' not found in corresponding resource`);
  return node.kind === "scalar" ? scalarValue(node, name) : node;
}

/** `containers[0]` is two steps. */
function splitPosition(part: string): string[] {
  const match = /^(.*)\[(\d+)\]$/.exec(part);
  if (match === null) return [part];
  return match[1] === "" ? [match[2]!] : [match[1]!, match[2]!];
}

function scalarValue(node: YamlNode, name: string): VariableValue {
  const { tag, value } = node;
  const refuse = (): never => {
    throw new RenderError(`field specified in var '${name}' not found in corresponding resource`);
  };
  if (tag === "!!int") return /^[-+]?\d+$/.test(value) ? BigInt(value.replace("+", "")) : refuse();
  if (tag === "!!float") return Number.isFinite(Number(value)) ? Number(value) : refuse();
  if (tag === "!!bool") return /^(t|true|TRUE|True|1)$/.test(value);
  return value;
}

class Replacer {
  readonly #values: ReadonlyMap<string, VariableValue>;

  constructor(values: ReadonlyMap<string, VariableValue>) {
    this.#values = values;
  }

  visit(node: YamlNode): void {
    if (isMissingOrNull(node)) return;
    if (node.kind === "scalar") this.#replace(node);
    else if (node.kind === "mapping")
      for (let index = 1; index < node.content.length; index += 2) {
        const key = node.content[index - 1]!;
        if (!isStringScalar(key)) throw new RenderError(`invalid map key: value='${key.value}', tag='${key.tag}'`);
        this.#replace(node.content[index]!);
      }
    else
      for (const element of node.content) {
        if (!isStringScalar(element)) throw new RenderError("invalid value type expect a string");
        this.#replace(element);
      }
  }

  #replace(node: YamlNode): void {
    if (!isStringScalar(node)) return;
    const value = this.#expand(node.value);
    node.style = Style.plain;
    node.value = wordOf(value);
    node.tag =
      typeof value === "string"
        ? "!!str"
        : typeof value === "boolean"
          ? "!!bool"
          : typeof value === "bigint"
            ? "!!int"
            : "!!float";
  }

  /** A text that is one reference keeps the type of the value; inside of text values are put as words. */
  #expand(text: string): string | number | bigint | boolean {
    const whole = /^\$\(([^)]*)\)$/.exec(text);
    if (whole !== null) return this.#mapped(whole[1]!);
    return text.replace(/\$(?:\$|\(([^)]*)\))/g, (found, name: string | undefined) =>
      found === "$$" ? "$" : wordOf(this.#mapped(name!)),
    );
  }

  #mapped(name: string): string | number | bigint | boolean {
    const value = this.#values.get(name);
    return value === undefined || typeof value === "object" ? `$(${name})` : value;
  }
}

const wordOf = (value: string | number | bigint | boolean): string => String(value);
