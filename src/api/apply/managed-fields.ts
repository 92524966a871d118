/**
 * What the API server calls: who owns which field after an update, and server-side apply. Pure; `now` comes from outside.
 * Upstream: apimachinery/pkg/util/managedfields.
 */
import { plainJson } from "#api/decode/json-value.ts";
import { ConformError, type Conformed, conform } from "#api/decode/conform.ts";
import type { KubernetesObject, ManagedFieldsEntry, UnknownObject } from "#api/object.ts";
import { apiVersionOf } from "#api/object.ts";
import type { StructType } from "#api/schema/model.ts";
import { zeroStruct } from "#api/schema/zero.ts";
import { badRequest, unknownFailure } from "#api/status-catalogue.ts";
import { ConflictsError, conflictFailure, conflictingFields } from "./conflicts.ts";
import {
  type FieldSet,
  difference,
  emptySet,
  isEmptySet,
  matching,
  memberLeaf,
  recursiveDifference,
  setOfPath,
  union,
} from "./field-set.ts";
import { fieldsOfLastApplied, followLastApplied, hasLastApplied, kubectlManager } from "./last-applied.ts";
import { type Owner, type Owners, capUpdateManagers, identifierOf, readOwners, writeOwners } from "./managers.ts";
import { TypedError, validateTyped } from "./typed-validate.ts";
import { type JsonObject, deepEqual } from "./typed.ts";
import { type Convert, Updater, type UpdaterOptions, schemaOfStruct } from "./updater.ts";

export interface ManagedFieldsContext {
  struct: StructType;
  group: string;
  version: string;
  kind: string;
  /** "" for the main endpoint. */
  subresource?: string;
  /** Paths that this endpoint does not own (Strategy.resetFields). */
  resetFields?: readonly (readonly string[])[] | undefined;
  /** The only paths that it owns (Strategy.ownedFields). */
  ownedFields?: readonly (readonly string[])[] | undefined;
  /** RFC 3339, whole seconds. */
  now: string;
  /** Objects in other versions of their kind, for managers that named their fields in one. */
  convert?: Convert | undefined;
  convertBack?: UpdaterOptions["convertBack"];
  /** A custom resource: what the merge gives stays as it is, pruning and defaulting are the caller's. */
  isCustom?: boolean;
}

/** No manager owns these: they say which object it is, or belong to the server. */
const unowned: FieldSet = {
  isMember: false,
  children: new Map([
    ["f:apiVersion", memberLeaf],
    ["f:kind", memberLeaf],
    [
      "f:metadata",
      {
        isMember: true,
        children: new Map(
          [
            "name",
            "namespace",
            "creationTimestamp",
            "selfLink",
            "uid",
            "clusterName",
            "generation",
            "managedFields",
            "resourceVersion",
          ].map((name) => [`f:${name}`, memberLeaf]),
        ),
      },
    ],
  ]),
};

const beforeFirstApply = "before-first-apply";

function updaterOf(context: ManagedFieldsContext): Updater {
  return new Updater({
    struct: context.struct,
    apiVersion: apiVersionOf(context),
    ownable: ownableOf(context),
    convert: context.convert,
    convertBack: context.convertBack,
  });
}

function ownableOf({ resetFields = [], ownedFields }: ManagedFieldsContext): UpdaterOptions["ownable"] {
  if (ownedFields !== undefined) {
    const owned = setOfPaths(ownedFields);
    return (set) => matching(set, owned);
  }
  if (resetFields.length === 0) return undefined;
  const ignored = setOfPaths(resetFields);
  return (set) => recursiveDifference(set, ignored);
}

const setOfPaths = (paths: readonly (readonly string[])[]) =>
  paths.reduce<FieldSet>(
    (all, path) => union(all, setOfPath(path.map((name) => (name === "*" ? name : `f:${name}`)))),
    emptySet,
  );

/** A shallow copy without metadata.managedFields. */
function withoutManagedFields(object: KubernetesObject): JsonObject {
  const { managedFields: _, ...metadata } = object.metadata ?? {};
  return { ...object, metadata };
}

/**
 * Sets metadata.managedFields of `object`, which is about to replace `live` (undefined: it is created). `manager` is the
 * query's fieldManager or the start of the user agent.
 */
