/**
 * PATCH of a built-in kind in its three client-made forms: from the bytes of the patch and the live object to the object that
 * the client wants, before defaults, or upstream's answer to a bad patch. Apply is in src/api/apply.
 */
import { ConformError, conform } from "#api/decode/conform.ts";
import { parseJson } from "#api/decode/json.ts";
import { JsonNumber, JsonSyntaxError, type JsonDocument, jsonTypeName, plainJson } from "#api/decode/json-value.ts";
import { type ExpectedKind, type FieldValidation, conformToKind } from "#api/decode/decode.ts";
import { goJson, goValue } from "#api/go-text.ts";
import type { KubernetesObject, UnknownObject } from "#api/object.ts";
import { badRequest, tooLarge, unknownFailure } from "#api/status-catalogue.ts";
import { type StatusError, failure } from "#api/status-error.ts";
import { invalid, invalidObject } from "#api/validation/field-errors.ts";
import { JsonPatchError, type JsonPatchOperation, applyJsonPatch, jsonPatchOperationsMax } from "./json-patch.ts";
import { applyMergePatch } from "./merge-patch.ts";
import { StrategicMergeError, applyStrategicMerge } from "./strategic-merge.ts";

export type PatchType = "json" | "merge" | "strategic";

export interface Patched {
  object: UnknownObject;
  warnings: string[];
  holdsEmpties: boolean;
}

type JsonObject = Record<string, unknown>;

/** `live` in the version that the request names. Throws StatusError. */
export function applyPatch(
  type: PatchType,
  bytes: Uint8Array,
  live: KubernetesObject,
  expected: ExpectedKind,
  fieldValidation: FieldValidation,
): Patched {
  const document = readPatch(type, bytes, fieldValidation);
  return type === "strategic"
    ? strategicPatch(document, live, expected, fieldValidation)
    : plainPatch(type, document, live, expected, fieldValidation);
}

/** The JSON and merge forms for objects of any kind: the patched document and what was odd about the patch. */
export function patchDocument(
  type: "json" | "merge",
  bytes: Uint8Array,
  live: object,
  fieldValidation: FieldValidation = "Warn",
): { document: unknown; strictErrors: string[] } {
  const patch = readPatch(type, bytes, fieldValidation);
  return { document: patchedDocument(type, patch.value, live), strictErrors: strictErrorsOf(type, patch) };
}

/** Where unknown fields do not matter, upstream reads a patch by other means, with other words for what it cannot read. */
function readPatch(type: PatchType, bytes: Uint8Array, fieldValidation: FieldValidation): JsonDocument {
  const isLax = fieldValidation === "Ignore";
  const prefix = type === "strategic" || isLax ? "" : "error decoding patch: ";
  let document: JsonDocument;
  try {
    document = parseJson(bytes);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw badRequest(isLax && type === "merge" ? badMergePatch : `${prefix}${error.message}`);
  }
  const { value } = document;
  const wrong = (goType: string, one: unknown = value) =>
    badRequest(`${prefix}json: cannot unmarshal ${jsonTypeName(one)} into Go value of type ${goType}`);
  if (type !== "json") {
    if (value === null || isObject(value)) return document;
    if (isLax && type === "merge") {
      if (Array.isArray(value)) return document;
      throw badRequest(badMergePatch);
    }
    throw wrong("map[string]interface {}");
  }
  if (value !== null && !Array.isArray(value)) throw wrong(isLax ? "jsonpatch.Patch" : "[]handlers.jsonPatchOp");
  const operations: unknown[] = value ?? [];
  const odd = operations.find((item) => item !== null && !isObject(item));
  if (odd !== undefined) throw wrong(isLax ? "jsonpatch.Operation" : "handlers.jsonPatchOp", odd);
  if (!isLax) checkTypes(operations);
  checkCount(operations);
  return document;
}

const badMergePatch = "Invalid JSON Patch";

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);

function checkTypes(operations: readonly unknown[]): void {
  for (const operation of operations) {
    if (!isObject(operation)) continue;
    for (const name of ["op", "path", "from"] as const) {
      const value = operation[name];
      if (value === undefined || value === null || typeof value === "string") continue;
      const what = `json: cannot unmarshal ${jsonTypeName(value)} into Go struct field`;
      throw badRequest(`error decoding patch: ${what} jsonPatchOp.${name} of type string`);
    }
  }
}

function checkCount(operations: readonly unknown[]): void {
  if (operations.length > jsonPatchOperationsMax) {
    const text = `The allowed maximum operations in a JSON patch is ${jsonPatchOperationsMax}, got ${operations.length}`;
    throw tooLarge(text);
  }
}

