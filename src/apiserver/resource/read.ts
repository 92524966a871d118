/** GET of one object and of a collection. Everything comes from the cache; only an exact old revision asks the store. */
import { expired, gone, notFound } from "#api/status-catalogue.ts";
import { badRequest } from "#api/status-catalogue.ts";
import { CompactedError, FutureRevisionError } from "#store/store.ts";
import type { ObjectAnswer } from "#apiserver/answer.ts";
import { entryOf } from "#apiserver/cache/cluster-cache.ts";
import type { Entry } from "#apiserver/cache/entry.ts";
import type { Operation } from "#apiserver/operation.ts";
import { decodeContinue, encodeContinue } from "./continue-token.ts";
import { collectionPrefix, keyOf } from "./keys.ts";
import { badRevision, type ListOptions, listOptions, parseRevision, tooLargeRevision } from "./list-options.ts";
import { type Selection, selectionOf, selects } from "./selection.ts";
import { shownEntries, shownEntry } from "./stored-entries.ts";
import { checkIncludeObject, type ListMeta, viewEntry, viewList, type ViewRequest } from "./views.ts";

/** How long a read waits for a revision that is still to come. */
const futureWaitMs = 3_000;

export function viewOf(operation: Operation): ViewRequest {
  const { resource, form, now, request } = operation;
  return { resource, form, now, includeObject: request.query.get("includeObject") };
}

export async function getObject(operation: Operation): Promise<ObjectAnswer> {
  const { resource, info, request, services } = operation;
  const view = viewOf(operation);
  checkIncludeObject(view);
  const key = keyOf(resource, info.namespace, info.name);
  const version = request.query.get("resourceVersion") ?? "";
  if (version !== "" && version !== "0") {
    const revision = parseRevision(version);
    if (revision === undefined) throw badRevision(version, 500);
    await reach(operation, revision);
  } else if (services.cache.revision < services.store.revision) await services.cache.waitFor();
  const entry = await shownEntry(resource, resource.cache.get(key));
  if (entry === undefined) throw notFound(resource.resourceName, info.name);
  return viewEntry(view, entry);
}

export async function listObjects(operation: Operation): Promise<ObjectAnswer> {
  const { resource, info, request } = operation;
  const view = viewOf(operation);
  checkIncludeObject(view);
  const selection = selectionOf(resource, request.query);
  const options = listOptions(request.query, false);
  const prefix = collectionPrefix(resource, info.namespace);
  const page = await readPage(operation, prefix, options, selection);
  return viewList(view, page.entries, page.meta);
}

export interface Page {
  entries: Entry[];
  meta: ListMeta;
}

export async function readPage(
  operation: Operation,
  prefix: string,
  options: ListOptions,
  selection: Selection,
): Promise<Page> {
  const { cache, store } = operation.services;
  if (options.continue !== "") {
    if (options.resourceVersion !== "" && options.resourceVersion !== "0")
      throw badRequest("specifying resource version is not allowed when using continue");
    const token = decodeContinue(options.continue);
    await cache.waitFor();
    if (token.revision > 0) await reach(operation, token.revision);
    if (token.revision === -1 || token.revision === cache.revision)
      return fromCache(operation, prefix, options.limit, selection, token.after);
    return fromStore(operation, prefix, options.limit, selection, token.revision, token.after);
  }
  if (options.resourceVersion === "" || options.resourceVersion === "0") {
    // A version of 0 asks for what the cache has at hand: limits do not apply to it.
    const limit = options.resourceVersion === "0" ? 0 : options.limit;
    if (cache.revision < store.revision) await cache.waitFor();
    return fromCache(operation, prefix, limit, selection);
  }
  const revision = parseRevision(options.resourceVersion);
  if (revision === undefined) throw badRevision(options.resourceVersion, 400);
  await reach(operation, revision);
  const isExact =
    options.resourceVersionMatch === "Exact" || (options.resourceVersionMatch === "" && options.limit > 0);
  if (isExact && revision !== cache.revision) return fromStore(operation, prefix, options.limit, selection, revision);
  return fromCache(operation, prefix, options.limit, selection);
}

/** Waits a little for a revision to come. */
async function reach({ services: { cache } }: Operation, revision: number): Promise<void> {
  if (cache.revision >= revision) return;
  const timeout = new Promise<void>((resolve) => setTimeout(resolve, futureWaitMs).unref());
  await Promise.race([cache.waitFor(revision), timeout]);
  if (cache.revision < revision) throw tooLargeRevision(revision, cache.revision);
}

