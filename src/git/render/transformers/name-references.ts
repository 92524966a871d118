/** Repairs references: where an object names another whose name or namespace has changed, the new one is written. */
import type { NameReference } from "#git/render/default-field-specs.ts";
import { type FieldSpec, visitFieldSpec } from "#git/render/field-spec.ts";
import { clusterNamespace, type Gvk, idText, isGvkSelected, type ObjectId } from "#git/render/gvk.ts";
import { during, RenderError } from "#git/render/render-error.ts";
import type { Resource } from "#git/render/resource.ts";
import { fieldOf, requireField, setField, setScalar } from "#git/render/yaml/fields.ts";
import { isMissingOrNull, newScalar, type YamlNode } from "#git/render/yaml/yaml-node.ts";
import type { Transform } from "./transformer.ts";

interface Candidate {
  readonly resource: Resource;
  readonly id: ObjectId;
  readonly originalId: ObjectId;
  readonly previousIds: readonly ObjectId[];
}

const candidateOf = (resource: Resource): Candidate => {
  const { id, previousIds } = resource;
  return { resource, id, previousIds, originalId: previousIds[0] ?? id };
};

export function nameReferenceTransform(references: readonly NameReference[]): Transform {
  return (list) => {
    const candidates = list.items.map(candidateOf);
    if (candidates.every(({ previousIds }) => previousIds.length === 0)) return;
    const byName = indexByPreviousName(candidates);
    const specsByKind = new ReferenceIndex(references);
    for (const referrer of candidates)
      new Repair(referrer, candidates, byName).run(specsByKind.of(referrer.originalId));
  };
}

function indexByPreviousName(candidates: readonly Candidate[]): Map<string, Candidate[]> {
  const index = new Map<string, Candidate[]>();
  for (const candidate of candidates)
    for (const name of new Set(candidate.previousIds.map((id) => id.name)))
      index.set(name, [...(index.get(name) ?? []), candidate]);
  return index;
}

interface Reference {
  readonly target: Gvk;
  readonly spec: FieldSpec;
}

/** The references an object of some kind may hold, worked out once for each kind. */
class ReferenceIndex {
  readonly #references: readonly Reference[];
  readonly #byGvk = new Map<string, readonly Reference[]>();

  constructor(references: readonly NameReference[]) {
    this.#references = references.flatMap((target) => target.referrers.map((spec) => ({ target, spec })));
  }

  of(gvk: Gvk): readonly Reference[] {
    const key = `${gvk.group}|${gvk.version}|${gvk.kind}`;
    const known = this.#byGvk.get(key) ?? this.#references.filter(({ spec }) => isGvkSelected(gvk, spec));
    this.#byGvk.set(key, known);
    return known;
  }
}

/** Repairs the references of one object. */
class Repair {
  readonly #referrer: Candidate;
  readonly #all: readonly Candidate[];
  readonly #byName: ReadonlyMap<string, readonly Candidate[]>;
  #bindingNamespaces: ReadonlySet<string> | undefined;

  constructor(referrer: Candidate, all: readonly Candidate[], byName: ReadonlyMap<string, readonly Candidate[]>) {
    this.#referrer = referrer;
    this.#all = all;
    this.#byName = byName;
  }

  run(references: readonly Reference[]): void {
    const { resource, id } = this.#referrer;
    this.#bindingNamespaces = bindingNamespaces(resource);
    const { kind, apiVersion } = resource;
    for (const { target, spec } of references) {
      const own: FieldSpec = { group: "", version: "", kind: "", path: spec.path, create: spec.create };
      if (apiVersion === "" && kind === "") continue;
      during(`updating name reference in '${spec.path}' field of '${idText(id)}'`, () =>
        visitFieldSpec(resource.root!, own, { set: (node) => this.#set(node, target, spec.path) }),
      );
    }
  }

  #set(node: YamlNode, target: Gvk, path: string): void {
    if (isMissingOrNull(node)) return;
    if (node.kind === "scalar") this.#setName(node, target, path);
    else if (node.kind === "mapping") this.#setNameAndNamespace(node, target, path);
    else
      for (const element of node.content) {
        if (isMissingOrNull(element)) continue;
        if (element.kind === "scalar") this.#setName(element, target, path);
        else if (element.kind === "mapping") this.#setNameAndNamespace(element, target, path);
        else throw new RenderError("expected to be either a string or a map of string");
      }
  }

  #setName(node: YamlNode, target: Gvk, path: string): void {
    const found = this.#choose(node.value, undefined, target, path, isSameName);
    if (found !== undefined && found.resource.name !== node.value) setScalar(node, newScalar(found.resource.name));
  }

