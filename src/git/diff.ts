/**
 * What a revision would change in the cluster: each rendered object as the server would store it (a dry run, so defaults,
 * admission and other people's fields are in it) against the live one, and what would be pruned.
 */
import { createTwoFilesPatch } from "diff";
import { stringify } from "yaml";
import type { UnknownObject } from "#api/object.ts";
import { apiVersionOf } from "#api/object.ts";
import { isNotFound } from "#api/status-error.ts";
import type { Client } from "#client/client.ts";
import type { Discovery } from "#client/discovery.ts";
import { applyAll } from "./apply.ts";
import { type ObjectIdentity, describeIdentity, identityKey, identityOf, identityOfEntry } from "./inventory.ts";
import type { Kustomization } from "./kinds.ts";
import { mayPrune, withOwner } from "./plan.ts";
import type { Rendered } from "./render-source.ts";

export interface ObjectDiff {
  identity: ObjectIdentity;
  change: "create" | "change" | "delete" | "error";
  /** A unified diff; for "error" what went wrong. */
  text: string;
}

export interface DiffOptions {
  client: Client;
  discovery: Discovery;
  kustomization: Kustomization;
  rendered: Rendered;
  signal: AbortSignal;
}

/** Differences in the order of application, then deletions; equal objects are left out. */
export async function diffRendered({
  client,
  discovery,
  kustomization,
  rendered,
  signal,
}: DiffOptions): Promise<ObjectDiff[]> {
  const owner = { name: kustomization.metadata.name ?? "", namespace: kustomization.metadata.namespace ?? "" };
  const wished = rendered.objects.map(({ object, origin }) => {
    const owned = withOwner(object, owner);
    return { object: owned, identity: identityOf(owned), origin };
  });
  const outcomes = await applyAll(wished, { client, discovery, force: false, signal, dryRun: true, known: new Map() });
  const diffs: ObjectDiff[] = rendered.errors.map(({ origin, message }) => ({
    identity: fileIdentity(origin),
    change: "error",
    text: `${origin}: ${message}`,
  }));
  for (const { identity, action, live: after, error } of outcomes) {
    if (action === "skipped") continue;
    if (action === "failed") diffs.push(await explainFailure(identity, error ?? "", wished, client, discovery));
    else {
      const before = await readLive(client, discovery, identity);
      const text = unified(identity, before, after);
      if (text !== "") diffs.push({ identity, change: before === undefined ? "create" : "change", text });
    }
  }
  return [
    ...diffs,
    ...(await prunes(
      client,
      discovery,
      kustomization,
      owner,
      new Set(wished.map(({ identity }) => identityKey(identity))),
    )),
  ];
}

const fileIdentity = (name: string): ObjectIdentity => ({ namespace: "", name, group: "", version: "", kind: "File" });

/** An object whose namespace the same revision brings cannot be tried, but shown. */
async function explainFailure(
  identity: ObjectIdentity,
  error: string,
  wished: readonly { object: UnknownObject; identity: ObjectIdentity }[],
  client: Client,
  discovery: Discovery,
): Promise<ObjectDiff> {
  const bringsNamespace = wished.some(
    (one) => one.identity.kind === "Namespace" && one.identity.name === identity.namespace,
  );
  const bringsKind = wished.some((one) => one.identity.kind === "CustomResourceDefinition");
  const isUntriable =
    (bringsNamespace && /namespaces .* not found/.test(error)) || (bringsKind && /no matches for kind/.test(error));
  const own = wished.find((one) => identityKey(one.identity) === identityKey(identity));
  if (!isUntriable || own === undefined) return { identity, change: "error", text: error };
  const before = await readLive(client, discovery, identity).catch(() => undefined);
  return { identity, change: before === undefined ? "create" : "change", text: unified(identity, before, own.object) };
}

async function prunes(
  client: Client,
  discovery: Discovery,
  kustomization: Kustomization,
  owner: { name: string; namespace: string },
  wished: ReadonlySet<string>,
): Promise<ObjectDiff[]> {
  if (!kustomization.spec.prune || wished.size === 0) return [];
  const diffs: ObjectDiff[] = [];
  for (const entry of kustomization.status?.inventory?.entries ?? []) {
    const identity = identityOfEntry(entry);
    if (identity === undefined || wished.has(identityKey(identity))) continue;
    const live = await readLive(client, discovery, identity);
    if (live !== undefined && mayPrune(live, owner))
      diffs.push({ identity, change: "delete", text: unified(identity, live, undefined) });
  }
  return diffs;
}

async function readLive(
  client: Client,
  discovery: Discovery,
  identity: ObjectIdentity,
): Promise<UnknownObject | undefined> {
  const ref = await discovery.resolve(apiVersionOf(identity), identity.kind);
  if (ref === undefined) return undefined;
  try {
    return await client.get(ref, ref.scope === "Cluster" ? { name: identity.name } : identity);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Empty where nothing differs. */
function unified(
  identity: ObjectIdentity,
  before: UnknownObject | undefined,
  after: UnknownObject | undefined,
): string {
  const [left, right] = masked(identity, comparable(before), comparable(after));
  const [old, next] = [textOf(left), textOf(right)];
  if (old === next) return "";
  const name = describeIdentity(identity);
  const patch = createTwoFilesPatch(
    before === undefined ? "/dev/null" : `live/${name}`,
    after === undefined ? "/dev/null" : `git/${name}`,
    old,
    next,
    undefined,
    undefined,
    { context: 3 },
  );
  return patch.replace(/^=+\n/, "");
}

/** Without what differs between any two writes. */
function comparable(object: UnknownObject | undefined): UnknownObject | undefined {
  if (object === undefined) return undefined;
  const { status: _, metadata, ...rest } = object;
  const {
    managedFields: _fields,
    resourceVersion: _version,
    generation: _generation,
    uid: _uid,
    creationTimestamp: _time,
    ...kept
  } = metadata;
  return { ...rest, metadata: kept } as UnknownObject;
}

/** Values of Secrets are never shown: only whether they differ. */
function masked(
  identity: ObjectIdentity,
  before: UnknownObject | undefined,
  after: UnknownObject | undefined,
): [UnknownObject | undefined, UnknownObject | undefined] {
  if (identity.kind !== "Secret" || identity.group !== "") return [before, after];
  const data = (object: UnknownObject | undefined) => (object?.["data"] ?? {}) as Record<string, string>;
  const hide = (object: UnknownObject | undefined, other: Record<string, string>, side: string) => {
    if (object === undefined) return undefined;
    const { stringData: _, ...rest } = object;
    return {
      ...rest,
      data: Object.fromEntries(
        Object.entries(data(object)).map(([key, value]) => [key, other[key] === value ? "***" : `*** (${side})`]),
      ),
    } as UnknownObject;
  };
  return [hide(before, data(after), "before"), hide(after, data(before), "after")];
}

function textOf(object: UnknownObject | undefined): string {
  return object === undefined ? "" : stringify(object, { sortMapEntries: true, lineWidth: 0, indentSeq: false });
}
