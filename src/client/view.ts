/** The cluster as it is seen at one moment, read-only. Planners get this and nothing else. */
import { apiVersionOf, type KubernetesObject, type OwnerReference } from "#api/object.ts";
import { deepFreeze } from "./cache.ts";
import { defineIndex, ObjectSet, type Index } from "./object-set.ts";
import type { ObjectKey, ResourceRef } from "./resource-path.ts";

export interface View {
  get<T extends KubernetesObject>(ref: ResourceRef<T>, key: ObjectKey): T | undefined;
  byUid<T extends KubernetesObject>(ref: ResourceRef<T>, uid: string): T | undefined;
  /** All objects of a kind, or those of one namespace. */
  list<T extends KubernetesObject>(ref: ResourceRef<T>, namespace?: string): readonly T[];
  /** What this owner controls. */
  ownedBy<T extends KubernetesObject>(owner: KubernetesObject, ref: ResourceRef<T>): readonly T[];
  byIndex<T extends KubernetesObject>(ref: ResourceRef<T>, index: Index<T>, value: string): readonly T[];
  /** Objects of a namespace that have all these labels; with no labels all of them. */
  byLabels<T extends KubernetesObject>(
    ref: ResourceRef<T>,
    namespace: string,
    labels: Readonly<Record<string, string>>,
  ): readonly T[];
}

const byController = defineIndex("controller", (object) => {
  const uid = controllerOf(object)?.uid;
  return uid === undefined ? [] : [uid];
});

export function controllerOf({ metadata }: KubernetesObject): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true);
}

/** A view of whatever sets `objectsOf` returns. */
export function createView(objectsOf: <T extends KubernetesObject>(ref: ResourceRef<T>) => ObjectSet<T>): View {
  return {
    get: (ref, key) => objectsOf(ref).get(key),
    byUid: (ref, uid) => objectsOf(ref).byUid(uid),
    list: (ref, namespace) => objectsOf(ref).list(namespace),
    ownedBy: (owner, ref) => objectsOf(ref).byIndex(byController, owner.metadata.uid ?? ""),
    byIndex: (ref, index, value) => objectsOf(ref).byIndex(index, value),
    byLabels: (ref, namespace, labels) => objectsOf(ref).byLabels(namespace, labels),
  };
}

/** A view of given objects, frozen. Each says its apiVersion and kind; kinds that are not among them are empty. */
export function viewOf(objects: readonly KubernetesObject[]): View {
  const sets = new Map<string, ObjectSet<KubernetesObject>>();
  const setOf = (name: string): ObjectSet<KubernetesObject> => {
    const set = sets.get(name) ?? new ObjectSet();
    sets.set(name, set);
    return set;
  };
  for (const object of objects) setOf(`${object.apiVersion}/${object.kind}`).set(deepFreeze(object));
  return createView(
    <T extends KubernetesObject>(ref: ResourceRef<T>) =>
      setOf(`${apiVersionOf(ref)}/${ref.kind}`) as unknown as ObjectSet<T>,
  );
}
