/** Carries out the changes of a plan through the client, and says which writes the view has yet to see. */
import type { UnknownObject } from "#api/object.ts";
import { isAlreadyExists, isNotFound } from "#api/status-error.ts";
import type { Client } from "#client/client.ts";
import { isNamespaceTerminating } from "#reconcilers/pod-template.ts";
import type { AnyRef, Change, EventSpec, ObjectKey, Outcome } from "#reconcilers/reconciler.ts";

/** A write that a cache has to show before the next plan is made. */
export interface Written {
  ref: AnyRef;
  key: ObjectKey;
  /** The revision of the write; undefined for an object that is gone. */
  revision: number | undefined;
  /** For an object that is gone. */
  uid: string | undefined;
}

export interface CarriedOut {
  written: Written[];
  /** The first failure; what came after it was not tried. */
  failure: Error | undefined;
}

export interface CarryOutOptions {
  client: Client;
  record(event: EventSpec): void;
  signal: AbortSignal;
}

/** Creates go out one, then two, then four … at once: if they must fail, few do. */
const firstBatch = 1;
/** Deletes and creates of one plan that are on their way at once. */
export const batchMax = 256;

export async function carryOut(changes: readonly Change[], options: CarryOutOptions): Promise<CarriedOut> {
  const written: Written[] = [];
  for (let at = 0; at < changes.length;) {
    const run = runOfSame(changes, at);
    let size = run[0]?.type === "create" ? firstBatch : batchMax;
    for (let done = 0; done < run.length; done += size, size = Math.min(size * 2, batchMax)) {
      const batch = run.slice(done, done + size);
      const results = await Promise.all(batch.map((change) => carryOutOne(change, options)));
      for (const { write } of results) if (write !== undefined) written.push(write);
      const failure = results.find(({ error }) => error !== undefined)?.error;
      if (failure !== undefined) return { written, failure };
    }
    at += run.length;
  }
  return { written, failure: undefined };
}

/** Neighbours that may go out together: creates, or deletes; anything else is alone. */
function runOfSame(changes: readonly Change[], from: number): readonly Change[] {
  const type = changes[from]?.type;
  let to = from + 1;
  if (type === "create" || type === "delete" || type === "delete-collection")
    while (changes[to]?.type === type && !waits(changes[to])) to += 1;
  return changes.slice(from, to);
}

const waits = (change: Change | undefined): boolean => change?.type === "create" && change.waits === true;

interface Result {
  write?: Written | undefined;
  error?: Error;
}

async function carryOutOne(change: Change, options: CarryOutOptions): Promise<Result> {
  if (change.type === "event") {
    options.record(change.event);
    return {};
  }
  if (change.type === "wake") return {};
  let outcome: Outcome;
  try {
    outcome = { ok: true, object: await act(change, options) };
  } catch (caught) {
    outcome = { ok: false, error: caught instanceof Error ? caught : new Error(String(caught)) };
  }
  if (!outcome.ok && isFine(change, outcome.error)) return {};
  const told = "report" in change ? change.report?.(outcome) : undefined;
  for (const each of told === undefined ? [] : [told].flat()) options.record(each);
  return outcome.ok ? { write: writtenBy(change, outcome.object) } : { error: outcome.error };
}

function isFine(change: Change, error: Error): boolean {
  if (change.type === "delete") return isNotFound(error);
  if (change.type !== "create") return false;
  return isNamespaceTerminating(error) || (change.existsIsFine === true && isAlreadyExists(error));
}

async function act(
  change: Exclude<Change, { type: "event" | "wake" }>,
  { client, signal }: CarryOutOptions,
): Promise<UnknownObject> {
  switch (change.type) {
    case "create":
      return (await client.create(change.ref, change.object, { signal })) as UnknownObject;
    case "update":
      return (await client.update(change.ref, change.object, {
        signal,
        subresource: change.subresource,
      })) as UnknownObject;
    case "apply": {
      const { ref, object, manager } = change;
      return (await client.apply(ref, object, { manager, force: true, signal })) as UnknownObject;
    }
    case "patch": {
      const { ref, key, patchType, subresource } = change;
      return (await client.patch(ref, key, patchType, change.patch, { signal, subresource })) as UnknownObject;
    }
    case "delete": {
      const { uid, resourceVersion, propagation, gracePeriodSeconds } = change;
      const preconditions = {
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      };
      const how = { propagationPolicy: propagation, gracePeriodSeconds, preconditions, signal };
      return await client.delete(change.ref, change.key, how);
    }
    case "delete-collection":
      await client.deleteCollection(change.ref, {
        namespace: change.namespace,
        propagationPolicy: "Background",
        signal,
      });
      return { metadata: {} };
    case "post":
      return await client.createSubresource(change.ref, change.key, change.subresource, change.body, { signal });
  }
}

function writtenBy(change: Change, object: UnknownObject): Written | undefined {
  if (change.type === "event" || change.type === "wake") return undefined;
  if (change.type === "delete-collection" || change.type === "post") return undefined;
  const revision = Number(object.metadata?.resourceVersion);
  if (change.type === "delete") {
    const stays = object.kind !== "Status" && object.metadata?.deletionTimestamp !== undefined;
    const left = stays && Number.isFinite(revision) ? revision : undefined;
    return { ref: change.ref, key: change.key, revision: left, uid: change.uid };
  }
  if (!Number.isFinite(revision)) return undefined;
  const { namespace, name } = object.metadata;
  return { ref: change.ref, key: { namespace, name }, revision, uid: undefined };
}
