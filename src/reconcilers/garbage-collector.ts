/**
 * Deletes what has lost its owners, and lets owners go that wait for their dependents (foreground) or leave them behind
 * (orphan). Upstream: pkg/controller/garbagecollector.
 */
import type { OwnerReference, UnknownObject } from "#api/object.ts";
import type { CacheChange } from "#client/cache.ts";
import { byOwner } from "#client/object-set.ts";
import {
  event,
  patch,
  remove,
  wake,
  type Change,
  type InputRequest,
  type Inputs,
  type ObjectKey,
} from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";
import {
  dependentsOf,
  type EveryKindReconciler,
  type KindKey,
  type KindsView,
  type ServedKind,
} from "#reconcilers/every-kind.ts";

const orphanFinalizer = "orphan";
const foregroundFinalizer = "foregroundDeletion";
/** An owner of a kind that is not served is looked for again after this. */
const unknownKindMs = 30_000;

export const garbageCollector: EveryKindReconciler = {
  name: "garbage-collector",
  keys: affected,
  inputs: ownersToAskFor,
  reconcile(kind, object, view, moment) {
    if (isDeleting(object)) return released(kind, object, view);
    const owners = object.metadata.ownerReferences ?? [];
    if (owners.length === 0) return [];
    return [...misplaced(object, owners, view), ...judged(kind, object, owners, view, moment.inputs, moment.now)];
  },
};

/** An owner in another namespace is none, and that is told. */
function misplaced(object: UnknownObject, owners: readonly OwnerReference[], view: KindsView): Change[] {
  const { namespace = "" } = object.metadata;
  return owners.flatMap(({ apiVersion, kind, name, uid }) => {
    const served = view.resolve(apiVersion, kind);
    const owner = served?.scope === "Namespaced" ? (view.byUid(served, uid) as UnknownObject | undefined) : undefined;
    if (owner === undefined || owner.metadata.namespace === namespace) return [];
    const reference = `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}]`;
    const message = `ownerRef ${reference} does not exist in namespace "${namespace}"`;
    return [event(object, "Warning", "OwnerRefInvalidNamespace", message)];
  });
}

const isDeleting = ({ metadata }: UnknownObject): boolean => metadata.deletionTimestamp !== undefined;
const has = ({ metadata }: UnknownObject, finalizer: string): boolean =>
  metadata.finalizers?.includes(finalizer) === true;
const waitsForDependents = (object: UnknownObject): boolean => isDeleting(object) && has(object, foregroundFinalizer);

/** The object itself, owners that wait for it, and dependents that lose it. */
function* affected(
  kind: ServedKind,
  { type, object, old }: CacheChange<UnknownObject>,
  view: KindsView,
): Iterable<KindKey> {
  if (type === "modified" && old !== undefined && canonical(facts(object)) === canonical(facts(old))) return;
  const owners = [...(object.metadata.ownerReferences ?? []), ...(old?.metadata.ownerReferences ?? [])];
  if (type !== "deleted" && (owners.length > 0 || isDeleting(object))) yield { kind, key: object.metadata };
  for (const reference of owners) {
    const owner = find(view, reference, object);
    if (owner !== undefined && waitsForDependents(owner.object)) yield { kind: owner.kind, key: owner.object.metadata };
  }
  if (type !== "deleted" && !isDeleting(object)) return;
  for (const dependent of dependentsOf(view, object, byOwner))
    yield { kind: dependent.kind, key: dependent.object.metadata };
}

function facts({ metadata }: UnknownObject): unknown {
  return [metadata.uid, metadata.ownerReferences, metadata.finalizers, metadata.deletionTimestamp];
}

/** The owner as the view shows it: of the right kind, name and namespace. */
function find(
  view: KindsView,
  { apiVersion, kind, name, uid }: OwnerReference,
  dependent: UnknownObject,
): { kind: ServedKind; object: UnknownObject } | undefined {
  const served = view.resolve(apiVersion, kind);
  if (served === undefined) return undefined;
  const object = view.byUid(served, uid) as UnknownObject | undefined;
  if (object === undefined || object.metadata.name !== name) return undefined;
  if (served.scope === "Namespaced" && object.metadata.namespace !== dependent.metadata.namespace) return undefined;
  return { kind: served, object };
}

/** The view may be behind: an owner that it does not show is asked for before anything is deleted. */
function ownersToAskFor(_: ServedKind, object: UnknownObject, view: KindsView): ReadonlyMap<string, InputRequest> {
  const requests = new Map<string, InputRequest>();
  if (isDeleting(object)) return requests;
  for (const reference of object.metadata.ownerReferences ?? []) {
    const served = view.resolve(reference.apiVersion, reference.kind);
    if (served === undefined || find(view, reference, object) !== undefined) continue;
    const key = ownerKey(served, reference, object);
    if (key !== undefined) requests.set(reference.uid, { type: "get", ref: served, key });
  }
  return requests;
}

