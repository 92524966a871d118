/** The contract of a reconciler whose objects are of every kind there is. */
import type { KubernetesObject, UnknownObject } from "#api/object.ts";
import type { CacheChange } from "#client/cache.ts";
import type { DiscoveredResource } from "#client/discovery.ts";
import type { Change, InputRequest, Moment, ObjectKey, View } from "./reconciler.ts";

/** A kind that the server serves, custom ones too. */
export interface ServedKind extends DiscoveredResource {
  readonly canDeleteCollection: boolean;
}

/** The view, and which kinds it shows. */
export interface KindsView extends View {
  readonly kinds: readonly ServedKind[];
  resolve(apiVersion: string, kind: string): ServedKind | undefined;
}

export interface KindKey {
  kind: ServedKind;
  key: ObjectKey;
}

export interface EveryKindReconciler {
  name: string;
  component?: string;
  /** Which objects are worth a look after a change of an object of some kind. */
  keys(kind: ServedKind, change: CacheChange<UnknownObject>, view: KindsView): Iterable<KindKey>;
  inputs(kind: ServedKind, object: UnknownObject, view: KindsView): ReadonlyMap<string, InputRequest>;
  reconcile(kind: ServedKind, object: UnknownObject, view: KindsView, moment: Moment): Change[];
}

/** The objects of all kinds that name this object as an owner. */
export function dependentsOf(
  view: KindsView,
  { metadata }: KubernetesObject,
  index: Parameters<View["byIndex"]>[1],
): { kind: ServedKind; object: UnknownObject }[] {
  const uid = metadata.uid ?? "";
  return view.kinds.flatMap((kind) =>
    (view.byIndex(kind, index as never, uid) as readonly UnknownObject[]).map((object) => ({ kind, object })),
  );
}
