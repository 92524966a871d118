/** The query of writes, checked. Upstream: apimachinery/pkg/apis/meta/v1/validation/validation.go. */
import { sortedJson } from "#api/go-text.ts";
import type { FieldError } from "#api/field-error.ts";
import { forbidden, invalidObject, notSupported, required } from "#api/validation/field-errors.ts";
import { fieldManagerErrors } from "#api/validation/object-meta.ts";
import type { Query } from "#apiserver/request.ts";

export interface WriteOptions {
  dryRun: boolean;
  fieldManager: string;
  fieldValidation: "Strict" | "Warn" | "Ignore";
  force: boolean;
}

export type OptionsKind = "CreateOptions" | "UpdateOptions" | "PatchOptions";

export function writeOptions(kind: OptionsKind, query: Query, isApply = false): WriteOptions {
  const dryRun = query.all("dryRun");
  const fieldManager = query.get("fieldManager") ?? "";
  const fieldValidation = query.get("fieldValidation") ?? "";
  const force = query.flag("force");
  const errors: FieldError[] = [];
  if (kind === "PatchOptions") errors.push(...applyErrors(fieldManager, force, isApply));
  errors.push(...fieldManagerErrors(fieldManager, "fieldManager"), ...dryRunErrors(dryRun));
  if (!["", "Strict", "Warn", "Ignore"].includes(fieldValidation))
    errors.push(notSupported("fieldValidation", fieldValidation, ["", "Ignore", "Strict", "Warn"]));
  if (errors.length > 0) throw invalidObject({ group: "meta.k8s.io", kind }, "", errors);
  return {
    dryRun: dryRun.length > 0,
    fieldManager,
    fieldValidation: fieldValidation === "" ? "Warn" : (fieldValidation as WriteOptions["fieldValidation"]),
    force: force ?? false,
  };
}

function applyErrors(fieldManager: string, force: boolean | undefined, isApply: boolean): FieldError[] {
  if (isApply) return fieldManager === "" ? [required("fieldManager", "is required for apply patch")] : [];
  return force === undefined ? [] : [forbidden("force", "may not be specified for non-apply patch")];
}

export function dryRunErrors(dryRun: readonly string[]): FieldError[] {
  if (dryRun.every((value) => value === "All")) return [];
  return [notSupportedList("dryRun", dryRun, ["All"])];
}

function notSupportedList(field: string, values: readonly string[], supported: readonly string[]): FieldError {
  const shown = supported.map((value) => JSON.stringify(value)).join(", ");
  return {
    field,
    type: "FieldValueNotSupported",
    message: `Unsupported value: ${sortedJson(values)}: supported values: ${shown}`,
  };
}

/** Who writes: the named manager, else what the client calls itself. Upstream: managerOrUserAgent, prefixFromUserAgent. */
export function managerName(fieldManager: string, userAgent: string | undefined): string {
  if (fieldManager !== "") return fieldManager;
  const prefix = (userAgent ?? "").split("/")[0]!;
  let name = "";
  for (const character of prefix) {
    if (!/\p{C}/u.test(character) && Buffer.byteLength(name + character) <= 128) name += character;
  }
  return name === "" ? "unknown" : name;
}
