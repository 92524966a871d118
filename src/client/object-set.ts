/**
 * The current objects of one kind with the indexes that somebody asked for. An index is built on first use and kept from
 * then on; a change costs as many steps as the object has index values. Not a copy: objects are shared and never changed.
 */
import type { KubernetesObject } from "#api/object.ts";
import { keyText, type ObjectKey } from "./resource-path.ts";

/** A way to find objects by a text; one constant each, the constant is its identity. */
export interface Index<T extends KubernetesObject> {
  readonly name: string;
  values(object: T): readonly string[];
}

/** Ties an index to its type. */
export function defineIndex<T extends KubernetesObject>(
  name: string,
  values: (object: T) => readonly string[],
): Index<T> {
  return { name, values };
}

const byNamespace = defineIndex("namespace", ({ metadata }) => [metadata.namespace ?? ""]);
const byUid = defineIndex("uid", ({ metadata }) => (metadata.uid === undefined ? [] : [metadata.uid]));
/** Every owner counts, also those that do not control. */
export const byOwner = defineIndex("owner", ({ metadata }) => [
  ...new Set((metadata.ownerReferences ?? []).map(({ uid }) => uid)),
]);
const byLabel = defineIndex("label", ({ metadata }) =>
  Object.entries(metadata.labels ?? {}).map(([key, value]) => labelText(metadata.namespace, key, value)),
);

/** How `byLabel`-like indexes write one label of one namespace. */
export function labelText(namespace: string | undefined, key: string, value: string): string {
  return `${namespace ?? ""}\0${key}\0${value}`;
}

export class ObjectSet<T extends KubernetesObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<Index<T>, Map<string, Map<string, T>>>();

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(keyText(key));
  }

  byUid(uid: string): T | undefined {
    return this.byIndex(byUid, uid)[0];
  }

  /** All objects, or those of one namespace. In no particular order. */
  list(namespace?: string): T[] {
    return namespace === undefined ? [...this.#objects.values()] : this.byIndex(byNamespace, namespace);
  }

  values(): IterableIterator<T> {
    return this.#objects.values();
  }

  byIndex(index: Index<T>, value: string): T[] {
    const found = this.#index(index).get(value);
    return found === undefined ? [] : [...found.values()];
  }

  /** Objects of a namespace that have all these labels. Looks through those with the rarest of them only. */
  byLabels(namespace: string, labels: Readonly<Record<string, string>>): T[] {
    const pairs = Object.entries(labels);
    if (pairs.length === 0) return this.list(namespace);
    const index = this.#index(byLabel);
    let rarest: Map<string, T> | undefined;
    for (const [key, value] of pairs) {
      const candidates = index.get(labelText(namespace, key, value));
      if (candidates === undefined) return [];
      if (rarest === undefined || candidates.size < rarest.size) rarest = candidates;
    }
    const found = [...(rarest?.values() ?? [])];
    return pairs.length === 1
      ? found
      : found.filter(({ metadata }) => pairs.every(([key, value]) => metadata.labels?.[key] === value));
  }

  /** Adds or replaces; returns what was there. */
  set(object: T): T | undefined {
    const key = keyText(object.metadata);
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const [index, entries] of this.#indexes) {
      if (old !== undefined) removeFrom(entries, index.values(old), key);
      addTo(entries, index.values(object), key, object);
    }
    return old;
  }

  delete(objectKey: ObjectKey): T | undefined {
    const key = keyText(objectKey);
    const old = this.#objects.get(key);
    if (old === undefined) return undefined;
    this.#objects.delete(key);
    for (const [index, entries] of this.#indexes) removeFrom(entries, index.values(old), key);
    return old;
  }

  #index(index: Index<T>): Map<string, Map<string, T>> {
    const known = this.#indexes.get(index);
    if (known !== undefined) return known;
    const built = new Map<string, Map<string, T>>();
    for (const [key, object] of this.#objects) addTo(built, index.values(object), key, object);
    this.#indexes.set(index, built);
    return built;
  }
}

function addTo<T>(entries: Map<string, Map<string, T>>, values: readonly string[], key: string, object: T): void {
  for (const value of values) {
    const bucket = entries.get(value);
    if (bucket === undefined) entries.set(value, new Map([[key, object]]));
    else bucket.set(key, object);
  }
}

function removeFrom<T>(entries: Map<string, Map<string, T>>, values: readonly string[], key: string): void {
  for (const value of values) {
    const bucket = entries.get(value);
    if (bucket?.delete(key) === true && bucket.size === 0) entries.delete(value);
  }
}
