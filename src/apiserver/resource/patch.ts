/** PATCH in its four forms. */
import type { KubernetesObject } from "#api/object.ts";
import type { Strategy } from "#api/resource.ts";
import { failure } from "#api/status-error.ts";
import type { ObjectAnswer } from "#apiserver/answer.ts";
import type { Operation } from "#apiserver/operation.ts";
import { applyPatch } from "./apply.ts";
import { clone } from "./metadata.ts";
import { viewOf } from "./read.ts";
import { changeObject } from "./update.ts";
import { viewEntry } from "./views.ts";

export async function patchObject(
  operation: Operation,
  strategy: Strategy<KubernetesObject>,
  isMain: boolean,
): Promise<ObjectAnswer> {
  const { request } = operation;
  if (request.header("content-type") === "application/apply-patch+yaml") return applyPatch(operation, strategy, isMain);
  if (request.header("content-type") !== "application/merge-patch+json")
    throw failure(415, "UnsupportedMediaType", "415: Unsupported Media Type", {});
  const patch = JSON.parse((await request.body()).toString()) as Record<string, unknown>;
  const { entry, isCreated } = await changeObject(operation, {
    produce: (current) => merge(clone(current), patch) as KubernetesObject,
    strategy,
    allowCreate: false,
    isMain,
  });
  return viewEntry(viewOf(operation), entry, isCreated ? 201 : 200);
}

function merge(target: unknown, patch: unknown): unknown {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const result = (target !== null && typeof target === "object" && !Array.isArray(target) ? target : {}) as Record<
    string,
    unknown
  >;
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}
