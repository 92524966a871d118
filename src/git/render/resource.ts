/**
 * One object on its way through the transformers: its YAML tree and what kustomize notes about it (former names, prefixes, whether a
 * hash is wanted). Users and patches may write such notes as `internal.config.kubernetes.io` annotations, so they are moved between
 * tree and notes where that can be seen.
 */
import { type Gvk, makeId, type ObjectId, parseApiVersion } from "./gvk.ts";
import type { Scopes } from "./schema.ts";
import { fieldOf, lookup, pairsOf, removeField, setField, setStringMap, stringMapOf } from "./yaml/fields.ts";
import { copyNode, isEmptyNode, newScalar, newString, type YamlNode } from "./yaml/yaml-node.ts";

const domain = "internal.config.kubernetes.io";
const note = {
  previousKinds: `${domain}/previousKinds`,
  previousNames: `${domain}/previousNames`,
  previousNamespaces: `${domain}/previousNamespaces`,
  prefixes: `${domain}/prefixes`,
  suffixes: `${domain}/suffixes`,
  refBy: `${domain}/refBy`,
  behavior: `${domain}/generatorBehavior`,
  needsHash: `${domain}/needsHashSuffix`,
  allowNameChange: `${domain}/allowNameChange`,
  allowKindChange: `${domain}/allowKindChange`,
} as const;
type Note = keyof typeof note;

/** Annotations that never reach the output. */
const buildAnnotations: ReadonlySet<string> = new Set([
  ...Object.values(note),
  `${domain}/path`,
  `${domain}/index`,
  `${domain}/seqindent`,
  `${domain}/id`,
  `${domain}/annotations-migration-resource-id`,
  `${domain}/helm-generated`,
  "config.kubernetes.io/path",
  "config.kubernetes.io/index",
  "config.k8s.io/id",
]);
const notesByAnnotation = new Map<string, Note>((Object.keys(note) as Note[]).map((name) => [note[name], name]));

export const originAnnotation = "config.kubernetes.io/origin";
export const transformationsAnnotation = "alpha.config.kubernetes.io/transformations";

export type Behavior = "unspecified" | "create" | "replace" | "merge";

/** Where an object came from, for people: the file, and the generator or transformer when it was not written there as it is. */
export interface ResourceSource {
  readonly file: string;
  readonly generator?: string;
}

export class Resource {
  /** Undefined once a patch has deleted the object. */
  root: YamlNode | undefined;
  readonly source: ResourceSource;
  variableNames: string[] = [];
  readonly #scopes: Scopes;
  #notes = new Map<Note, string>();
  #previousIds: ObjectId[] | undefined;

  constructor(root: YamlNode, source: ResourceSource, scopes: Scopes) {
    this.root = root;
    this.source = source;
    this.#scopes = scopes;
    this.takeNotes();
  }

  get isEmpty(): boolean {
    return isEmptyNode(this.root);
  }

  get kind(): string {
    return fieldOf(this.root, "kind")?.value ?? "";
  }

  get apiVersion(): string {
    return fieldOf(this.root, "apiVersion")?.value ?? "";
  }

  get gvk(): Gvk {
    const { group, version } = parseApiVersion(this.apiVersion);
    return { group, version, kind: this.kind };
  }

  get name(): string {
    return this.#metadataText("name");
  }

  get namespace(): string {
    return this.#metadataText("namespace");
  }

