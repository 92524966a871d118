/**
 * Carries out a plan: applies objects (server-side, as their owner), deletes what is pruned. Each object succeeds or fails
 * for itself; nobody's error holds up another object.
 */
import type { UnknownObject } from "#api/object.ts";
import { StatusError, isNotFound } from "#api/status-error.ts";
import type { Client } from "#client/client.ts";
import type { DiscoveredResource, Discovery } from "#client/discovery.ts";
import { objectPath } from "#client/resource-path.ts";
import { apiVersionOf } from "#api/object.ts";
import { sleep } from "#lib/sleep.ts";
import { healthOf } from "./health.ts";
import { type ObjectIdentity, describeIdentity, identityKey } from "./inventory.ts";
import { fieldManager } from "./kinds.ts";
import { type Wished, contentOf, mayPrune, planStages, policyOf } from "./plan.ts";

export interface Outcome {
  identity: ObjectIdentity;
  action: "created" | "configured" | "unchanged" | "skipped" | "deleted" | "failed";
  /** Why it failed, with file and field. */
  error?: string;
  /** The object as the server has it now. */
  live?: UnknownObject;
}

export interface ApplyContext {
  client: Client;
  discovery: Discovery;
  /** The Kustomization's spec.force: what cannot be changed is deleted and made anew. */
  force: boolean;
  signal: AbortSignal;
  /** The server says without writing. */
  dryRun?: boolean;
  /** Content last applied, by identityKey: what is equal counts as unchanged. */
  known: Map<string, string>;
}

/** Applies under way at one time; together they share the store's fsync. */
export const applyConcurrencyMax = 16;
/** How long a new kind may take until it is served. */
const establishMsMax = 60_000;
const establishPollMs = 20;

/** All outcomes, in the order of application. Rejects only when `signal` fires. */
export async function applyAll(wished: readonly Wished[], context: ApplyContext): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const stage of planStages(wished)) {
    for (const group of stage.groups) {
      context.signal.throwIfAborted();
      outcomes.push(...(await inParallel(group, (one) => applyOne(one, context))));
    }
    if (stage.name === "definitions" && context.dryRun !== true) await waitForDefinitions(outcomes, context);
  }
  return outcomes;
}

async function applyOne(wished: Wished, context: ApplyContext): Promise<Outcome> {
  const { object, identity } = wished;
  try {
    if (policyOf(object, "reconcile") === "disabled" || policyOf(object, "ssa") === "ignore")
      return { identity, action: "skipped" };
    const ref = await context.discovery.resolve(object.apiVersion ?? "", object.kind ?? "");
    if (ref === undefined)
      throw new Error(`no matches for kind "${identity.kind}" in version "${object.apiVersion ?? ""}"`);
    if (ref.scope === "Namespaced" && identity.namespace === "")
      throw new Error(
        "metadata.namespace: Required value: the object has no namespace and the Kustomization sets no targetNamespace",
      );
    if (policyOf(object, "ssa") === "ifnotpresent" && (await exists(ref, identity, context)))
      return { identity, action: "skipped" };
    return await send(ref, wished, context);
  } catch (error) {
    if (context.signal.aborted) throw error;
    const where = wished.origin === "" ? "" : ` (${wished.origin})`;
    return { identity, action: "failed", error: `${describeIdentity(identity)}${where}: ${messageOf(error)}` };
  }
}

async function send(ref: DiscoveredResource, wished: Wished, context: ApplyContext): Promise<Outcome> {
  try {
    return await patch(ref, wished, context);
  } catch (error) {
    const mayReplace = context.force || policyOf(wished.object, "force") === "enabled";
    if (!mayReplace || context.dryRun === true || !isImmutableError(error)) throw error;
    await context.client.delete(ref, wished.identity, { propagationPolicy: "Background", signal: context.signal });
    return await patch(ref, wished, context);
  }
}

