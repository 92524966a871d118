/**
 * Sees drift in the write itself: one watch for each kind that Kustomizations have applied, on the label that marks their
 * objects. A change of content that is not ours is handed on, gathered for a moment; an object that keeps drifting (two
 * controllers that fight over it) is put back less and less often.
 */
import { backoffMs } from "#lib/backoff.ts";
import type { Logger } from "#lib/log.ts";
import type { UnknownObject } from "#api/object.ts";
import { Cache, type CacheChange } from "#client/cache.ts";
import type { Client } from "#client/client.ts";
import type { Discovery } from "#client/discovery.ts";
import { type ObjectIdentity, identityKey, identityOf } from "./inventory.ts";
import { fieldManager, ownerLabels } from "./kinds.ts";
import { type Wished, contentOf } from "./plan.ts";

export interface Drift {
  /** Key of the Kustomization. */
  owner: string;
  identity: ObjectIdentity;
  /** undefined: it was deleted. */
  live: UnknownObject | undefined;
}

export interface DriftOptions {
  client: Client;
  discovery: Discovery;
  log: Logger;
  signal: AbortSignal;
  onDrift(drifts: readonly Drift[]): Promise<void>;
}

interface Expected {
  owner: string;
  identity: ObjectIdentity;
  content: string | undefined;
  corrections: number;
  lastCorrectionAt: number;
}

const gatherMs = 25;
const fight = { initialMs: 1_000, limitMs: 60_000 };
/** An object that stayed as it should for this long is forgiven its past. */
/** A write that does not say when it was counts as the newest. */
const unknownTime = "9999";
const forgiveMs = 120_000;

export class DriftWatch {
  readonly #options: DriftOptions;
  readonly #expected = new Map<string, Expected>();
  readonly #caches = new Map<string, Cache<UnknownObject>>();
  readonly #pending = new Map<string, Drift>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DriftOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => clearTimeout(this.#timer), { once: true });
  }

  /** From now on these objects are held to what was applied; former ones of the owner are let go. */
  async follow(owner: string, wished: readonly Wished[]): Promise<void> {
    const keys = new Set(wished.map(({ identity }) => identityKey(identity)));
    for (const [key, { owner: other }] of this.#expected)
      if (other === owner && !keys.has(key)) this.#expected.delete(key);
    for (const { identity, object } of wished) {
      const key = identityKey(identity);
      const before = this.#expected.get(key);
      this.#expected.set(key, {
        owner,
        identity,
        content: before?.content,
        corrections: before?.corrections ?? 0,
        lastCorrectionAt: before?.lastCorrectionAt ?? 0,
      });
      await this.#watch(object);
    }
  }

  /** What the object looks like after a correction. */
  expect(owner: string, identity: ObjectIdentity, live: UnknownObject): void {
    const expected = this.#expected.get(identityKey(identity));
    if (expected?.owner === owner) expected.content = contentOf(live);
  }

  /** The last report was no drift. */
  forgive(identity: ObjectIdentity): void {
    const expected = this.#expected.get(identityKey(identity));
    if (expected !== undefined) expected.corrections = 0;
  }

  forget(owner: string): void {
    for (const [key, expected] of this.#expected) if (expected.owner === owner) this.#expected.delete(key);
  }

  async #watch({ apiVersion = "", kind = "" }: UnknownObject): Promise<void> {
    const name = `${apiVersion}/${kind}`;
    if (this.#caches.has(name)) return;
    const ref = await this.#options.discovery.resolve(apiVersion, kind);
    if (ref === undefined || !ref.verbs.includes("watch")) return;
    const cache = new Cache<UnknownObject>(this.#options.client, ref, {
      log: this.#options.log,
      labelSelector: ownerLabels.name,
    });
    this.#caches.set(name, cache);
    cache.onChange((change) => this.#see(change, apiVersion, kind));
    void cache.run(this.#options.signal);
  }

  #see({ type, object }: CacheChange<UnknownObject>, apiVersion: string, kind: string): void {
    const identity = identityOf({ ...object, apiVersion, kind });
    const expected = this.#expected.get(identityKey(identity));
    if (expected === undefined) return;
    if (type === "deleted") return this.#report(expected, undefined);
    if (object.metadata.deletionTimestamp !== undefined) return;
    const content = contentOf(object);
    const isOurs = isNewestWriter(object);
    if (expected.content === undefined || isOurs) expected.content = content;
    else if (expected.content !== content) this.#report(expected, object);
  }

  #report(expected: Expected, live: UnknownObject | undefined): void {
    const now = performance.now();
    if (now - expected.lastCorrectionAt > forgiveMs) expected.corrections = 0;
    const waitMs = Math.max(gatherMs, expected.lastCorrectionAt + backoffMs(expected.corrections, fight) - now);
    expected.corrections += 1;
    expected.lastCorrectionAt = now + waitMs;
    expected.content = undefined;
    const drift = { owner: expected.owner, identity: expected.identity, live };
    setTimeout(() => this.#gather(drift), waitMs - gatherMs).unref();
  }

  #gather(drift: Drift): void {
    if (this.#options.signal.aborted || !this.#expected.has(identityKey(drift.identity))) return;
    this.#pending.set(identityKey(drift.identity), drift);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const drifts = [...this.#pending.values()];
      this.#pending.clear();
      this.#options
        .onDrift(drifts)
        .catch((error: unknown) => this.#options.log.warn("drift could not be corrected", { error }));
    }, gatherMs);
  }
}

/** Whether the newest write of spec or metadata is the sync's own. */
function isNewestWriter(object: UnknownObject): boolean {
  const entries = (object.metadata.managedFields ?? []).filter(({ subresource }) => subresource !== "status");
  const ours = entries.find(({ manager, operation }) => manager === fieldManager && operation === "Apply");
  if (ours === undefined) return false;
  return entries.every((entry) => entry === ours || (entry.time ?? unknownTime) < (ours.time ?? ""));
}