  #metadataText(field: string): string {
    const metadata = fieldOf(this.root, "metadata");
    const value = isEmptyNode(metadata) ? undefined : fieldOf(metadata, field);
    return value === undefined || isEmptyNode(value) ? "" : value.value;
  }

  get id(): ObjectId {
    return makeId(this.gvk, this.name, this.namespace, this.#scopes);
  }

  get originalId(): ObjectId {
    return this.previousIds[0] ?? this.id;
  }

  /** Every identity the object had before its current one, the oldest first. */
  get previousIds(): readonly ObjectId[] {
    this.#previousIds ??= this.#readPreviousIds();
    return this.#previousIds;
  }

  #readPreviousIds(): ObjectId[] {
    const names = this.#notes.get("previousNames");
    if (names === undefined) return [];
    const namespaces = (this.#notes.get("previousNamespaces") ?? "").split(",");
    const kinds = (this.#notes.get("previousKinds") ?? "").split(",");
    const { group, version } = this.gvk;
    return names
      .split(",")
      .map((name, index) =>
        makeId({ group, version, kind: kinds[index] ?? "" }, name, namespaces[index] ?? "", this.#scopes),
      );
  }

  storePreviousId(): void {
    const { effectiveNamespace, name, kind } = this.id;
    this.#append("previousNames", name);
    this.#append("previousNamespaces", effectiveNamespace);
    this.#append("previousKinds", kind);
  }

  #append(key: Note, value: string): void {
    if (value === "") return;
    const old = this.#notes.get(key);
    this.#setNote(key, old === undefined ? value : `${old},${value}`);
  }

  #setNote(key: Note, value: string): void {
    this.#notes.set(key, value);
    this.#previousIds = undefined;
  }

  get prefixes(): readonly string[] {
    return this.#notes.get("prefixes")?.split(",") ?? [];
  }

  get suffixes(): readonly string[] {
    return this.#notes.get("suffixes")?.split(",") ?? [];
  }

  addPrefix(prefix: string): void {
    this.#append("prefixes", prefix);
  }

  addSuffix(suffix: string): void {
    this.#append("suffixes", suffix);
  }

  get needsHash(): boolean {
    return this.#notes.get("needsHash") === "enabled";
  }

  wantHash(): void {
    this.#setNote("needsHash", "enabled");
  }

  get behavior(): Behavior {
    const text = this.#notes.get("behavior");
    return text === "create" || text === "replace" || text === "merge" ? text : "unspecified";
  }

  set behavior(behavior: Behavior) {
    this.#setNote("behavior", behavior);
  }

  get mayChangeName(): boolean {
    return this.#notes.get("allowNameChange") === "enabled";
  }

  get mayChangeKind(): boolean {
    return this.#notes.get("allowKindChange") === "enabled";
  }

  allowNameChange(): void {
    this.#makeAnnotationsText();
    this.#setNote("allowNameChange", "enabled");
  }

  allowKindChange(): void {
    this.#makeAnnotationsText();
    this.#setNote("allowKindChange", "enabled");
  }

  /** In kustomize the marks are annotations, and writing one makes text of all; a null map is gone. */
  #makeAnnotationsText(): void {
    this.setAnnotations(this.annotations);
  }

  setName(name: string): void {
    setField(lookup(this.root!, ["metadata"], "mapping")!, "name", newScalar(name));
  }

  setNamespace(namespace: string): void {
    const metadata = lookup(this.root!, ["metadata"]);
    if (namespace !== "") setField(lookup(this.root!, ["metadata"], "mapping")!, "namespace", newScalar(namespace));
    else if (metadata !== undefined) removeField(metadata, "namespace");
  }

  setKind(kind: string): void {
    setField(this.root!, "kind", newScalar(kind));
    this.#previousIds = undefined;
  }

  setGvk({ group, version, kind }: Gvk): void {
    this.setKind(kind);
    setField(this.root!, "apiVersion", newScalar(group === "" ? version : `${group}/${version}`));
  }

  get labels(): Map<string, string> {
    return this.#stringMap("labels");
  }

  get annotations(): Map<string, string> {
    return this.#stringMap("annotations");
  }

  #stringMap(field: string): Map<string, string> {
    const metadata = fieldOf(this.root, "metadata");
    return isEmptyNode(metadata) ? new Map() : stringMapOf(fieldOf(metadata, field));
  }

  setLabels(labels: ReadonlyMap<string, string>): void {
    setStringMap(this.root!, "labels", labels);
  }

  setAnnotations(annotations: ReadonlyMap<string, string>): void {
    setStringMap(this.root!, "annotations", annotations);
  }

  /** Writes the notes into the tree as annotations, for a patch to see. */
  showNotes(): void {
    if (this.#notes.size === 0) return;
    const target = lookup(this.root!, ["metadata", "annotations"], "mapping")!;
    for (const [key, value] of this.#notes) setField(target, note[key], newString(value));
  }

  /** Takes the notes out of the tree; what a patch removed is forgotten. */
  takeNotes(): void {
    this.#notes = new Map();
    this.#previousIds = undefined;
    const annotations = fieldOf(fieldOf(this.root, "metadata"), "annotations");
    if (annotations?.kind !== "mapping") return;
    const kept: YamlNode[] = [];
    for (const [key, value] of pairsOf(annotations)) {
      const name = notesByAnnotation.get(key.value);
      if (name === undefined) kept.push(key, value);
      else this.#notes.set(name, value.value);
    }
    if (kept.length < annotations.content.length) annotations.content = kept;
  }

  /** The notes as the annotations they would be. */
  get shownNotes(): Map<string, string> {
    return new Map(Array.from(this.#notes, ([key, value]) => [note[key], value]));
  }

  hasNotes(): boolean {
    return this.#notes.size > 0;
  }

  /** Takes over the metadata of an object this one replaces or is merged into. */
  inheritMetadata(other: Resource): void {
    this.setLabels(new Map([...other.labels, ...this.labels]));
    const wantsHash = this.needsHash;
    this.setAnnotations(
      new Map([...other.annotations, ...this.annotations].filter(([key]) => isInherited(key, other))),
    );
    this.#notes = new Map(other.#notes);
    if (!wantsHash) this.#notes.delete("needsHash");
    this.#previousIds = undefined;
    this.setName(other.name);
    this.setNamespace(other.namespace);
    this.variableNames = [...other.variableNames];
  }

  copy(): Resource {
    const copy = new Resource(copyNode(this.root!), this.source, this.#scopes);
    copy.#notes = new Map(this.#notes);
    copy.variableNames = [...this.variableNames];
    return copy;
  }

  /** Makes annotations final: strings only, none of kustomize's own, no empty map. */
  finishAnnotations(keepsOrigin: boolean, keepsTransformations: boolean): void {
    const annotations = this.annotations;
    const hadAny = annotations.size > 0 || this.hasNotes();
    for (const key of annotations.keys()) if (buildAnnotations.has(key)) annotations.delete(key);
    if (!keepsOrigin) annotations.delete(originAnnotation);
    if (!keepsTransformations) annotations.delete(transformationsAnnotation);
    if (hadAny || !keepsOrigin || !keepsTransformations) this.setAnnotations(annotations);
  }
}

/** kustomize's own annotations come from the other object alone. */
const isInherited = (key: string, other: Resource): boolean => !buildAnnotations.has(key) || other.annotations.has(key);
