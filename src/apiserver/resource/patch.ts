/** PATCH in its four forms. Upstream: handlers/patch.go. */
import type { PatchType } from "#api/patch/patch.ts";
import { unsupportedMediaType } from "#api/status-catalogue.ts";
import { failure } from "#api/status-error.ts";
import type { ObjectAnswer } from "#apiserver/answer.ts";
import type { Operation } from "#apiserver/operation.ts";
import { applyServerSide } from "./apply.ts";
import { addWarning } from "./warnings.ts";
import type { Endpoint } from "./endpoint.ts";
import { keyOf } from "./keys.ts";
import { trackWrite } from "./managed-fields.ts";
import { clone } from "./metadata.ts";
import { managerName, writeOptions } from "./options.ts";
import { viewOf } from "./read.ts";
import { answerChange, changeObject, checkName } from "./update.ts";
import { checkIncludeObject } from "./views.ts";

const patchTypes = new Map<string, PatchType>([
  ["application/json-patch+json", "json"],
  ["application/merge-patch+json", "merge"],
  ["application/strategic-merge-patch+json", "strategic"],
]);
const applyType = "application/apply-patch+yaml";
/** No strategic merge where no Go struct says how. */
const customTypes = ["application/json-patch+json", "application/merge-patch+json", applyType];

export async function patchObject(operation: Operation, endpoint: Endpoint): Promise<ObjectAnswer> {
  const { resource, request, info, warnings } = operation;
  const contentType = (request.header("content-type") ?? "").split(";")[0]!.trim();
  const type = patchTypes.get(contentType);
  if (type === "strategic" && resource.custom !== undefined) throw unsupportedMediaType(customTypes);
  if (type === undefined && contentType !== applyType)
    throw resource.custom === undefined
      ? failure(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})
      : unsupportedMediaType(customTypes);
  checkIncludeObject(viewOf(operation));
  keyOf(resource, info.namespace, info.name);
  if (type === undefined) return applyServerSide(operation, endpoint);
  const options = writeOptions("PatchOptions", request.query);
  const bytes =
    request.bodyObject === undefined ? await request.body() : Buffer.from(JSON.stringify(request.bodyObject));
  const manager = managerName(options.fieldManager, request.header("user-agent"));
  const changed = await changeObject(operation, endpoint, {
    produce(current) {
      const live = endpoint.formOf(current!);
      const patched = endpoint.patch(type, bytes, live, options.fieldValidation);
      for (const text of patched.warnings) addWarning(warnings, text);
      if (patched.holdsEmpties === true) operation.sent.holdsEmpties = true;
      // A patch may leave parts of the live object as they are: those are shared.
      const form = endpoint.formOf(endpoint.storedOf(clone(patched.object), current));
      checkName(operation, form);
      trackWrite(operation, endpoint, live, form, manager);
      return endpoint.storedOf(form, current);
    },
    allowsCreate: "no",
  });
  return answerChange(operation, endpoint, changed);
}
