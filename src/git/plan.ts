/** What to do with rendered objects: in which order to apply them, and what to delete. Pure. */
import type { UnknownObject } from "#api/object.ts";
import { type ObjectIdentity, entryOf, identityKey, identityOfEntry } from "./inventory.ts";
import { type InventoryEntry, ownerLabels, policyKeys } from "./kinds.ts";

/** An object to apply and where in the source it comes from. */
export interface Wished {
  object: UnknownObject;
  identity: ObjectIdentity;
  /** The file, as a path in the source; empty where rendering cannot tell. */
  origin: string;
}

/** Later stages wait for earlier ones: what defines kinds and namespaces first, then classes, then all else. */
export interface Stage {
  name: "definitions" | "classes" | "resources";
  /** Groups of one kind each, in Flux's order; a group's objects may be applied at the same time. */
  groups: Wished[][];
}

const definitionKinds = new Set(["CustomResourceDefinition", "Namespace", "ClusterRole"]);
const kindOrder: readonly string[] = [
  "CustomResourceDefinition",
  "Namespace",
  "ClusterRole",
  "PriorityClass",
  "RuntimeClass",
  "StorageClass",
  "IngressClass",
  "VolumeSnapshotClass",
  "GatewayClass",
  "ClusterRoleBinding",
  "ResourceQuota",
  "ServiceAccount",
  "Role",
  "RoleBinding",
  "ConfigMap",
  "Secret",
  "Service",
  "LimitRange",
  "Deployment",
  "StatefulSet",
  "CronJob",
  "PodDisruptionBudget",
];
const lastKinds: readonly string[] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

function rank(kind: string): number {
  const listed = kindOrder.indexOf(kind);
  if (listed >= 0) return listed;
  const last = lastKinds.indexOf(kind);
  return last >= 0 ? kindOrder.length + 1 + last : kindOrder.length;
}

export function planStages(wished: readonly Wished[]): Stage[] {
  const stages: Stage[] = [
    { name: "definitions", groups: [] },
    { name: "classes", groups: [] },
    { name: "resources", groups: [] },
  ];
  const sorted = [...wished].sort((a, b) => rank(a.identity.kind) - rank(b.identity.kind));
  for (const one of sorted) {
    const { kind } = one.identity;
    const stage = definitionKinds.has(kind) ? stages[0]! : kind.endsWith("Class") ? stages[1]! : stages[2]!;
    const group = stage.groups.at(-1);
    if (group !== undefined && rank(group[0]!.identity.kind) === rank(kind)) group.push(one);
    else stage.groups.push([one]);
  }
  return stages.filter(({ groups }) => groups.length > 0);
}

/** Deletion order: the reverse of application. */
export function deletionOrder(identities: readonly ObjectIdentity[]): ObjectIdentity[] {
  return [...identities].sort((a, b) => rank(b.kind) - rank(a.kind));
}

/** The same object rendered twice is an error of the source: which one would win? */
export function findDuplicates(wished: readonly Wished[]): Map<string, Wished[]> {
  const byKey = new Map<string, Wished[]>();
  for (const one of wished) {
    const key = identityKey(one.identity);
    byKey.set(key, [...(byKey.get(key) ?? []), one]);
  }
  return new Map([...byKey].filter(([, all]) => all.length > 1));
}

/** Puts on what every applied object carries: who owns it, and the Kustomization's common metadata. */
export function withOwner(object: UnknownObject, owner: { name: string; namespace: string }): UnknownObject {
  const labels = {
    ...object.metadata.labels,
    [ownerLabels.name]: owner.name,
    [ownerLabels.namespace]: owner.namespace,
  };
  return { ...object, metadata: { ...object.metadata, labels } };
}

/** An annotation or label of the `kustomize.toolkit.fluxcd.io/…` family, in lower case. */
export function policyOf(object: UnknownObject, name: keyof typeof policyKeys): string {
  const key = policyKeys[name];
  return (object.metadata.annotations?.[key] ?? object.metadata.labels?.[key] ?? "").toLowerCase();
}

export interface InventoryPlan {
  /** What the inventory says after this run, if every deletion of `prune` succeeds. */
  entries: InventoryEntry[];
  /** Objects of the old inventory that the source does not have any more. */
  prune: ObjectIdentity[];
}

/**
 * Invariant: an object is pruned only if it is in our own inventory and absent from a complete rendering.
 * An object that could not be applied stays in (or enters) the inventory if it was there before.
 */
export function planInventory(
  before: readonly InventoryEntry[],
  wished: readonly ObjectIdentity[],
  notApplied: ReadonlySet<string>,
): InventoryPlan {
  const wishedKeys = new Set(wished.map(identityKey));
  const known = before.flatMap((entry) => identityOfEntry(entry) ?? []);
  const knownKeys = new Set(known.map(identityKey));
  const kept = wished.filter(
    (identity) => !notApplied.has(identityKey(identity)) || knownKeys.has(identityKey(identity)),
  );
  const entries = kept.map(entryOf).sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  return { entries, prune: deletionOrder(known.filter((identity) => !wishedKeys.has(identityKey(identity)))) };
}

/** Deletes only what still says that it is ours and does not forbid it. */
export function mayPrune(live: UnknownObject, owner: { name: string; namespace: string }): boolean {
  const labels = live.metadata.labels ?? {};
  return (
    labels[ownerLabels.name] === owner.name &&
    labels[ownerLabels.namespace] === owner.namespace &&
    policyOf(live, "prune") !== "disabled" &&
    policyOf(live, "reconcile") !== "disabled"
  );
}

/** Whether somebody changed what Git says: the live object without what the cluster itself keeps writing. */
export function contentOf(object: UnknownObject): string {
  const { status: _, metadata, ...rest } = object;
  const { labels, annotations, ownerReferences, finalizers } = metadata;
  const shownAnnotations = Object.entries(annotations ?? {}).filter(([key]) => !volatileAnnotations.has(key));
  return JSON.stringify({ rest, labels, annotations: shownAnnotations, ownerReferences, finalizers });
}
const volatileAnnotations: ReadonlySet<string> = new Set(["deployment.kubernetes.io/revision"]);

/** The manager whose write of spec or metadata is the newest, for "drift corrected, written by …". */
export function lastWriter(object: UnknownObject, except: string): string | undefined {
  const others = (object.metadata.managedFields ?? []).filter(
    ({ manager, subresource }) => manager !== except && subresource !== "status",
  );
  others.sort((a, b) => ((a.time ?? "") < (b.time ?? "") ? 1 : -1));
  return others[0]?.manager;
}