/** undefined if a cluster-scoped object names an owner that lives in a namespace: nobody knows in which. */
function ownerKey(kind: ServedKind, { name }: OwnerReference, dependent: UnknownObject): ObjectKey | undefined {
  if (kind.scope === "Cluster") return { name };
  const { namespace } = dependent.metadata;
  return namespace === undefined || namespace === "" ? undefined : { name, namespace };
}

/** What an object that is being deleted still holds on to. */
function released(kind: ServedKind, object: UnknownObject, view: KindsView): Change[] {
  if (has(object, orphanFinalizer)) {
    const orphaned = dependentsOf(view, object, byOwner).map(({ kind: of, object: dependent }) =>
      withoutOwners(of, dependent, new Set([object.metadata.uid])),
    );
    return [...orphaned, withoutFinalizer(kind, object, orphanFinalizer)];
  }
  if (!has(object, foregroundFinalizer)) return [];
  const blocking = dependentsOf(view, object, byOwner).some(({ object: { metadata } }) =>
    (metadata.ownerReferences ?? []).some(
      ({ uid, blockOwnerDeletion }) => uid === object.metadata.uid && blockOwnerDeletion === true,
    ),
  );
  return blocking ? [] : [withoutFinalizer(kind, object, foregroundFinalizer)];
}

type Verdict = "alive" | "waiting" | "gone" | "unknown";

function verdict(reference: OwnerReference, object: UnknownObject, view: KindsView, inputs: Inputs): Verdict {
  const served = view.resolve(reference.apiVersion, reference.kind);
  if (served === undefined || ownerKey(served, reference, object) === undefined) return "unknown";
  const seen = find(view, reference, object)?.object;
  if (seen !== undefined) return waitsForDependents(seen) ? "waiting" : "alive";
  const answer = inputs.get(reference.uid);
  if (answer === undefined || !answer.ok) return "unknown";
  const fresh = answer.value as UnknownObject | undefined;
  if (fresh === undefined || fresh.metadata.uid !== reference.uid) return "gone";
  return waitsForDependents(fresh) ? "waiting" : "alive";
}

function judged(
  kind: ServedKind,
  object: UnknownObject,
  owners: readonly OwnerReference[],
  view: KindsView,
  inputs: Inputs,
  now: number,
): Change[] {
  const verdicts = new Map(owners.map((owner) => [owner, verdict(owner, object, view, inputs)]));
  const are = (wanted: Verdict): OwnerReference[] => owners.filter((owner) => verdicts.get(owner) === wanted);
  if (are("unknown").length > 0) return [wake(now + unknownKindMs)];
  const waiting = are("waiting");
  const lost = new Set([...are("gone"), ...waiting].map(({ uid }) => uid));
  if (are("alive").length > 0) return lost.size === 0 ? [] : [withoutOwners(kind, object, lost)];
  const dependents = waiting.length === 0 ? [] : dependentsOf(view, object, byOwner);
  if (dependents.length === 0)
    return [remove(kind, object, { propagation: ownPolicy(object), ...precondition(object) })];
  const circle = dependents.some(({ object: dependent }) => waitsForDependents(dependent));
  const unblock = circle ? [withoutBlocking(kind, object)] : [];
  const how = circle ? {} : precondition(object);
  return [...unblock, remove(kind, object, { propagation: "Foreground", ...how })];
}

/** What the object itself asks for by its finalizers. */
function ownPolicy(object: UnknownObject): "Orphan" | "Foreground" | "Background" {
  if (has(object, orphanFinalizer)) return "Orphan";
  return has(object, foregroundFinalizer) ? "Foreground" : "Background";
}

/** Somebody may have given the object another owner meanwhile. */
function precondition({ metadata: { resourceVersion } }: UnknownObject): { resourceVersion?: string } {
  return resourceVersion === undefined ? {} : { resourceVersion };
}

function withoutOwners(kind: ServedKind, object: UnknownObject, lost: ReadonlySet<string | undefined>): Change {
  const left = (object.metadata.ownerReferences ?? []).filter(({ uid }) => !lost.has(uid));
  return patchMetadata(kind, object, { ownerReferences: left.length === 0 ? null : left });
}

function withoutBlocking(kind: ServedKind, object: UnknownObject): Change {
  const ownerReferences = (object.metadata.ownerReferences ?? []).map((owner) => ({
    ...owner,
    blockOwnerDeletion: false,
  }));
  return patchMetadata(kind, object, { ownerReferences });
}

function withoutFinalizer(kind: ServedKind, object: UnknownObject, finalizer: string): Change {
  const left = (object.metadata.finalizers ?? []).filter((each) => each !== finalizer);
  return patchMetadata(kind, object, { finalizers: left.length === 0 ? null : left });
}

function patchMetadata(kind: ServedKind, object: UnknownObject, metadata: Record<string, unknown>): Change {
  const { resourceVersion, uid } = object.metadata;
  return patch(kind, object, "merge", { metadata: { ...metadata, resourceVersion, uid } });
}
