/**
 * The annotation of client-side apply, as far as server-side apply by kubectl cares for it: fields that client-side apply
 * set are kubectl's own, and the annotation follows what kubectl applies. Upstream: managedfields/internal/lastapplied*.go.
 */
import { goJson, withSortedKeys } from "#api/go-text.ts";
import type { StructType } from "#api/schema/model.ts";
import { annotationsBytesMax } from "#api/validation/object-meta.ts";
import { type FieldSet, difference } from "./field-set.ts";
import { compareTyped, fieldSetOf } from "./typed-compare.ts";
import { TypedError, validateTyped } from "./typed-validate.ts";
import { ItemKeyError, isMap, type JsonObject } from "./typed.ts";
import { schemaOfStruct } from "./updater.ts";

export const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";
export const kubectlManager = "kubectl";

function annotationsOf(object: JsonObject): Record<string, string> {
  const { metadata } = object;
  const annotations = isMap(metadata) ? metadata["annotations"] : undefined;
  return isMap(annotations) ? (annotations as Record<string, string>) : {};
}

export const hasLastApplied = (object: JsonObject): boolean =>
  (annotationsOf(object)[lastAppliedAnnotation] ?? "") !== "";

/** Fields that client-side apply set and nobody changed since; undefined: there are none to speak of. */
export function fieldsOfLastApplied(live: JsonObject, struct: StructType, apiVersion: string): FieldSet | undefined {
  const text = annotationsOf(live)[lastAppliedAnnotation];
  if (text === undefined || text === "") return undefined;
  try {
    const last: unknown = JSON.parse(text);
    if (!isMap(last) || last["apiVersion"] !== apiVersion) return undefined;
    const schema = schemaOfStruct(struct);
    validateTyped(schema, last);
    const { added, modified, removed } = compareTyped(schema, last, live);
    return [modified, added, removed].reduce(difference, fieldSetOf(schema, last));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypedError || error instanceof ItemKeyError) return undefined;
    throw error;
  }
}

/** Rewrites the annotation of `object` to what was just applied. Changes `object`. */
export function followLastApplied(object: JsonObject, applied: JsonObject): void {
  const annotations: Record<string, string> = {
    ...annotationsOf(object),
    [lastAppliedAnnotation]: textOfApplied(applied),
  };
  const bytes = Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  if (bytes > annotationsBytesMax) delete annotations[lastAppliedAnnotation];
  object["metadata"] = { ...(object["metadata"] as JsonObject), annotations };
}

function textOfApplied(applied: JsonObject): string {
  const metadata = { ...(isMap(applied["metadata"]) ? applied["metadata"] : {}) };
  delete metadata["managedFields"];
  const annotations: Record<string, string> = { ...annotationsOf(applied) };
  delete annotations[lastAppliedAnnotation];
  if (Object.keys(annotations).length > 0) metadata["annotations"] = annotations;
  else if ("annotations" in metadata) metadata["annotations"] = {};
  return `${goJson(withSortedKeys({ ...applied, metadata }))}\n`;
}