async function patch(ref: DiscoveredResource, { object, identity }: Wished, context: ApplyContext): Promise<Outcome> {
  const key = ref.scope === "Cluster" ? { name: identity.name } : identity;
  const { code, body } = await context.client.request({
    method: "PATCH",
    path: objectPath(ref, key),
    query: {
      fieldManager,
      force: "true",
      fieldValidation: "Strict",
      ...(context.dryRun === true ? { dryRun: "All" } : {}),
    },
    contentType: "application/apply-patch+yaml",
    body: object,
    signal: context.signal,
  });
  const live = body as UnknownObject;
  const content = contentOf(live);
  const before = context.known.get(identityKey(identity));
  if (context.dryRun !== true) context.known.set(identityKey(identity), content);
  return { identity, live, action: code === 201 ? "created" : before === content ? "unchanged" : "configured" };
}

async function exists(
  ref: DiscoveredResource,
  identity: ObjectIdentity,
  { client, signal }: ApplyContext,
): Promise<boolean> {
  try {
    await client.get(ref, ref.scope === "Cluster" ? { name: identity.name } : identity, { signal });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Custom resources of the same commit can be applied once their kinds are served. */
async function waitForDefinitions(
  outcomes: readonly Outcome[],
  { client, discovery, signal }: ApplyContext,
): Promise<void> {
  const fresh = outcomes.filter(
    ({ identity, action }) =>
      identity.kind === "CustomResourceDefinition" && action !== "failed" && action !== "skipped",
  );
  if (fresh.length === 0) return;
  const ref = await discovery.resolve("apiextensions.k8s.io/v1", "CustomResourceDefinition");
  const deadline = performance.now() + establishMsMax;
  for (const { identity } of fresh) {
    while (ref !== undefined && performance.now() < deadline && !signal.aborted) {
      const live = await client.get(ref, { name: identity.name }, { signal });
      if (healthOf(live, 0).status !== "InProgress") break;
      await sleep(establishPollMs, signal);
    }
  }
  discovery.invalidate();
}

export interface PruneContext {
  client: Client;
  discovery: Discovery;
  owner: { name: string; namespace: string };
  signal: AbortSignal;
}

/** Deletes, one after the other in the given order; what is gone, foreign or protected counts as done. */
export async function pruneAll(identities: readonly ObjectIdentity[], context: PruneContext): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const identity of identities) {
    context.signal.throwIfAborted();
    outcomes.push(await pruneOne(identity, context));
  }
  return outcomes;
}

async function pruneOne(
  identity: ObjectIdentity,
  { client, discovery, owner, signal }: PruneContext,
): Promise<Outcome> {
  try {
    const ref = await discovery.resolve(apiVersionOf(identity), identity.kind);
    if (ref === undefined) return { identity, action: "skipped" };
    const key = ref.scope === "Cluster" ? { name: identity.name } : identity;
    const live = await client.get(ref, key, { signal });
    if (live.metadata.deletionTimestamp !== undefined || !mayPrune(live, owner)) return { identity, action: "skipped" };
    const preconditions = live.metadata.uid === undefined ? undefined : { uid: live.metadata.uid };
    await client.delete(ref, key, { propagationPolicy: "Background", preconditions, signal });
    return { identity, action: "deleted" };
  } catch (error) {
    if (isNotFound(error)) return { identity, action: "skipped" };
    if (signal.aborted) throw error;
    return { identity, action: "failed", error: `${describeIdentity(identity)}: ${messageOf(error)}` };
  }
}

/** Runs `work` for every item, a limited number at a time; results in the order of the items. */
async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = Array.from({ length: items.length });
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const at = next;
      next += 1;
      results[at] = await work(items[at]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(applyConcurrencyMax, items.length) }, lane));
  return results;
}

function isImmutableError(error: unknown): boolean {
  return (
    error instanceof StatusError &&
    error.code === 422 &&
    /immutable|may not change|are forbidden|cannot be changed|updates to/i.test(error.message)
  );
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