export function trackUpdate(
  live: KubernetesObject | undefined,
  object: KubernetesObject,
  manager: string,
  context: ManagedFieldsContext,
): void {
  const owners = ownersBefore(live, object, context.subresource ?? "");
  const isUntracked = owners.size === 0 && (live?.metadata.uid ?? "") !== "";
  if (!isUntracked) trackChange(live, object, owners, manager, context);
  setOwners(object, owners);
}

function setOwners(object: KubernetesObject, owners: Owners): void {
  const entries = writeOwners(owners);
  if (entries.length > 0) object.metadata.managedFields = entries;
  else delete object.metadata.managedFields;
}

/** The live object's owners, unless the client sent others or reset them with [] or [{}]. */
function ownersBefore(live: KubernetesObject | undefined, object: KubernetesObject, subresource: string): Owners {
  const ofLive = () => readOwners(live?.metadata.managedFields) ?? new Map();
  if (subresource !== "") return ofLive();
  const sent = object.metadata.managedFields;
  if (isReset(sent)) return new Map();
  const owners = readOwners(sent);
  return owners === undefined || owners.size === 0 ? ofLive() : owners;
}

function isReset(entries: readonly ManagedFieldsEntry[] | undefined | null): boolean {
  if (entries === undefined || entries === null) return false;
  return entries.length === 0 || (entries.length === 1 && Object.keys(entries[0]!).length === 0);
}

function trackChange(
  live: KubernetesObject | undefined,
  object: KubernetesObject,
  owners: Owners,
  manager: string,
  context: ManagedFieldsContext,
): void {
  const before = live === undefined ? zeroStruct(context.struct) : withoutManagedFields(live);
  const taken = updaterOf(context).update(before, withoutManagedFields(object), owners);
  const set = difference(taken, unowned);
  if (!isEmptySet(set)) {
    const { subresource = "", now } = context;
    const name = { manager, operation: "Update", apiVersion: apiVersionOf(context), subresource } as const;
    const identifier = identifierOf(name);
    owners.set(identifier, { ...name, set: union(set, owners.get(identifier)?.set ?? emptySet), time: now });
  }
  capUpdateManagers(owners);
}

export interface ApplyRequest {
  /** undefined: the apply creates the object. */
  live: KubernetesObject | undefined;
  /** What the client sent, as it was parsed. */
  applied: unknown;
  manager: string;
  force: boolean;
}

export interface Applied {
  /** With its new managedFields. Defaults, validation and admission come next. */
  object: UnknownObject;
  /** Unknown fields, which an apply to a built-in kind refuses before it comes to this. */
  strictErrors: string[];
  /** Some list or map is there and empty. */
  holdsEmpties: boolean;
}

/** Throws StatusError: 400, 409 with the conflicts, 500 for what does not fit the schema. */
export function applyObject(request: ApplyRequest, context: ManagedFieldsContext): Applied {
  const { live, manager, force } = request;
  const applied = checkedApplied(request.applied, context);
  const before = (live ?? emptyObject(context)) as KubernetesObject;
  const owners = readOwners(before.metadata.managedFields);
  if (owners === undefined) throw unknownFailure("failed to decode managed fields");
  if (owners.size === 0) trackChange(undefined, before, owners, beforeFirstApply, context);
  const base = withoutManagedFields(before);
  const { subresource = "", now, struct } = context;
  const name = { manager, operation: "Apply", apiVersion: apiVersionOf(context), subresource } as const;
  const owner: Owner = { ...name, set: emptySet, time: undefined };
  const self = identifierOf(name);
  const lastTime = owners.get(self)?.time;
  const result = mergeOwned(base, applied, owners, { ...owner, time: lastTime }, self, force, context);
  const mine = owners.get(self);
  if (mine !== undefined) {
    const set = difference(mine.set, unowned);
    if (isEmptySet(set)) owners.delete(self);
    else owners.set(self, { ...mine, set, time: result === undefined ? lastTime : now });
  }
  const merged = result ?? base;
  const conformed = toStruct(merged, struct, context);
  if (manager === kubectlManager && hasLastApplied(conformed.object)) followLastApplied(conformed.object, applied);
  const object = conformed.object as unknown as UnknownObject;
  setOwners(object, owners);
  return { object, strictErrors: conformed.strictErrors, holdsEmpties: conformed.holdsEmpties };
}

function emptyObject(context: ManagedFieldsContext): JsonObject {
  return { kind: context.kind, apiVersion: apiVersionOf(context), ...zeroStruct(context.struct), metadata: {} };
}

