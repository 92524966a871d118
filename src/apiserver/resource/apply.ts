/** Server-side apply: PATCH with "application/apply-patch+yaml". Upstream: handlers/patch.go, applyPatcher. */
import { applyObject } from "#api/apply/managed-fields.ts";
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
  const applied = await readApplied(request, options.fieldValidation, operation.warnings);
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
  applied: unknown,
  { fieldManager, force }: WriteOptions,
): KubernetesObject {
  const { resource, info } = operation;
  const live = current === undefined ? undefined : clone(endpoint.formOf(current));
  const context = managedFieldsContext(operation, endpoint);
  const { object, holdsEmpties } = applyObject({ live, applied, manager: fieldManager, force }, context);
  if (holdsEmpties) operation.sent.holdsEmpties = true;
  checkName(operation, object);
  const { uid = "" } = object.metadata;
  if (current === undefined && uid !== "") {
    const text = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(resource.resourceName, info.name, text);
  }
  return endpoint.storedOf(object, current);
}

/** The document as it was sent: which fields it has is what counts. */
export async function readApplied(
  request: ServerRequest,
  fieldValidation: WriteOptions["fieldValidation"],
  warnings: string[],
): Promise<unknown> {
  if (request.bodyObject !== undefined) return request.bodyObject;
  const { value, errors } = parseDocument((await request.body()).toString("utf8"));
  if (fieldValidation === "Strict" && errors.length > 0)
    throw badRequest(`error strict decoding YAML: ${errors.join(", ")}`);
  if (fieldValidation === "Warn") for (const text of errors) addWarning(warnings, text);
  return value;
}

function parseDocument(text: string) {
  let document;
  try {
    document = parseYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`);
  }
  const { value } = document;
  if (value === null || value === undefined || (typeof value === "object" && !Array.isArray(value))) return document;
  const what = `json: cannot unmarshal ${jsonTypeName(value)} into Go value of type map[string]interface {}`;
  throw badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${what}`);
}
