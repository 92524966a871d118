/** Server-side apply: PATCH with "application/apply-patch+yaml". Upstream: handlers/patch.go, applyPatcher. */
import { applyObject } from "#api/apply/managed-fields.ts";
import { jsonTypeName } from "#api/decode/json-value.ts";
import { parseYaml, YamlError } from "#api/decode/yaml.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { Strategy } from "#api/resource.ts";
import { badRequest, conflict } from "#api/status-catalogue.ts";
import type { ObjectAnswer } from "#apiserver/answer.ts";
import type { Operation } from "#apiserver/operation.ts";
import type { ServerRequest } from "#apiserver/request.ts";
import { toStored } from "./body.ts";
import { addWarning } from "./create.ts";
import { keyOf } from "./keys.ts";
import { managedFieldsContext } from "./managed-fields.ts";
import { clone } from "./metadata.ts";
import { type WriteOptions, writeOptions } from "./options.ts";
import { viewOf } from "./read.ts";
import { changeObject, checkName } from "./update.ts";
import { checkIncludeObject, converted, viewEntry } from "./views.ts";

export async function applyPatch(
  operation: Operation,
  strategy: Strategy<KubernetesObject>,
  isMain: boolean,
): Promise<ObjectAnswer> {
  const { resource, request, info } = operation;
  const view = viewOf(operation);
  checkIncludeObject(view);
  keyOf(resource, info.namespace, info.name);
  const options = writeOptions("PatchOptions", request.query, true);
  const applied = await readApplied(request, options.fieldValidation, operation.warnings);
  const { entry, isCreated } = await changeObject(operation, {
    produce: (current) => applyTo(operation, strategy, current, applied, options),
    strategy,
    allowCreate: isMain,
    isMain,
  });
  return viewEntry(view, entry, isCreated ? 201 : 200);
}

function applyTo(
  operation: Operation,
  strategy: Strategy<KubernetesObject>,
  current: KubernetesObject | undefined,
  applied: unknown,
  { fieldManager, force }: WriteOptions,
): KubernetesObject {
  const { resource, info } = operation;
  const live = current === undefined ? undefined : converted(resource, clone(current));
  const context = managedFieldsContext(operation, strategy);
  const { object } = applyObject({ live, applied, manager: fieldManager, force }, context);
  checkName(operation, object);
  if (current === undefined) {
    const { uid } = object.metadata;
    if (uid !== undefined && uid !== "") {
      const text = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
      throw conflict(resource.resourceName, info.name, text);
    }
  }
  return toStored(resource, object);
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
