/**
 * The rules of metadata, for every kind. Upstream: apimachinery/pkg/api/validation/objectmeta.go and what
 * pkg/apis/core/validation adds for built-in kinds (finalizer names).
 */
import type { FieldError } from "#api/field-error.ts";
import { compareText, goJson, goStrings } from "#api/go-text.ts";
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from "#api/object.ts";
import { type RawValue, forbidden, invalid, invalidEach, raw, required, tooLong } from "./field-errors.ts";
import { fieldManagerBytesMax, fieldManagerFaults } from "./formats.ts";
import { type NameRule, isLabelValue, isQualifiedName, nameIsDnsLabel, nameIsDnsSubdomain } from "./names.ts";

export const annotationsBytesMax = 256 * 1024;
export const subresourceNameBytesMax = 256;
export const fieldImmutable = "field is immutable";

export interface ObjectMetaOptions {
  namespaced: boolean;
  /** Default: DNS-1123 subdomain. */
  nameRule?: NameRule | undefined;
  /** Built-in kinds take only standard and qualified finalizer names. Default true; false for custom resources. */
  builtIn?: boolean;
  path?: string;
}

/** On create, after a name was generated. */
export function objectMetaErrors(meta: ObjectMeta, options: ObjectMetaOptions): FieldError[] {
  const { namespaced, nameRule = nameIsDnsSubdomain, builtIn = true, path = "metadata" } = options;
  const errors: FieldError[] = [];
  const { name = "", generateName = "", namespace = "" } = meta;
  if (generateName !== "")
    errors.push(...invalidEach(`${path}.generateName`, generateName, nameRule(generateName, true)));
  if (name === "") errors.push(required(`${path}.name`, "name or generateName is required"));
  else errors.push(...invalidEach(`${path}.name`, name, nameRule(name, false)));
  if (!namespaced) {
    if (namespace !== "") errors.push(forbidden(`${path}.namespace`, "not allowed on this type"));
  } else if (namespace === "") errors.push(required(`${path}.namespace`));
  else errors.push(...invalidEach(`${path}.namespace`, namespace, nameIsDnsLabel(namespace, false)));
  if ((meta.generation ?? 0) < 0) {
    errors.push(invalid(`${path}.generation`, meta.generation, "must be greater than or equal to 0"));
  }
  errors.push(
    ...labelsErrors(meta.labels, `${path}.labels`),
    ...annotationsErrors(meta.annotations, `${path}.annotations`),
    ...ownerReferencesErrors(meta.ownerReferences, `${path}.ownerReferences`),
    ...finalizersErrors(meta.finalizers, `${path}.finalizers`),
    ...managedFieldsErrors(meta.managedFields, `${path}.managedFields`),
  );
  if (builtIn) errors.push(...builtInFinalizersErrors(meta.finalizers, `${path}.finalizers`));
  return errors;
}

/** On update: what may not change, and the form of what may. */
export function objectMetaUpdateErrors(
  meta: ObjectMeta,
  old: ObjectMeta,
  { builtIn = true, path = "metadata" }: { builtIn?: boolean; path?: string } = {},
): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined) errors.push(...newFinalizersErrors(meta, old, `${path}.finalizers`));
  if ((meta.resourceVersion ?? "") === "") {
    errors.push(invalid(`${path}.resourceVersion`, "", "must be specified for an update"));
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalid(`${path}.generation`, meta.generation ?? 0, "must not be decremented"));
  }
  for (const key of ["name", "namespace", "uid"] as const) {
    if ((meta[key] ?? "") !== (old[key] ?? "")) errors.push(invalid(`${path}.${key}`, meta[key] ?? "", fieldImmutable));
  }
  for (const key of ["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] as const) {
    if (meta[key] !== old[key]) errors.push(invalid(`${path}.${key}`, meta[key], fieldImmutable));
  }
  errors.push(
    ...labelsErrors(meta.labels, `${path}.labels`),
    ...annotationsErrors(meta.annotations, `${path}.annotations`),
    ...ownerReferencesErrors(meta.ownerReferences, `${path}.ownerReferences`),
    ...managedFieldsErrors(meta.managedFields, `${path}.managedFields`),
  );
  if (builtIn) errors.push(...builtInFinalizersErrors(meta.finalizers, `${path}.finalizers`));
  return errors;
}

function newFinalizersErrors(meta: ObjectMeta, old: ObjectMeta, field: string): FieldError[] {
  const before = new Set(old.finalizers);
  const added = [...new Set(meta.finalizers)].filter((finalizer) => !before.has(finalizer)).sort(compareText);
  if (added.length === 0) return [];
  const text = "no new finalizers can be added if the object is being deleted, found new finalizers";
  return [forbidden(field, `${text} ${goStrings(added)}`)];
}

