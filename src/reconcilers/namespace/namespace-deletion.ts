/**
 * Empties a namespace that is being deleted, pods first, then lets it go. Upstream:
 * pkg/controller/namespace/deletion/namespaced_resources_deleter.go and status_condition_utils.go.
 */
import { formatTime } from "#lib/clock.ts";
import { Event } from "#api/core/event.ts";
import { Namespace } from "#api/core/namespace.ts";
import type { V1NamespaceCondition } from "#api/generated/types.ts";
import type { UnknownObject } from "#api/object.ts";
import { collectionPath } from "#client/resource-path.ts";
import { timeOf } from "#reconcilers/pod-state.ts";
import {
  remove,
  update,
  updateStatus,
  wake,
  type Change,
  type InputRequest,
  type Inputs,
  type Moment,
} from "#reconcilers/reconciler.ts";
import type { EveryKindReconciler, KindKey, KindsView, ServedKind } from "#reconcilers/every-kind.ts";

const finalizer = "kubernetes";
/** Content that does not go by itself is looked at again after this. */
const againMs = 5_000;
/** Most namespaces are gone before anybody has to be told what they wait for. */
const reportAfterMs = 5_000;

export const namespaceDeletion: EveryKindReconciler = {
  name: "namespace",
  keys: function* (kind, { object, type }, view): Iterable<KindKey> {
    if (isNamespace(kind)) {
      if (object.metadata.deletionTimestamp !== undefined) yield { kind, key: object.metadata };
      return;
    }
    const { namespace } = object.metadata;
    if (namespace === undefined || (type !== "deleted" && object.metadata.deletionTimestamp === undefined)) return;
    const home = view.resolve("v1", "Namespace");
    if (home !== undefined && view.get(home, { name: namespace })?.metadata.deletionTimestamp !== undefined)
      yield { kind: home, key: { name: namespace } };
  },
  inputs(kind, object, view) {
    const left = isGoing(kind, object) ? contentOf(object, view) : new Map<ServedKind, number>();
    return isGoing(kind, object) && left.size === 0 ? lastLook(object, view) : new Map<string, InputRequest>();
  },
  reconcile(kind, object, view, moment) {
    if (!isGoing(kind, object)) return [];
    const namespace = object as unknown as Namespace;
    const content = contentOf(object, view);
    const reportAt = timeOf(object.metadata.deletionTimestamp) + reportAfterMs;
    if (content.size > 0) {
      const told = reportAt <= moment.now ? report(namespace, content, moment) : [];
      return [...emptied(object, content), ...told, wake(Math.max(reportAt, moment.now + againMs))];
    }
    const overlooked = stillThere(view, moment.inputs);
    if (overlooked === undefined) return [wake(moment.now + againMs)];
    if (overlooked.length > 0) return [...overlooked.map((each) => deletion(each, object)), wake(moment.now + againMs)];
    return [leftEvents(object), finalized(namespace)];
  },
};

const isNamespace = ({ group, kind }: ServedKind): boolean => group === "" && kind === "Namespace";

function isGoing(kind: ServedKind, object: UnknownObject): boolean {
  const { spec } = object as unknown as Namespace;
  return (
    isNamespace(kind) && object.metadata.deletionTimestamp !== undefined && (spec?.finalizers ?? []).includes(finalizer)
  );
}

type Content = ReadonlyMap<ServedKind, readonly UnknownObject[]>;

function contentOf({ metadata: { name = "" } }: UnknownObject, view: KindsView): Content {
  const content = new Map<ServedKind, readonly UnknownObject[]>();
  for (const kind of namespaced(view)) {
    const objects = view.list(kind, name) as readonly UnknownObject[];
    if (objects.length > 0) content.set(kind, objects);
  }
  return content;
}

const namespaced = (view: KindsView): ServedKind[] => view.kinds.filter(({ scope }) => scope === "Namespaced");

/** Pods may need what else is there until they are gone. */
function emptied(namespace: UnknownObject, content: Content): Change[] {
  const kinds = [...content.keys()];
  const pods = kinds.filter(({ group, kind }) => group === "" && kind === "Pod");
  return (pods.length > 0 ? pods : kinds).flatMap((kind) => {
    const staying = (content.get(kind) ?? []).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    if (staying.length === 0) return [];
    if (kind.canDeleteCollection) return [deletion(kind, namespace)];
    return staying.map((object) => remove(kind, object, { propagation: "Background" }));
  });
}

/** Events are not watched like other content; the last ones go with the namespace. */
function leftEvents(namespace: UnknownObject): Change {
  return { type: "delete-collection", ref: Event, namespace: namespace.metadata.name ?? "" };
}

