/**
 * managedFields of the scale subresource: a manager that owns an object's replica count owns `.spec.replicas` of its Scale.
 * Upstream: managedfields/scalehandler.go.
 */
import type { ManagedFieldsEntry } from "#api/object.ts";
import { difference, hasPath, isEmptySet, setOfPath } from "./field-set.ts";
import { type Owners, identifierOf, readOwners, writeOwners } from "./managers.ts";

const scaleApiVersion = "autoscaling/v1";
const scaleReplicas = ["f:spec", "f:replicas"];

export interface ScaleMapping {
  /** The object's own version, in which new entries name the field. */
  apiVersion: string;
  /** By version, the path of the replica count: {"apps/v1": ["spec", "replicas"]}. */
  replicasPaths: Readonly<Record<string, readonly string[]>>;
}

const keysOf = (path: readonly string[]) => path.map((name) => `f:${name}`);

/** The entries that a Scale shows, made from those of its object. */
export function scaleManagedFields(
  entries: readonly ManagedFieldsEntry[] | undefined,
  { replicasPaths }: ScaleMapping,
): ManagedFieldsEntry[] {
  const owners: Owners = new Map();
  for (const [identifier, owner] of readOwners(entries) ?? []) {
    const path = replicasPaths[owner.apiVersion];
    if (path === undefined || !hasPath(owner.set, keysOf(path))) continue;
    owners.set(identifier, { ...owner, set: setOfPath(scaleReplicas), apiVersion: scaleApiVersion });
  }
  return writeOwners(owners);
}

/** The object's entries after its Scale's became `scaleEntries`. */
export function parentManagedFields(
  entries: readonly ManagedFieldsEntry[] | undefined,
  scaleEntries: readonly ManagedFieldsEntry[] | undefined,
  { apiVersion, replicasPaths }: ScaleMapping,
): ManagedFieldsEntry[] {
  const scaleOwners: Owners = new Map();
  for (const owner of (readOwners(scaleEntries) ?? new Map()).values())
    scaleOwners.set(keyIn(owner, apiVersion), owner);
  const owners: Owners = new Map();
  const before: Owners = readOwners(entries) ?? new Map();
  for (const [identifier, owner] of before) {
    const path = replicasPaths[owner.apiVersion];
    if (path === undefined) continue;
    if (!hasPath(owner.set, keysOf(path)) || scaleOwners.delete(keyIn(owner, apiVersion))) {
      owners.set(identifier, owner);
      continue;
    }
    const set = difference(owner.set, setOfPath(keysOf(path)));
    if (!isEmptySet(set)) owners.set(identifier, { ...owner, set });
  }
  for (const owner of scaleOwners.values()) {
    if (!hasPath(owner.set, scaleReplicas)) continue;
    const moved = { ...owner, apiVersion, set: setOfPath(keysOf(replicasPaths[apiVersion]!)), time: undefined };
    const identifier = identifierOf(moved);
    // Upstream takes the time of the object's own entry, which only an Apply manager has under the same name.
    owners.set(identifier, owner.operation === "Apply" ? { ...moved, time: before.get(identifier)?.time } : moved);
  }
  return writeOwners(owners);
}

/** A manager's name whatever version its entry was written in. */
const keyIn = (owner: Parameters<typeof identifierOf>[0], apiVersion: string) => identifierOf({ ...owner, apiVersion });
