/**
 * Who owns what: metadata.managedFields as a map from manager to field set, and back. Upstream:
 * apimachinery/pkg/util/managedfields/internal/{managedfields,fieldmanager}.go.
 */
import { goQuote } from "#api/go-text.ts";
import type { ManagedFieldsEntry } from "#api/object.ts";
import { type FieldSet, isEmptySet, union } from "./field-set.ts";
import { fromFieldsV1, toFieldsV1 } from "./fields-v1.ts";

export type ManagerOperation = "Apply" | "Update";

export interface ManagerName {
  manager: string;
  operation: ManagerOperation;
  /** The version in which the fields are named. */
  apiVersion: string;
  subresource: string;
}

export interface Owner extends ManagerName {
  set: FieldSet;
  /** The entry's time, RFC 3339. */
  time: string | undefined;
}

/** By identifier; see identifierOf. */
export type Owners = Map<string, Owner>;

/** Update managers of different versions are different managers; an Apply manager keeps its name through versions. */
export function identifierOf({ manager, operation, apiVersion, subresource }: ManagerName): string {
  return JSON.stringify({
    ...(manager === "" ? {} : { manager }),
    operation,
    ...(operation === "Apply" || apiVersion === "" ? {} : { apiVersion }),
    ...(subresource === "" ? {} : { subresource }),
  });
}

/** undefined if an entry is not valid. */
export function readOwners(entries: readonly ManagedFieldsEntry[] | undefined): Owners | undefined {
  const owners: Owners = new Map();
  for (const entry of entries ?? []) {
    const { manager = "", operation, apiVersion = "", subresource = "", fieldsType, time } = entry;
    if (operation !== "Apply" && operation !== "Update") return undefined;
    if (apiVersion === "" || fieldsType !== "FieldsV1") return undefined;
    const name = { manager, operation, apiVersion, subresource } as const;
    try {
      const set = fromFieldsV1(entry.fieldsV1 ?? {});
      owners.set(identifierOf(name), { ...name, set, time: time ?? undefined });
    } catch {
      return undefined;
    }
  }
  return owners;
}

/** In upstream's order: Apply before Update, then by time, then by name. */
export function writeOwners(owners: Owners): ManagedFieldsEntry[] {
  return [...owners.values()]
    .filter(({ set }) => !isEmptySet(set))
    .sort(compareOwners)
    .map(entryOf);
}

function entryOf({ manager, operation, apiVersion, subresource, time, set }: Owner): ManagedFieldsEntry {
  return {
    ...(manager === "" ? {} : { manager }),
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: "FieldsV1",
    fieldsV1: toFieldsV1(set),
    ...(subresource === "" ? {} : { subresource }),
  };
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function compareOwners(a: Owner, b: Owner): number {
  return (
    compare(a.operation, b.operation) ||
    compare(a.time ?? "", b.time ?? "") ||
    compare(a.manager, b.manager) ||
    compare(a.apiVersion, b.apiVersion) ||
    compare(a.subresource, b.subresource)
  );
}

/** Update managers beyond this are folded into one, the oldest first. */
export const updateManagersMax = 10;
const foldedManager = "ancient-changes";

export function capUpdateManagers(owners: Owners): void {
  const updaters = [...owners].filter(([, owner]) => owner.operation === "Update");
  if (updaters.length <= updateManagersMax) return;
  updaters.sort(([a, left], [b, right]) => compare(left.time ?? "", right.time ?? "") || compare(a, b));
  const firsts = new Map<string, string>();
  let count = updaters.length;
  for (const [identifier, owner] of updaters) {
    if (count <= updateManagersMax) return;
    const { apiVersion } = owner;
    const first = firsts.get(apiVersion);
    if (first === undefined) {
      firsts.set(apiVersion, identifier);
      continue;
    }
    const name = { manager: foldedManager, operation: "Update", apiVersion, subresource: "" } as const;
    const bucket = identifierOf(name);
    const before = owners.get(bucket) ?? owners.get(first)!;
    if (bucket !== first) owners.delete(first);
    owners.delete(identifier);
    owners.set(bucket, { ...name, set: union(owner.set, before.set), time: owner.time });
    count = [...owners.values()].filter(({ operation }) => operation === "Update").length;
  }
}

/** `"one" with subresource "scale" using apps/v1`. */
export function managerText({ manager, operation, apiVersion, subresource }: ManagerName): string {
  const name = goQuote(manager);
  const where = subresource === "" ? name : `${name} with subresource ${goQuote(subresource)}`;
  return operation === "Update" ? `${where} using ${apiVersion}` : where;
}
