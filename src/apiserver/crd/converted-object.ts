/** What a conversion webhook gave back: the object it was given, in the version that was asked for. Upstream: webhook_converter.go. */
import type { FieldError } from "#api/field-error.ts";
import type { KubernetesObject } from "#api/object.ts";
import { unknownFailure } from "#api/status-catalogue.ts";
import { aggregateText, fieldErrorText } from "#api/validation/field-errors.ts";
import { annotationsErrors, labelsErrors } from "#api/validation/object-meta.ts";

/** A webhook may change all but what says which object it is; of the metadata it may change labels and annotations. */
export function checkedConversion(
  original: KubernetesObject,
  converted: KubernetesObject,
  apiVersion: string,
  what: string,
  index: number,
): KubernetesObject {
  const fault = (text: string) => unknownFailure(`${what} returned invalid ${text}`);
  if (converted.apiVersion !== apiVersion)
    throw fault(
      `object at index ${index}: invalid groupVersion (expected ${apiVersion}, received ${converted.apiVersion})`,
    );
  if (converted.kind !== original.kind)
    throw fault(`object at index ${index}: invalid kind (expected ${original.kind}, received ${converted.kind})`);
  const metadata = (converted as { metadata?: unknown }).metadata;
  const said = isRecord(metadata) ? metadata : {};
  for (const [field, name] of [
    ["name", "name"],
    ["namespace", "namespace"],
    ["uid", "UID"],
  ] as const) {
    const expected = original.metadata[field] ?? "";
    const got = said[field] ?? "";
    if (expected !== got) throw fault(`object: must have the same ${name}: ${expected} != ${String(got)}`);
  }
  if (metadata === undefined) throw fault("metadata: missing metadata in converted object");
  if (!isRecord(metadata)) throw fault(`metadata: invalid metadata of type ${goType(metadata)} in converted object`);
  return { ...converted, metadata: restored(original, metadata, fault) };
}

function restored(
  { metadata: original }: KubernetesObject,
  said: Record<string, unknown>,
  fault: (text: string) => Error,
): KubernetesObject["metadata"] {
  const metadata = structuredClone(original);
  for (const field of ["labels", "annotations"] as const) {
    const value = said[field];
    delete metadata[field];
    if (value === undefined || value === null) continue;
    if (!isRecord(value))
      throw fault(`metadata: invalid metadata.${field} of type ${goType(value)} in converted object`);
    for (const [key, one] of Object.entries(value))
      if (typeof one !== "string")
        throw fault(`metadata: metadata.${field}[${key}] must be a string, but is ${goType(one)} in converted object`);
    const texts = value as Record<string, string>;
    const before = original[field] ?? {};
    const isChanged =
      Object.keys(before).length !== Object.keys(texts).length ||
      Object.entries(texts).some(([key, one]) => before[key] !== one);
    const errors: FieldError[] = isChanged
      ? field === "labels"
        ? labelsErrors(texts, "metadata.labels")
        : annotationsErrors(texts, "metadata.annotation")
      : [];
    if (errors.length > 0) throw fault(`metadata: ${aggregateText(errors.map(fieldErrorText))}`);
    metadata[field] = texts;
  }
  return metadata;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function goType(value: unknown): string {
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return "[]interface {}";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  if (typeof value === "boolean") return "bool";
  return typeof value === "string" ? "string" : "map[string]interface {}";
}
