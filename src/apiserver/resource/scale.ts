/** The scale subresource. */
import { pathNotFound } from "#api/status-catalogue.ts";
import type { ObjectAnswer } from "#apiserver/answer.ts";
import type { Operation } from "#apiserver/operation.ts";

export async function getScale(_operation: Operation): Promise<ObjectAnswer> {
  throw pathNotFound();
}
export const replaceScale = getScale;
export const patchScale = getScale;
