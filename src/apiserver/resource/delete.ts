/**
 * DELETE of one object and of a collection: preconditions, grace, finalizers, propagation.
 * Upstream: registry/rest/delete.go, registry/generic/registry/store.go.
 */
import { formatTime } from "#lib/clock.ts";
import type { KubernetesObject } from "#api/object.ts";
import { conflict, notFound } from "#api/status-catalogue.ts";
import { type ObjectAnswer, objectAnswer } from "#apiserver/answer.ts";
import type { Entry } from "#apiserver/cache/entry.ts";
import type { Operation } from "#apiserver/operation.ts";
import { admissionFor } from "./create.ts";
import { type DeleteOptions, readDeleteOptions } from "./delete-options.ts";
import { keyOf } from "./keys.ts";
import { clone, isEqual } from "./metadata.ts";
import { viewOf } from "./read.ts";
import { shownEntry } from "./stored-entries.ts";
import { viewEntry } from "./views.ts";
import { deleteKey, putObject, unwritten, untilWritten } from "./write.ts";

const orphan = "orphan";
const foreground = "foregroundDeletion";

export async function deleteObject(request: Operation): Promise<ObjectAnswer> {
  const { resource, info } = request;
  keyOf(resource, info.namespace, info.name);
  const options = await readDeleteOptions(request);
  const operation = asAsked(request, options);
  const { entry, isGone } = await removeObject(operation, info.name, options);
  if (isGone && resource.definition.deleteReturnsObject !== true)
    return objectAnswer(successOf(operation, entry.object));
  const isPending = !isGone && options.orphanDependents === false;
  return viewEntry(viewOf(operation), entry, isPending ? 202 : 200);
}

/** Whether a deletion is a dry run is said by its options, wherever they are. */
export const asAsked = (operation: Operation, { dryRun = [] }: DeleteOptions): Operation => ({
  ...operation,
  dryRun: dryRun.length > 0,
});

function successOf({ resource }: Operation, { metadata }: KubernetesObject) {
  const { group, plural } = resource;
  const details = { name: metadata.name, ...(group === "" ? {} : { group }), kind: plural, uid: metadata.uid };
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
}

export interface Removed {
  /** The object as it is now, or as it was last. */
  entry: Entry;
  isGone: boolean;
}

export function removeObject(operation: Operation, name: string, options: DeleteOptions): Promise<Removed> {
  const { resource, info, services } = operation;
  const key = keyOf(resource, info.namespace, name);
  return untilWritten(operation, key, async () => {
    const current = await shownEntry(resource, resource.cache.get(key));
    if (current === undefined) throw notFound(resource.resourceName, name);
    checkPreconditions(operation, current, options);
    const operationOptions = { kind: "DeleteOptions", apiVersion: "meta.k8s.io/v1", ...options };
    const admission = { ...admissionFor(operation, "DELETE", undefined, current.object), name, operationOptions };
    await services.admission.mutate(admission);
    await services.admission.validate(admission);
    return removeOnce(operation, key, current, options);
  });
}

/** undefined: someone else was faster. */
async function removeOnce(
  operation: Operation,
  key: string,
  current: Entry,
  options: DeleteOptions,
): Promise<Removed | undefined> {
  const object = clone(current.object);
  const hook = operation.services.hooks.get(operation.resource.group, operation.resource.plural);
  const first = hook?.beginDelete?.(object, operation, options) ?? "go on";
  if (first === "wait") return { entry: current, isGone: false };
  if (first === "write") return store(operation, key, object, current);
  const grace = beginGrace(operation, object, options);
  if (grace === "pending") return { entry: current, isGone: false };
  const finalizers = propagationFinalizers(operation, object, options);
  const hasNewFinalizers = !sameSet(finalizers, object.metadata.finalizers ?? []);
  if (hasNewFinalizers) setFinalizers(object, finalizers);
  const waits = (object.metadata.finalizers?.length ?? 0) > 0;
  if (grace === "none" && waits) markDeleting(object, operation.now);
  const isGraceful = grace === "begun" && (object.metadata.deletionGracePeriodSeconds ?? 0) > 0;
  if (!waits && !isGraceful) {
    // Watchers of a kind with grace see the object end before it is gone.
    const ended = grace === "begun" ? await store(operation, key, object, current) : undefined;
    if (grace === "begun" && ended === undefined) return undefined;
    const last = ended?.entry ?? current;
    const entry = await eraseObject(operation, key, operation.dryRun ? current : last, last.object, "deletion");
    return entry === undefined ? undefined : { entry, isGone: true };
  }
  return store(operation, key, object, current);
}

async function store(
  operation: Operation,
  key: string,
  object: KubernetesObject,
  current: Entry,
): Promise<Removed | undefined> {
  if (isEqual(object, current.object)) return { entry: current, isGone: false };
  if (operation.dryRun) return { entry: unwritten(key, object, current.revision), isGone: false };
  const written = await putObject(operation, key, object, current.revision);
  return written.ok ? { entry: written.entry, isGone: false } : undefined;
}

type Grace = "none" | "pending" | "begun";

