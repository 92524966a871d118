/**
 * The way of every write into the store: encode once, one transaction with what belongs to it, wait until the cache has
 * it. Says whether someone else was faster, so that callers can try again on the newer state.
 */
import type { KubernetesObject } from "#api/object.ts";
import { conflict } from "#api/status-catalogue.ts";
import { encodeStored } from "#apiserver/cache/encoding.ts";
import { Entry } from "#apiserver/cache/entry.ts";
import type { Operation } from "#apiserver/operation.ts";
import { shownEntry, storedForm } from "./stored-entries.ts";
import type { Write } from "#store/store.ts";

/** How often a write starts over because others change the same object all the time. */
export const writeRetriesMax = 16;

/**
 * Tries until nobody was faster (an attempt that gives undefined). The first attempt is made at once; those that lost a
 * race for an object then line up, so that many writers of one object do not keep each other from ever being done.
 */
export async function untilWritten<T>(
  { services, resource, info }: Operation,
  key: string,
  attempt: () => Promise<T | undefined>,
): Promise<T> {
  const first = await attempt();
  if (first !== undefined) return first;
  const leave = await resource.cache.turns.enter(key);
  try {
    for (let retry = 0; retry < writeRetriesMax; retry += 1) {
      await services.cache.waitFor();
      const result = await attempt();
      if (result !== undefined) return result;
    }
  } finally {
    leave();
  }
  throw conflict(resource.resourceName, info.name);
}

export type Written = { ok: true; entry: Entry } | { ok: false; isMissingKey: boolean };

/** `expected`: the revision that must still be the object's; 0 for an object that must not exist. */
export async function putObject(
  { resource, services }: Operation,
  key: string,
  object: KubernetesObject,
  expected: number,
  more: readonly Write[] = [],
): Promise<Written> {
  const value = encodeStored(await storedForm(resource, object));
  const storeKey = resource.cache.prefix + key;
  const result = await services.store.write([{ key: storeKey, value, expectedModRevision: expected }, ...more]);
  if (!result.ok) {
    await services.cache.waitFor(result.revision);
    return { ok: false, isMissingKey: result.failedKey === storeKey && result.current === undefined };
  }
  await services.cache.waitFor(result.revision);
  const cached = resource.cache.get(key);
  const entry = cached?.revision === result.revision ? cached : Entry.of(key, result.revision, value);
  return { ok: true, entry: await shownEntry(resource, entry) };
}

export async function deleteKey(
  { resource, services }: Operation,
  key: string,
  expected: number,
  more: readonly Write[] = [],
): Promise<{ ok: true; revision: number } | { ok: false }> {
  const write = { key: resource.cache.prefix + key, value: undefined, expectedModRevision: expected };
  const result = await services.store.write([write, ...more]);
  await services.cache.waitFor(result.revision);
  return result.ok ? { ok: true, revision: result.revision } : { ok: false };
}

/** What a dry run would have written, read back as if it had been. */
export async function dryEntry(
  { resource }: Operation,
  key: string,
  object: KubernetesObject,
  revision: number | undefined,
): Promise<Entry> {
  return shownEntry(resource, unwritten(key, await storedForm(resource, object), revision));
}

/** An object as an entry that is nowhere. */
export function unwritten(key: string, object: KubernetesObject, revision: number | undefined): Entry {
  const value = encodeStored(object);
  return revision === undefined ? Entry.unversioned(key, value) : Entry.of(key, revision, value);
}
