/** What the server itself says in an object's metadata. Upstream: apiserver/pkg/registry/rest/meta.go, create.go, update.go. */
import { randomUUID } from "node:crypto";
import { formatTime } from "#lib/clock.ts";
import { type Random, randomSuffix } from "#lib/random.ts";
import { sortedJson } from "#api/go-text.ts";
import type { KubernetesObject, ObjectMeta } from "#api/object.ts";
import { badRequest } from "#api/status-catalogue.ts";
import type { ResourceDefinition } from "#api/resource.ts";
import type { ServedResource } from "#apiserver/catalogue.ts";
import { addWarning } from "./warnings.ts";

const nameCharactersMax = 63;
const suffixCharacters = 5;

/** Drops what clients may not set at creation, and gives the object its identity. */
export function fillSystemMetadata(meta: ObjectMeta, now: number): void {
  delete meta.deletionTimestamp;
  delete meta.deletionGracePeriodSeconds;
  delete meta.selfLink;
  meta.uid = randomUUID();
  meta.creationTimestamp = formatTime(now);
}

export function generateName(base: string, random: Random): string {
  return base.slice(0, nameCharactersMax - suffixCharacters) + randomSuffix(suffixCharacters, random);
}

/** Upstream's EnsureObjectNamespaceMatchesRequestNamespace. */
export function matchNamespace(resource: ServedResource, meta: ObjectMeta, requestNamespace: string): void {
  if (!resource.isNamespaced) {
    delete meta.namespace;
    return;
  }
  const { namespace = "" } = meta;
  if (namespace === "") meta.namespace = requestNamespace;
  else if (namespace !== requestNamespace)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

const duplicateOwnersAdvice =
  "API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests";

/**
 * Takes out owner references that are there twice, with a warning. Upstream looks before and after admission; a patch is
 * looked at after it only. Upstream: handlers/rest.go dedupOwnerReferencesAndAddWarning.
 */
export function dropDuplicateOwners(meta: ObjectMeta, when: "before" | "after", warnings: string[]): void {
  const { ownerReferences: all } = meta;
  if (all === undefined || all === null || all.length < 2) return;
  const distinct = new Map(all.toReversed().map((one) => [sortedJson(one), one]));
  if (distinct.size === all.length) return;
  const first = new Set(distinct.values());
  const kept = all.filter((one) => first.has(one));
  const twice = all.filter((one) => !first.has(one)).map(({ uid }) => uid ?? "");
  const after = when === "after" ? " after mutating admission happens" : "";
  const found = `.metadata.ownerReferences contains duplicate entries${after}`;
  addWarning(warnings, `${found}; ${duplicateOwnersAdvice}; duplicate UID(s) observed: ${twice.join(", ")}`);
  meta.ownerReferences = kept;
}

/** Carries over what an update can never change. */
export function keepSystemMetadata(meta: ObjectMeta, old: ObjectMeta): void {
  if ((meta.uid ?? "") === "") keep(meta, old, "uid");
  keep(meta, old, "creationTimestamp");
  if (old.deletionTimestamp !== undefined) keep(meta, old, "deletionTimestamp");
  if (old.deletionGracePeriodSeconds !== undefined && meta.deletionGracePeriodSeconds === undefined)
    keep(meta, old, "deletionGracePeriodSeconds");
  keep(meta, old, "generation");
}

function keep<K extends keyof ObjectMeta>(meta: ObjectMeta, old: ObjectMeta, key: K): void {
  if (old[key] === undefined) delete meta[key];
  else meta[key] = old[key];
}

/** Kinds that do not count generations keep what a client says at creation. */
export function firstGeneration(definition: ResourceDefinition, object: KubernetesObject): void {
  if (definition.generation !== "none") object.metadata.generation = 1;
}

/** Grows the generation when what it counts has changed. */
export function nextGeneration(definition: ResourceDefinition, object: KubernetesObject, old: KubernetesObject): void {
  const { generation = "spec" } = definition;
  if (generation === "none") return;
  const grows = generation === "spec" ? isSpecChanged(object, old) : generation(object, old);
  if (grows) object.metadata.generation = (old.metadata.generation ?? 0) + 1;
}

function isSpecChanged(object: KubernetesObject, old: KubernetesObject): boolean {
  const fields = new Set([...Object.keys(object), ...Object.keys(old)]);
  for (const field of fields) {
    if (field === "metadata" || field === "status" || field === "kind" || field === "apiVersion") continue;
    if (
      !isEqual(
        (object as unknown as Record<string, unknown>)[field],
        (old as unknown as Record<string, unknown>)[field],
      )
    )
      return true;
  }
  return false;
}

/** Equal as JSON; the order of keys does not count. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => isEqual(item, b[index]));
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = Object.keys(left).filter((key) => left[key] !== undefined);
  if (keys.length !== Object.keys(right).filter((key) => right[key] !== undefined).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && isEqual(left[key], right[key]));
}

/** A copy that shares nothing; for plain JSON data. */
export function clone<T>(value: T): T {
  if (value === null || typeof value !== "object" || value instanceof Number) return value;
  if (Array.isArray(value)) return value.map(clone) as T;
  const copy: Record<string, unknown> = {};
  for (const key in value) {
    // Assigning to "__proto__" would set the prototype instead of a field.
    if (key === "__proto__")
      Object.defineProperty(copy, key, {
        value: clone(value[key]),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    else copy[key] = clone(value[key]);
  }
  return copy as T;
}

/** Groups whose finalizers upstream checks by name; the others came later and do not. */
export function checksFinalizerNames({ custom, group }: ServedResource): boolean {
  return custom === undefined && group !== "apiextensions.k8s.io" && group !== "apiregistration.k8s.io";
}
