/** From bytes to an object of the kind that the request is about. */
import type { KubernetesObject } from "#api/object.ts";
import { badRequest } from "#api/status-catalogue.ts";
import type { Operation } from "#apiserver/operation.ts";
import { clone } from "./metadata.ts";
import type { WriteOptions } from "./options.ts";

export async function decodeObject(
  operation: Operation,
  _fieldValidation: WriteOptions["fieldValidation"],
): Promise<KubernetesObject> {
  const { request, resource } = operation;
  const object = (
    request.bodyObject === undefined ? JSON.parse((await request.body()).toString("utf8")) : clone(request.bodyObject)
  ) as KubernetesObject;
  object.kind ??= resource.kind;
  object.apiVersion ??= resource.apiVersion;
  object.metadata ??= {};
  if (object.kind !== resource.kind) throw badRequest(`no kind "${object.kind}"`);
  resource.definition.defaults?.(object);
  return object;
}