  #setNameAndNamespace(node: YamlNode, target: Gvk, path: string): void {
    const nameNode = requireField(node, "name");
    if (nameNode === undefined) throw new RenderError("path config error; no 'name' field in node");
    const namespace = fieldOf(node, "namespace");
    const found = this.#choose(nameNode.value, namespace?.value, target, path, isSameNameAndNamespace);
    if (found === undefined) return;
    const { name, namespace: newNamespace } = found.resource;
    if (name === nameNode.value && newNamespace === "") return;
    setField(node, "name", newScalar(name));
    if (newNamespace !== "") setField(node, "namespace", newScalar(newNamespace));
  }

  #choose(
    name: string,
    namespace: string | undefined,
    target: Gvk,
    path: string,
    areSame: (left: Resource, right: Resource) => boolean,
  ): Candidate | undefined {
    const named = this.#byName.get(name);
    if (named === undefined) return undefined;
    const roleRef = path.endsWith("roleRef/name") ? roleRefOf(this.#referrer.resource) : undefined;
    const reachable = named.filter((candidate) => this.#canReach(candidate));
    let found = this.#inNamespace(reachable, namespace)
      .filter(({ previousIds }) => previousIds.some((id) => isGvkSelected(id, target)))
      .filter(({ previousIds }) => roleRef === undefined || previousIds.some((id) => isGvkSelected(id, roleRef)))
      .filter((candidate) => this.#isNear(candidate));
    if (found.length === 1) return found[0];
    found = found.filter(({ resource }) => hasSameAffixes(resource, this.#referrer.resource, true));
    if (found.length > 1)
      found = found.filter(({ resource }) => hasSameAffixes(resource, this.#referrer.resource, false));
    const [first, ...others] = found;
    if (first === undefined || others.every(({ resource }) => areSame(first.resource, resource))) return first;
    throw new RenderError(`found multiple possible referrals: ${found.map(({ id }) => idText(id)).join(", ")}`);
  }

  /** Candidates of a written namespace: of those that were in it first, else of those that are. */
  #inNamespace(named: readonly Candidate[], namespace: string | undefined): readonly Candidate[] {
    if (namespace === undefined) return named;
    const isOriginal = this.#all.some(
      (candidate) => candidate.originalId.effectiveNamespace === namespace && this.#canReach(candidate),
    );
    if (namespace === clusterNamespace) return [];
    return named.filter(({ originalId, id }) => (isOriginal ? originalId : id).effectiveNamespace === namespace);
  }

  #canReach(candidate: Candidate): boolean {
    const own = this.#referrer.id.effectiveNamespace;
    const other = candidate.id.effectiveNamespace;
    if (own === clusterNamespace || other === clusterNamespace || own === other) return true;
    return this.#bindingNamespaces?.has(candidate.resource.namespace) === true;
  }

  #isNear(candidate: Candidate): boolean {
    const own = this.#referrer.id.effectiveNamespace;
    const other = candidate.id.effectiveNamespace;
    const isFree = own === clusterNamespace || other === clusterNamespace || candidate.id.kind === "ServiceAccount";
    return isFree || own === other;
  }
}

const isSameName = (left: Resource, right: Resource): boolean => left.name === right.name;
const isSameNameAndNamespace = (left: Resource, right: Resource): boolean =>
  left.name === right.name && left.namespace === right.namespace;

/** A role binding may name service accounts of other namespaces. */
function bindingNamespaces(resource: Resource): ReadonlySet<string> | undefined {
  if (resource.kind !== "RoleBinding") return undefined;
  const subjects = fieldOf(resource.root, "subjects");
  if (subjects?.kind !== "sequence") return undefined;
  const namespaces = new Set<string>();
  for (const subject of subjects.content) {
    const namespace = fieldOf(subject, "namespace");
    if (namespace === undefined || fieldOf(subject, "kind")?.value !== "ServiceAccount") continue;
    if (isMissingOrNull(namespace))
      throw new RenderError(`Invalid Input: namespace is blank for resource "${idText(resource.id)}"`);
    namespaces.add(namespace.value);
  }
  return namespaces;
}

function roleRefOf(resource: Resource): Partial<Gvk> | undefined {
  const roleRef = fieldOf(resource.root, "roleRef");
  const [group, kind] = [fieldOf(roleRef, "apiGroup")?.value, fieldOf(roleRef, "kind")?.value];
  return group === undefined || kind === undefined ? undefined : { group, kind };
}

function hasSameAffixes(left: Resource, right: Resource, mayBeMissing: boolean): boolean {
  const isGood = (mine: readonly string[], other: readonly string[]): boolean =>
    (mayBeMissing && (mine.length === 0 || other.length === 0)) || endsAlike(mine, other);
  return isGood(left.prefixes, right.prefixes) && isGood(left.suffixes, right.suffixes);
}

/** Whether the shorter list is the end of the longer one; an empty list is only the end of an empty one. */
function endsAlike(left: readonly string[], right: readonly string[]): boolean {
  const [short, long] = left.length <= right.length ? [left, right] : [right, left];
  if (short.length === 0) return long.length === 0;
  const offset = long.length - short.length;
  return short.every((item, index) => item === long[index + offset]);
}