function plainPatch(
  type: "json" | "merge",
  patch: JsonDocument,
  live: KubernetesObject,
  expected: ExpectedKind,
  fieldValidation: FieldValidation,
): Patched {
  const patched = patchedDocument(type, patch.value, live);
  // Texts show the document in the order in which Go would have written the live object.
  const text = () => goJson(patchedDocument(type, patch.value, conform(live, expected.struct).object));
  try {
    const { object, strictErrors, holdsEmpties } = conformToKind(patched, expected);
    const warnings = [...strictErrorsOf(type, patch), ...strictErrors];
    return { object, warnings: told(warnings, text, fieldValidation), holdsEmpties };
  } catch (error) {
    if (!(error instanceof ConformError)) throw error;
    throw invalidPatch(text(), error.message);
  }
}

function patchedDocument(type: "json" | "merge", patch: unknown, live: object): unknown {
  if (type === "merge") {
    if (patch === null) throw badRequest(badMergePatch);
    if (Array.isArray(patch)) return patch; // no object to merge: it takes the place of the document
    return applyMergePatch(live as JsonObject, patch as JsonObject);
  }
  try {
    return applyJsonPatch(
      live,
      ((patch ?? []) as (JsonPatchOperation | null)[]).map((one) => one ?? {}),
    );
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error;
    throw rejected();
  }
}

/** Upstream hides why an operation failed. */
const rejected = (): StatusError =>
  failure(422, "Invalid", "the server rejected our request due to an error in our request", {});

const operationMembers = new Set(["op", "path", "from", "value"]);

function strictErrorsOf(type: PatchType, { value, duplicates }: JsonDocument): string[] {
  if (type !== "json") return duplicatePaths(value, duplicates, "").map((path) => `duplicate field "${path}"`);
  return ((value ?? []) as unknown[]).flatMap((operation, index) => {
    if (!isObject(operation)) return [];
    const repeated = duplicates?.get(operation) ?? [];
    const at = (place: number) =>
      repeated.filter((one) => one.at === place).map(({ key }) => `json patch duplicate field "[${index}].${key}"`);
    const names = Object.keys(operation);
    const errors = names.flatMap((name, place) =>
      operationMembers.has(name) ? at(place) : [...at(place), `json patch unknown field "[${index}].${name}"`],
    );
    return [...errors, ...at(names.length)];
  });
}

function duplicatePaths(value: unknown, duplicates: JsonDocument["duplicates"], path: string): string[] {
  if (duplicates === undefined || typeof value !== "object" || value === null) return [];
  const at = (name: string) => (path === "" ? name : `${path}.${name}`);
  const own = (duplicates.get(value) ?? []).map(({ key }) => at(key));
  const inner = Array.isArray(value)
    ? value.flatMap((item, index) => duplicatePaths(item, duplicates, `${path}[${index}]`))
    : Object.entries(value).flatMap(([name, item]) => duplicatePaths(item, duplicates, at(name)));
  return [...own, ...inner];
}

function strategicPatch(
  patch: JsonDocument,
  live: KubernetesObject,
  expected: ExpectedKind,
  fieldValidation: FieldValidation,
): Patched {
  const text = () => goValue(plainJson(patch.value));
  try {
    const merged = applyStrategicMerge(
      live as unknown as JsonObject,
      (patch.value ?? {}) as JsonObject,
      expected.struct,
    );
    const { object, strictErrors, holdsEmpties } = conform(merged, expected.struct, { dialect: "unstructured" });
    const all = [...strictErrorsOf("strategic", patch), ...strictErrors];
    const warnings = told(all, text, fieldValidation);
    return { object: object as unknown as UnknownObject, warnings, holdsEmpties };
  } catch (error) {
    if (error instanceof ConformError) throw invalidPatch(text(), error.message);
    if (error instanceof StrategicMergeError)
      throw error.badRequest ? badRequest(error.message) : unknownFailure(error.message);
    throw error;
  }
}

const invalidPatch = (text: string, message: string): StatusError =>
  invalidObject({ group: "", kind: "" }, "", [invalid("patch", text, message)]);

/** What the client is told of odd fields; an error if it wanted none. */
function told(strictErrors: string[], text: () => string, fieldValidation: FieldValidation): string[] {
  if (fieldValidation === "Strict" && strictErrors.length > 0) {
    throw invalidPatch(text(), `strict decoding error: ${strictErrors.join(", ")}`);
  }
  return fieldValidation === "Warn" ? strictErrors : [];
}
