/**
 * Objects as the scheduler has decided to write them, until the API server's own version of that comes back: the next pod
 * must not be given the same volume or device.
 */
import type { KubernetesObject } from "#api/object.ts";
import type { ResourceRef } from "#client/client.ts";
import type { ClusterCache } from "#client/cluster-cache.ts";
import { ObjectSet } from "#client/object-set.ts";
import { keyText, resourceName } from "#client/resource-path.ts";

interface Overlay {
  set: ObjectSet<KubernetesObject>;
  /** Keys whose object in the set is an assumed one, and how to tell that the server's has come to say the same. */
  assumed: Map<string, (object: KubernetesObject) => boolean>;
}

export class AssumedObjects {
  readonly #cache: ClusterCache;
  readonly #overlays = new Map<string, Overlay>();

  constructor(cache: ClusterCache) {
    this.#cache = cache;
  }

  /** All objects of the kind with the assumed ones in place; undefined if none was ever assumed. */
  setOf<T extends KubernetesObject>(ref: ResourceRef<T>): ObjectSet<T> | undefined {
    return this.#overlays.get(resourceName(ref))?.set as unknown as ObjectSet<T> | undefined;
  }

  /** Until the server tells of an object for which `isDone` holds, or deletes it, or it is forgotten. */
  assume<T extends KubernetesObject>(ref: ResourceRef<T>, object: T, isDone: (object: T) => boolean): void {
    const overlay = this.#overlay(ref as unknown as ResourceRef<KubernetesObject>);
    overlay.set.set(object);
    overlay.assumed.set(keyText(object.metadata), isDone as (object: KubernetesObject) => boolean);
  }

  /** The object was not written after all. */
  forget<T extends KubernetesObject>(ref: ResourceRef<T>, object: T): void {
    const overlay = this.#overlays.get(resourceName(ref));
    if (overlay?.assumed.delete(keyText(object.metadata)) !== true) return;
    const real = this.#cache.peek(ref)?.get(object.metadata);
    if (real === undefined) overlay.set.delete(object.metadata);
    else overlay.set.set(real);
  }

  /** The server told of the object. */
  seen(ref: ResourceRef<KubernetesObject>, object: KubernetesObject, isDeleted: boolean): void {
    const overlay = this.#overlays.get(resourceName(ref));
    if (overlay === undefined) return;
    const key = keyText(object.metadata);
    const isDone = overlay.assumed.get(key);
    if (isDone !== undefined && !isDeleted && !isDone(object)) return;
    overlay.assumed.delete(key);
    if (isDeleted) overlay.set.delete(object.metadata);
    else overlay.set.set(object);
  }

  #overlay(ref: ResourceRef<KubernetesObject>): Overlay {
    const name = resourceName(ref);
    let overlay = this.#overlays.get(name);
    if (overlay === undefined) {
      overlay = { set: new ObjectSet(), assumed: new Map() };
      for (const object of this.#cache.peek(ref)?.list() ?? []) overlay.set.set(object);
      this.#overlays.set(name, overlay);
    }
    return overlay;
  }
}
