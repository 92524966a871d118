/** Field specs: paths of fields a transformer writes, for kinds they hold for; they walk through lists by themselves. */
import { compareGvks, type Gvk, isGvkSelected, parseApiVersion } from "./gvk.ts";
import { during, RenderError } from "./render-error.ts";
import { fieldOf, lookup } from "./yaml/fields.ts";
import { isNull, type NodeKind, type YamlNode } from "./yaml/yaml-node.ts";

export interface FieldSpec extends Gvk {
  readonly path: string;
  readonly create: boolean;
}

export const makeFieldSpec = (path: string, create = false, gvk: Partial<Gvk> = {}): FieldSpec => ({
  group: gvk.group ?? "",
  version: gvk.version ?? "",
  kind: gvk.kind ?? "",
  path,
  create,
});

/** Adds specs that are not covered yet; the same path with another `create` is a conflict. */
export function mergeFieldSpecs(known: readonly FieldSpec[], added: readonly FieldSpec[]): FieldSpec[] {
  const result = [...known];
  for (const spec of added) {
    const same = result.find((other) => other.path === spec.path && isGvkSelected(other, spec));
    if (same === undefined) result.push(spec);
    else if (same.create !== spec.create) throw new RenderError("conflicting fieldspecs");
  }
  return result;
}

export const sortedByGvk = <Item extends Gvk>(items: readonly Item[]): Item[] => items.toSorted(compareGvks);

/** Splits at slashes (or another delimiter); a backslash before one makes it part of the name. */
export function splitPath(path: string, delimiter = "/"): string[] {
  const pieces = path.split(delimiter);
  if (pieces.length > 1 && pieces[0] === "") pieces.shift();
  const result: string[] = [];
  for (const piece of pieces) {
    const last = result.at(-1);
    if (last?.endsWith("\\") === true) result[result.length - 1] = `${last.slice(0, -1)}${delimiter}${piece}`;
    else result.push(piece);
  }
  return result;
}

export interface FieldVisit {
  readonly set: (node: YamlNode) => void;
  /** The kind a missing last field is made with, where the spec says `create`. */
  readonly createKind?: NodeKind;
  readonly createTag?: string;
}

/** Calls `visit.set` for every field of the object that the spec reaches. */
export function visitFieldSpec(root: YamlNode, spec: FieldSpec, visit: FieldVisit): void {
  const kind = fieldOf(root, "kind")?.value ?? "";
  const gvk = { ...parseApiVersion(fieldOf(root, "apiVersion")?.value ?? ""), kind };
  if (!isGvkSelected(gvk, spec)) return;
  during(`considering field '${spec.path}' of object ${kind}`, () => descend(root, splitPath(spec.path), spec, visit));
}

function descend(node: YamlNode, path: readonly string[], spec: FieldSpec, visit: FieldVisit): void {
  if (path.length === 0) return visit.set(node);
  if (isNull(node)) return;
  if (node.kind === "sequence") for (const element of node.content) descend(element, path, spec, visit);
  else if (node.kind === "mapping") descendField(node, path, spec, visit);
  else throw new RenderError("expected sequence or mapping node");
}

function descendField(node: YamlNode, path: readonly string[], spec: FieldSpec, visit: FieldVisit): void {
  const [part = "", ...rest] = path;
  const isSequence = part.endsWith("[]");
  const name = isSequence ? part.slice(0, -2) : part;
  if (name === "") throw new RenderError("cannot set or create an empty field name");
  const isCreated = spec.create && visit.createKind !== undefined && !isSequence;
  const made: { kind: NodeKind; tag: string } | undefined = isSequence
    ? { kind: "sequence", tag: "" }
    : !isCreated
      ? undefined
      : rest.length === 0
        ? { kind: visit.createKind, tag: visit.createTag ?? "" }
        : { kind: "mapping", tag: "!!map" };
  const field = lookup(node, [name], isCreated ? made!.kind : undefined);
  if (field === undefined) return;
  if (isNull(field) && made !== undefined) {
    field.kind = made.kind;
    field.tag = made.tag;
  }
  descend(field, rest, spec, visit);
}