/** Applies; for kubectl, fields that its own client-side apply set are no conflict. */
function mergeOwned(
  base: JsonObject,
  applied: JsonObject,
  owners: Owners,
  owner: Owner,
  self: string,
  force: boolean,
  context: ManagedFieldsContext,
): JsonObject | undefined {
  const updater = updaterOf(context);
  const trial: Owners = new Map(owners);
  const settle = (result: Owners) => {
    owners.clear();
    for (const [identifier, one] of result) owners.set(identifier, one);
  };
  try {
    const merged = updater.apply(base, applied, trial, owner, self, force);
    settle(trial);
    return merged;
  } catch (error) {
    if (!(error instanceof ConflictsError)) throw error;
    const allowed =
      owner.manager === kubectlManager ? fieldsOfLastApplied(base, context.struct, apiVersionOf(context)) : undefined;
    if (allowed === undefined) throw conflictFailure(error.conflicts);
    const left = error.conflicts.map((conflict) => ({ ...conflict, set: difference(conflict.set, allowed) }));
    if (!isEmptySet(conflictingFields(left))) throw conflictFailure(left);
    const forced: Owners = new Map(owners);
    const merged = updater.apply(base, applied, forced, owner, self, true);
    settle(forced);
    return merged;
  }
}

function checkedApplied(sent: unknown, context: ManagedFieldsContext): JsonObject {
  const applied = (sent ?? {}) as JsonObject;
  const { group, version, kind } = typeSaid(applied);
  const typed = `${group}/${version}, Kind=${kind}`;
  if (group !== context.group || version !== context.version || kind !== context.kind) {
    throw badRequest(`invalid object type: ${typed}`);
  }
  const metadata = (applied["metadata"] ?? {}) as JsonObject;
  if (Array.isArray(metadata["managedFields"])) {
    throw badRequest("metadata.managedFields must be nil");
  }
  try {
    validateTyped(schemaOfStruct(context.struct), applied);
  } catch (error) {
    if (!(error instanceof TypedError)) throw error;
    const name = `${textOf(metadata["namespace"])}/${textOf(metadata["name"])}`;
    throw unknownFailure(`failed to create typed patch object (${name}; ${typed}): ${error.message}`);
  }
  return plainJson(applied) as JsonObject;
}

/** What a document says of itself; nothing at all if its version is none. */
function typeSaid({ apiVersion, kind }: JsonObject): { group: string; version: string; kind: string } {
  const parts = textOf(apiVersion).split("/");
  if (parts.length > 2) return { group: "", version: "", kind: "" };
  return { group: parts.length === 2 ? parts[0]! : "", version: parts.at(-1)!, kind: textOf(kind) };
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

function toStruct(merged: JsonObject, struct: StructType, context: ManagedFieldsContext): Conformed {
  if (context.isCustom === true)
    return { object: plainJson(merged) as JsonObject, strictErrors: [], holdsEmpties: false };
  try {
    return conform(merged, struct, { dialect: "unstructured" });
  } catch (error) {
    if (!(error instanceof ConformError)) throw error;
    const metadata = (merged["metadata"] ?? {}) as JsonObject;
    const typed = `${apiVersionOf(context)}, Kind=${context.kind}`;
    const name = `(${textOf(metadata["namespace"])}/${textOf(metadata["name"])}; ${typed})`;
    throw unknownFailure(
      `failed to convert new object ${name} to proper version: unable to convert unstructured object to ${typed}: ${error.message}`,
    );
  }
}

/**
 * A write that changes nothing but the times in managedFields is no change: `object` takes the old entries, so that it
 * equals `live` again. Says whether it did.
 */
export function keepTimesIfUnchanged(live: KubernetesObject, object: KubernetesObject): boolean {
  const before = live.metadata.managedFields ?? [];
  const after = object.metadata.managedFields ?? [];
  if (before.length === 0 || before.length !== after.length) return false;
  const isSameEntry = (entry: ManagedFieldsEntry, index: number) =>
    deepEqual({ ...entry, time: "" }, { ...before[index], time: "" });
  if (!after.every(isSameEntry)) return false;
  if (!deepEqual(withoutManagedFields(live), withoutManagedFields(object))) return false;
  object.metadata.managedFields = live.metadata.managedFields!;
  return true;
}
