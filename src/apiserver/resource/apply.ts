/** Server-side apply: PATCH with "application/apply-patch+yaml". Upstream: handlers/patch.go, applyPatcher. */
import { applyObject } from "#api/apply/managed-fields.ts";
import { warningsOf } from "#api/decode/decode.ts";
import { jsonTypeName } from "#api/decode/json-value.ts";
import { parseYaml, YamlError } from "#api/decode/yaml.ts";
import type { KubernetesObject } from "#api/object.ts";
import { badRequest, conflict } from "#api/status-catalogue.ts";
import type { ObjectAnswer } from "#apiserver/answer.ts";
import type { Operation } from "#apiserver/operation.ts";
import type { ServerRequest } from "#apiserver/request.ts";
import { addWarning } from "./warnings.ts";
import type { Endpoint } from "./endpoint.ts";
import { managedFieldsContext } from "./managed-fields.ts";
import { clone } from "./metadata.ts";
import { type WriteOptions, writeOptions } from "./options.ts";
import { answerChange, changeObject, checkName } from "./update.ts";

export async function applyServerSide(operation: Operation, endpoint: Endpoint): Promise<ObjectAnswer> {
  const { request } = operation;
  const options = writeOptions("PatchOptions", request.query, true);
  const applied = await readApplied(request);
  const changed = await changeObject(operation, endpoint, {
    produce: (current) => applyTo(operation, endpoint, current, applied, options),
    allowsCreate: allowsCreate(operation, endpoint),
  });
  return answerChange(operation, endpoint, changed);
}

function allowsCreate({ resource }: Operation, { isMain, kind }: Endpoint): "yes" | "no" | "looks first" {
  if (kind !== resource.kind) return "no";
  return isMain ? "yes" : "looks first";
}

function applyTo(
  operation: Operation,
  endpoint: Endpoint,
  current: KubernetesObject | undefined,
  { value, errors }: Applied,
  { fieldManager, force, fieldValidation }: WriteOptions,
): KubernetesObject {
  const { resource, info } = operation;
  const live = current === undefined ? undefined : clone(endpoint.formOf(current));
  const context = managedFieldsContext(operation, endpoint);
  const { object, holdsEmpties } = applyObject({ live, applied: value, manager: fieldManager, force }, context);
  if (holdsEmpties) operation.sent.holdsEmpties = true;
  // Keys that are there twice matter only to an apply that is sound otherwise.
  if (fieldValidation === "Strict" && errors.length > 0)
    throw badRequest(`error strict decoding YAML: ${conversionText}${errors.join(", ")}`);
  if (fieldValidation === "Warn") for (const text of errors.flatMap(warningsOf)) addWarning(operation.warnings, text);
  const { uid = "" } = object.metadata;
  if (current === undefined && uid !== "") {
    const text = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(resource.resourceName, info.name, text);
  }
  checkName(operation, object);
  return endpoint.storedOf(object, current);
}

interface Applied {
  /** The document as it was sent: which fields it has is what counts. */
  value: unknown;
  /** What a strict reader finds wrong with it. */
  errors: readonly string[];
}

async function readApplied(request: ServerRequest): Promise<Applied> {
  if (request.bodyObject !== undefined) return { value: request.bodyObject, errors: [] };
  return parseDocument(await request.body());
}

const conversionText = "error converting YAML to JSON: ";

function parseDocument(bytes: Buffer): Applied {
  let document;
  try {
    document = parseYaml(bytes);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw badRequest(`error decoding YAML: ${conversionText}${error.message}`);
  }
  const { value } = document;
  if (value === null || value === undefined || (typeof value === "object" && !Array.isArray(value))) return document;
  const what = `json: cannot unmarshal ${jsonTypeName(value)} into Go value of type map[string]interface {}`;
  throw badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${what}`);
}