/** Upstream's BeforeDelete: writes into `object` when and how it will go. */
function beginGrace({ resource, now }: Operation, object: KubernetesObject, options: DeleteOptions): Grace {
  const { definition } = resource;
  const { metadata } = object;
  const requested =
    options.gracePeriodSeconds !== undefined && options.gracePeriodSeconds < 0 ? 1 : options.gracePeriodSeconds;
  if (definition.gracePeriodSeconds === undefined) return "none";
  if (metadata.deletionTimestamp !== undefined) {
    const left = metadata.deletionGracePeriodSeconds ?? 0;
    if (left === 0) return "none";
    if (requested === undefined || requested >= left) return "pending";
    const at = Date.parse(metadata.deletionTimestamp) + (requested - left) * 1000;
    metadata.deletionTimestamp = formatTime(at);
    metadata.deletionGracePeriodSeconds = requested;
    return "begun";
  }
  const seconds = definition.gracePeriodSeconds(object, requested);
  if (seconds === undefined) return "none";
  metadata.deletionTimestamp = formatTime(now + seconds * 1000);
  metadata.deletionGracePeriodSeconds = seconds;
  if ((metadata.generation ?? 0) > 0) metadata.generation = metadata.generation! + 1;
  return "begun";
}

/** An object without grace that finalizers hold. */
function markDeleting({ metadata }: KubernetesObject, now: number): void {
  if (metadata.deletionGracePeriodSeconds === undefined && (metadata.generation ?? 0) > 0)
    metadata.generation = metadata.generation! + 1;
  if (metadata.deletionTimestamp === undefined || Date.parse(metadata.deletionTimestamp) > now)
    metadata.deletionTimestamp = formatTime(now);
  metadata.deletionGracePeriodSeconds = 0;
}

/** The finalizers of the object with those that the propagation policy asks for. */
function propagationFinalizers(
  { resource }: Operation,
  { metadata }: KubernetesObject,
  options: DeleteOptions,
): string[] {
  const present = metadata.finalizers ?? [];
  const policy = propagationOf(options, present, resource.definition.defaultPropagation);
  const others = present.filter((finalizer) => finalizer !== orphan && finalizer !== foreground);
  if (policy === "Orphan") return [...others, orphan];
  return policy === "Foreground" ? [...others, foreground] : others;
}

/** What the request says, else what the object's finalizers say, else the kind's habit. */
function propagationOf(
  { orphanDependents, propagationPolicy }: DeleteOptions,
  finalizers: readonly string[],
  habit: "Orphan" | "Background" | "Foreground" = "Background",
): string {
  if (orphanDependents !== undefined) return orphanDependents ? "Orphan" : "Background";
  if (propagationPolicy !== undefined) return propagationPolicy;
  for (const finalizer of finalizers) {
    if (finalizer === orphan) return "Orphan";
    if (finalizer === foreground) return "Foreground";
  }
  return habit;
}

function setFinalizers({ metadata }: KubernetesObject, finalizers: string[]): void {
  if (finalizers.length === 0) delete metadata.finalizers;
  else metadata.finalizers = finalizers;
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const left = new Set(a);
  const right = new Set(b);
  return left.size === right.size && [...left].every((item) => right.has(item));
}

/**
 * Takes the object out of the store; `last` is how it looks in the answer. undefined: someone else was faster. A deletion
 * shows the revision at which the object went, an update that releases it the one that it had.
 */
export async function eraseObject(
  operation: Operation,
  key: string,
  current: Entry,
  last: KubernetesObject,
  cause: "deletion" | "update",
): Promise<Entry | undefined> {
  const { resource, services, dryRun } = operation;
  if (dryRun) return unwritten(key, last, current.revision);
  const hook = services.hooks.get(resource.group, resource.plural);
  const result = await deleteKey(
    operation,
    key,
    current.revision,
    hook?.writes?.(undefined, current.object, operation),
  );
  if (!result.ok) return undefined;
  hook?.afterWrite?.(undefined, current.object, operation);
  return unwritten(key, last, cause === "deletion" ? result.revision : current.revision);
}

function checkPreconditions(operation: Operation, { object }: Entry, { preconditions }: DeleteOptions): void {
  const { resource, services } = operation;
  const { name = "", uid = "", resourceVersion = "" } = object.metadata;
  if (services.hooks.get(resource.group, resource.plural)?.checksPreconditions === true) {
    checkOwnPreconditions(operation, object, preconditions ?? {});
    return;
  }
  const about = { group: resource.group, resource: resource.kind };
  if (preconditions?.uid !== undefined && preconditions.uid !== uid) {
    const text = `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    throw conflict(about, name, text);
  }
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) {
    const text = `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`;
    throw conflict(about, name, text);
  }
}

/** Upstream: customresourcedefinition/etcd.go, core/namespace/storage. */
function checkOwnPreconditions(
  { resource }: Operation,
  { metadata }: KubernetesObject,
  preconditions: NonNullable<DeleteOptions["preconditions"]>,
): void {
  for (const [field, label] of [
    ["uid", "UID"],
    ["resourceVersion", "ResourceVersion"],
  ] as const) {
    const wanted = preconditions[field];
    const actual = metadata[field] ?? "";
    if (wanted === undefined || wanted === actual) continue;
    const text = `Precondition failed: ${label} in precondition: ${wanted}, ${label} in object meta: ${actual}`;
    throw conflict(resource.resourceName, metadata.name ?? "", text);
  }
}
