/**
 * Entries of the cache as a version shows them, and objects as they are stored, where a custom kind's versions differ. All
 * other kinds pass through untouched.
 */
import type { KubernetesObject } from "#api/object.ts";
import { encodeStored } from "#apiserver/cache/encoding.ts";
import { Entry } from "#apiserver/cache/entry.ts";
import type { Change } from "#apiserver/cache/resource-cache.ts";
import type { ServedResource, StoredForms } from "#apiserver/catalogue.ts";

const unwritten = 0;

/** One entry, converted anew. */
export async function shownEntry<E extends Entry | undefined>({ storage }: ServedResource, entry: E): Promise<E> {
  if (storage === undefined || entry === undefined) return entry;
  const [form] = await storage.read([entry.object]);
  return withForm(entry, form!) as E;
}

/** Many at once: those that were shown before are not converted again. */
export async function shownEntries({ storage }: ServedResource, entries: readonly Entry[]): Promise<Entry[]> {
  if (storage === undefined) return [...entries];
  const fresh = entries.filter((entry) => !storage.shownEntries.has(entry));
  const forms = fresh.length === 0 ? [] : await storage.read(fresh.map(({ object }) => object));
  for (const [index, entry] of fresh.entries()) storage.shownEntries.set(entry, withForm(entry, forms[index]!));
  return entries.map((entry) => storage.shownEntries.get(entry)!);
}

const shownOf = new WeakMap<StoredForms, WeakMap<Change, Change>>();

/** Changes with their objects as the version shows them; watchers of one version share them and their encoded lines. */
export async function shownChanges(resource: ServedResource, changes: readonly Change[]): Promise<Change[]> {
  const { storage } = resource;
  if (storage === undefined) return [...changes];
  const known = shownOf.get(storage) ?? new WeakMap<Change, Change>();
  shownOf.set(storage, known);
  const fresh = changes.filter((change) => !known.has(change));
  const entries = fresh.flatMap(({ current, previous, last }) =>
    [current, previous, last].filter((entry) => entry !== undefined),
  );
  const forms = await shownEntries(resource, entries);
  const formOf = new Map(entries.map((entry, index) => [entry, forms[index]!]));
  const shown = (entry: Entry | undefined) => (entry === undefined ? undefined : formOf.get(entry));
  for (const change of fresh)
    known.set(change, {
      ...change,
      current: shown(change.current),
      previous: shown(change.previous),
      last: shown(change.last),
      encoded: new Map(),
    });
  return changes.map((change) => known.get(change)!);
}

export async function storedForm({ storage }: ServedResource, object: KubernetesObject): Promise<KubernetesObject> {
  return storage === undefined ? object : storage.write(object);
}

function withForm({ key, revision }: Entry, form: KubernetesObject): Entry {
  const bytes = encodeStored(form);
  return revision === unwritten ? Entry.unversioned(key, bytes) : Entry.of(key, revision, bytes);
}