function deletion(kind: ServedKind, { metadata: { name = "" } }: UnknownObject): Change {
  return { type: "delete-collection", ref: kind, namespace: name };
}

/** The view may be behind: only the server knows that nothing is left. */
function lastLook({ metadata: { name = "" } }: UnknownObject, view: KindsView): ReadonlyMap<string, InputRequest> {
  const requests = namespaced(view).map((kind): [string, InputRequest] => {
    const path = collectionPath(kind, name);
    return [`${kind.group}/${kind.plural}`, { type: "call", path, query: { limit: "1" } }];
  });
  return new Map(requests);
}

/** Kinds of which something is left; undefined if one could not be asked. */
function stillThere(view: KindsView, inputs: Inputs): ServedKind[] | undefined {
  const found: ServedKind[] = [];
  for (const kind of namespaced(view)) {
    const answer = inputs.get(`${kind.group}/${kind.plural}`);
    if (answer === undefined || !answer.ok) return undefined;
    const { items } = answer.value as { items?: readonly unknown[] | null };
    if ((items ?? []).length > 0) found.push(kind);
  }
  return found;
}

function finalized(namespace: Namespace): Change {
  const finalizers = (namespace.spec?.finalizers ?? []).filter((each) => each !== finalizer);
  const object = { ...namespace, spec: { ...namespace.spec, finalizers } };
  return { ...update(Namespace, object), subresource: "finalize" } as Change;
}

/** The five conditions, always in this order. */
function report(namespace: Namespace, content: Content, moment: Moment): Change[] {
  const before = namespace.status?.conditions ?? [];
  const wished = conditionsOf(content, moment);
  const own = new Set(wished.map(({ type }) => type));
  const conditions = wished.map((condition) => {
    const current = before.find(({ type }) => type === condition.type);
    const same =
      current?.status === condition.status &&
      current.reason === condition.reason &&
      current.message === condition.message;
    if (same) return current;
    const since = current?.status === condition.status ? current.lastTransitionTime : formatTime(moment.now);
    return { ...condition, lastTransitionTime: since };
  });
  if (before.length > 0 && conditions.every((condition) => before.includes(condition as V1NamespaceCondition)))
    return [];
  const others = before.filter(({ type }) => !own.has(type));
  const all = [...conditions, ...others] as V1NamespaceCondition[];
  return [updateStatus(Namespace, { ...namespace, status: { ...namespace.status, conditions: all } })];
}

type Wished = Pick<V1NamespaceCondition, "type" | "status" | "reason" | "message">;

function conditionsOf(content: Content, { failure }: Moment): Wished[] {
  const remaining = [...content]
    .map(([{ group, plural }, objects]) => `${plural}.${group} has ${objects.length} resource instances`)
    .sort();
  const holding = finalizersOf(content);
  return [
    condition(
      "NamespaceDeletionDiscoveryFailure",
      false,
      "ResourcesDiscovered",
      "All resources successfully discovered",
    ),
    condition(
      "NamespaceDeletionGroupVersionParsingFailure",
      false,
      "ParsedGroupVersions",
      "All legacy kube types successfully parsed",
    ),
    failure === undefined
      ? condition(
          "NamespaceDeletionContentFailure",
          false,
          "ContentDeleted",
          "All content successfully deleted, may be waiting on finalization",
        )
      : condition(
          "NamespaceDeletionContentFailure",
          true,
          "ContentDeletionFailed",
          `Failed to delete all resource types, 1 remaining: ${failure.message}`,
        ),
    condition(
      "NamespaceContentRemaining",
      true,
      "SomeResourcesRemain",
      `Some resources are remaining: ${remaining.join(", ")}`,
    ),
    holding.length === 0
      ? condition(
          "NamespaceFinalizersRemaining",
          false,
          "ContentHasNoFinalizers",
          "All content-preserving finalizers finished",
        )
      : condition(
          "NamespaceFinalizersRemaining",
          true,
          "SomeFinalizersRemain",
          `Some content in the namespace has finalizers remaining: ${holding.join(", ")}`,
        ),
  ];
}

function condition(type: string, holds: boolean, reason: string, message: string): Wished {
  return { type, status: holds ? "True" : "False", reason, message };
}

function finalizersOf(content: Content): string[] {
  const counts = new Map<string, number>();
  for (const object of [...content.values()].flat())
    for (const name of object.metadata.finalizers ?? []) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${name} in ${count} resource instances`).sort();
}