async function fromCache(
  operation: Operation,
  prefix: string,
  limit: number,
  selection: Selection,
  after?: string,
): Promise<Page> {
  const { resource, services } = operation;
  const narrowed = narrow(operation, prefix, selection);
  const revision = services.cache.revision;
  const entries: Entry[] = [];
  let hasMore = false;
  const range = resource.cache.entries.range(narrowed.prefix, after);
  // What is shown in another version is selected by what that version says.
  const candidates = resource.storage === undefined ? range : await shownEntries(resource, [...range]);
  for (const entry of candidates) {
    if (narrowed.exact !== undefined && entry.key !== narrowed.exact) continue;
    // As upstream: a full page goes on as long as there is another key, whether that is selected or not.
    if (limit > 0 && entries.length === limit) {
      hasMore = true;
      break;
    }
    if (selects(selection, entry)) entries.push(entry);
  }
  return {
    entries,
    meta: pageMeta(entries, revision, hasMore, () => remaining(operation, prefix, selection, entries)),
  };
}

/** A selector that pins namespace or name leaves only a part of the keys to look at. */
function narrow({ resource }: Operation, prefix: string, selection: Selection): { prefix: string; exact?: string } {
  if (!resource.isNamespaced)
    return selection.name === undefined ? { prefix } : { prefix: selection.name, exact: selection.name };
  const namespace = prefix === "" ? selection.namespace : prefix.slice(0, -1);
  if (namespace === undefined || (selection.namespace !== undefined && selection.namespace !== namespace))
    return { prefix };
  if (selection.name === undefined) return { prefix: `${namespace}/` };
  const exact = `${namespace}/${selection.name}`;
  return { prefix: exact, exact };
}

/** Known only where every key counts. */
function remaining(
  { resource }: Operation,
  prefix: string,
  selection: Selection,
  entries: readonly Entry[],
): number | undefined {
  return selection.selectsAll ? resource.cache.entries.count(prefix, entries.at(-1)!.key) : undefined;
}

async function fromStore(
  operation: Operation,
  prefix: string,
  limit: number,
  selection: Selection,
  revision: number,
  after?: string,
): Promise<Page> {
  const { resource, services } = operation;
  const root = resource.cache.prefix;
  try {
    const range = await services.store.range({
      prefix: `${root}${prefix}`,
      revision,
      ...(after === undefined ? {} : { after: `${root}${after}` }),
      ...(limit > 0 && selection.selectsAll ? { limit } : {}),
    });
    const shown = await shownEntries(
      resource,
      range.values.map((value) => entryOf(root, value)),
    );
    const matching = shown.filter((entry) => selects(selection, entry));
    const entries = limit > 0 ? matching.slice(0, limit) : matching;
    const isFull = limit > 0 && entries.length === limit;
    const hasMore = isFull && (entries.at(-1) !== shown.at(-1) || range.remaining > 0);
    const left = selection.selectsAll ? range.remaining : undefined;
    return { entries, meta: pageMeta(entries, revision, hasMore, () => left) };
  } catch (error) {
    if (error instanceof CompactedError)
      throw after === undefined ? tooOld(revision, error) : staleToken(operation, after);
    if (error instanceof FutureRevisionError) throw tooLargeRevision(revision, services.store.revision);
    throw error;
  }
}

function tooOld(revision: number, error: CompactedError) {
  return gone(`too old resource version: ${revision} (${error.compactedRevision})`);
}

/** The pages' revision is gone; the token in the answer goes on from the same key in the present. Upstream: HandleInconsistentList. */
function staleToken(_operation: Operation, after: string) {
  const message =
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without " +
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. " +
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or " +
    "deleted between the time the first chunk was returned and now may show up in the list.";
  const error = expired(message);
  error.status.metadata["continue"] = encodeContinue({ revision: -1, after });
  return error;
}

function pageMeta(
  entries: readonly Entry[],
  revision: number,
  hasMore: boolean,
  remainingItems: () => number | undefined,
): ListMeta {
  const meta: ListMeta = { resourceVersion: String(revision) };
  if (!hasMore || entries.length === 0) return meta;
  meta.continue = encodeContinue({ revision, after: entries.at(-1)!.key });
  const left = remainingItems();
  if (left !== undefined) meta.remainingItemCount = left;
  return meta;
}
