/** DELETE of a collection: what the selectors choose, page by page, answered with the list of what was there. */
import type { ObjectAnswer } from "#apiserver/answer.ts";
import type { Entry } from "#apiserver/cache/entry.ts";
import type { Operation } from "#apiserver/operation.ts";
import { isNotFound } from "#api/status-error.ts";
import { readDeleteOptions } from "./delete-options.ts";
import { asAsked, removeObject } from "./delete.ts";
import { collectionPrefix } from "./keys.ts";
import { listOptions } from "./list-options.ts";
import { readPage, viewOf } from "./read.ts";
import { selectionOf } from "./selection.ts";
import { viewList } from "./views.ts";

/** How many deletions of one request are under way at a time. */
const parallelDeletionsMax = 16;

export async function deleteCollection(operation: Operation): Promise<ObjectAnswer> {
  const { resource, request, info } = operation;
  const selection = selectionOf(resource, request.query);
  const options = await readDeleteOptions(operation);
  const page = await readPage(
    operation,
    collectionPrefix(resource, info.namespace),
    listOptions(request.query, false),
    selection,
  );
  const waiting = [...page.entries];
  await Promise.all(
    Array.from({ length: parallelDeletionsMax }, () => removeNext(asAsked(operation, options), waiting, options)),
  );
  return viewList(viewOf(operation), page.entries, page.meta);
}

async function removeNext(
  operation: Operation,
  waiting: Entry[],
  options: Awaited<ReturnType<typeof readDeleteOptions>>,
) {
  for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
    const { namespace = "", name = "" } = entry.object.metadata;
    const info = { ...operation.info, namespace, name };
    try {
      await removeObject({ ...operation, info }, name, options);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