export function labelsErrors(labels: Readonly<Record<string, string>> | undefined, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const key in labels) {
    const value = labels[key]!;
    for (const fault of isQualifiedName(key)) errors.push(invalid(field, key, fault));
    for (const fault of isLabelValue(value)) errors.push(invalid(field, value, fault));
  }
  return errors;
}

export function annotationsErrors(
  annotations: Readonly<Record<string, string>> | undefined,
  field: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const key in annotations) {
    for (const fault of isQualifiedName(key.toLowerCase())) errors.push(invalid(field, key, fault));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(annotations[key]!);
  }
  if (bytes > annotationsBytesMax) errors.push(tooLong(field, annotationsBytesMax));
  return errors;
}

export function ownerReferencesErrors(references: readonly OwnerReference[] | undefined, field: string): FieldError[] {
  const errors: FieldError[] = [];
  let controller: string | undefined;
  let shown: RawValue | undefined;
  for (const reference of references ?? []) {
    errors.push(...ownerReferenceErrors(reference, field));
    if (reference.controller !== true) continue;
    const name = `${reference.kind}/${reference.name}`;
    if (controller === undefined) controller = name;
    else {
      const text = 'Only one reference can have Controller set to true. Found "true" in references for';
      shown ??= raw(goJson(references));
      errors.push(invalid(field, shown, `${text} ${controller} and ${name}`));
    }
  }
  return errors;
}

function ownerReferenceErrors(reference: OwnerReference, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const { apiVersion = "", kind = "", name = "", uid = "" } = reference as Partial<OwnerReference>;
  const parts = apiVersion.split("/");
  const version = parts.length === 1 ? parts[0]! : parts.length === 2 ? parts[1]! : "";
  if (version === "") errors.push(invalid(`${field}.apiVersion`, apiVersion, "version must not be empty"));
  if (kind === "") errors.push(invalid(`${field}.kind`, kind, "must not be empty"));
  if (name === "") errors.push(invalid(`${field}.name`, name, "must not be empty"));
  if (uid === "") errors.push(invalid(`${field}.uid`, uid, "must not be empty"));
  if (apiVersion === "v1" && kind === "Event") {
    errors.push(invalid(field, reference, "/v1, Kind=Event is disallowed from being an owner"));
  }
  return errors;
}

export function finalizersErrors(finalizers: readonly string[] | undefined, field: string): FieldError[] {
  if (finalizers === undefined) return [];
  const errors = finalizers.flatMap((finalizer) => invalidEach(field, finalizer, isQualifiedName(finalizer)));
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    errors.push(invalid(field, finalizers, "finalizer orphan and foregroundDeletion cannot be both set"));
  }
  return errors;
}

const standardFinalizers = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

export function builtInFinalizersErrors(finalizers: readonly string[] | undefined, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, finalizer] of (finalizers ?? []).entries()) {
    if (finalizer.includes("/") || standardFinalizers.has(finalizer)) continue;
    const text = "name is neither a standard finalizer name nor is it fully qualified";
    errors.push(invalid(`${field}[${index}]`, finalizer, text));
  }
  return errors;
}

export function managedFieldsErrors(entries: readonly ManagedFieldsEntry[] | undefined, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, entry] of (entries ?? []).entries()) {
    const path = `${field}[${index}]`;
    const { operation = "", fieldsType = "", manager = "", subresource = "" } = entry;
    if (operation !== "Apply" && operation !== "Update") {
      errors.push(invalid(`${path}.operation`, operation, "must be `Apply` or `Update`"));
    }
    if (fieldsType !== "" && fieldsType !== "FieldsV1") {
      errors.push(invalid(`${path}.fieldsType`, fieldsType, "must be `FieldsV1`"));
    }
    errors.push(...fieldManagerErrors(manager, `${path}.manager`));
    if (Buffer.byteLength(subresource) > subresourceNameBytesMax) {
      errors.push(tooLong(`${path}.subresource`, subresourceNameBytesMax));
    }
  }
  return errors;
}

/** The name of a field manager, in managedFields and in the query of a request. */
export function fieldManagerErrors(manager: string, field: string): FieldError[] {
  const long = Buffer.byteLength(manager) > fieldManagerBytesMax ? [tooLong(field, fieldManagerBytesMax)] : [];
  return [...long, ...invalidEach(field, manager, fieldManagerFaults(manager))];
}
