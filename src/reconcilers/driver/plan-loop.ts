/**
 * look → plan → carry out → look again, for many keys. One key is planned for by one worker at a time, and never before the
 * caches show what its last plan wrote: so planners need no memory of what they did ("expectations" upstream).
 */
import { backoffMs } from "#lib/backoff.ts";
import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { Random } from "#lib/random.ts";
import { WorkQueue } from "#lib/work-queue.ts";
import { isConflict, isNotFound, StatusError } from "#api/status-error.ts";
import type { Client } from "#client/client.ts";
import type { ClusterCache } from "#client/cluster-cache.ts";
import { carryOut, type Written } from "./carry-out.ts";
import type { Change, EventSpec, Moment } from "#reconcilers/reconciler.ts";

export interface PlanLoopOptions {
  name: string;
  client: Client;
  cache: ClusterCache;
  clock: Clock;
  random: Random;
  log: Logger;
  signal: AbortSignal;
  record(event: EventSpec): void;
  /** Looks and plans; undefined if there is nothing to plan for. */
  plan(key: string, moment: Moment): Change[];
  /** Default false: many keys at once. */
  serial?: boolean;
  /** Gathers what the plan needs to know from outside. */
  inputs?(key: string): Promise<Moment["inputs"]>;
}

/** Keys that are worked on at once in one loop: most of that time is waiting for the server's disk. */
export const workersMax = 32;
/** Upstream goes up to a quarter of an hour; a cluster that heals should not wait for that. */
const retry = { initialMs: 5, limitMs: 60_000 };
/** A cache that does not show a write by then is behind; planning goes on, conflicts will tell. */
const seenWithinMs = 10_000;
const nothing: Moment["inputs"] = new Map();

export class PlanLoop {
  readonly #options: PlanLoopOptions;
  readonly #queue: WorkQueue;
  readonly #failures = new Map<string, { count: number; error: Error }>();
  readonly #waiting = new Map<string, number>();

  constructor(options: PlanLoopOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({
      workersMax: options.serial === true ? 1 : workersMax,
      clock: options.clock,
      work: (key) => this.#work(key),
    });
    options.signal.addEventListener("abort", () => this.#queue.stop(), { once: true });
  }

  /** The object of this key may need a look. */
  add(key: string): void {
    this.#queue.add(key);
  }

  async #work(key: string): Promise<void> {
    const { log, name, signal } = this.#options;
    try {
      this.#queue.forgetTime(key);
      await this.#round(key);
    } catch (error) {
      if (signal.aborted) return;
      log.error("plan failed", { reconciler: name, key, error, at: error instanceof Error ? error.stack : undefined });
      this.#failed(key, error instanceof Error ? error : new Error(String(error)));
    }
  }

  async #round(key: string): Promise<void> {
    const changes = await this.#plan(key);
    const { written, failure } = await carryOut(changes, this.#options);
    if (this.#options.signal.aborted) return;
    const hadFailed = this.#failures.has(key);
    if (failure === undefined) {
      this.#failures.delete(key);
      await this.#seen(written);
      for (const change of changes) if (change.type === "wake") this.#queue.addAt(key, change.at);
      // The next plan no longer knows of a failure, which may change what it reports.
      if (hadFailed) this.#queue.add(key);
      return;
    }
    this.#failed(key, failure);
    await this.#seen(written);
    if (!isPassing(failure)) await this.#reportFailure(key);
  }

  /** Looks once more, knowing of the failure, and carries out what only tells: nothing else until the retry. */
  async #reportFailure(key: string): Promise<void> {
    const changes = (await this.#plan(key)).filter(
      (change) => change.type === "update" && change.subresource === "status",
    );
    const { written, failure } = await carryOut(changes, this.#options);
    if (failure === undefined) await this.#seen(written);
  }

  async #plan(key: string): Promise<Change[]> {
    const { clock, inputs, plan } = this.#options;
    const given = inputs === undefined ? nothing : await inputs(key);
    const failed = this.#failures.get(key);
    const now = clock.now();
    const waitingSince = this.#waiting.get(key);
    const failures = failed?.count ?? 0;
    const changes = plan(key, { now, failure: failed?.error, failures, waitingSince, inputs: given });
    if (changes.length === 0 || changes.some(({ type }) => type !== "wake")) this.#waiting.delete(key);
    else if (waitingSince === undefined) this.#waiting.set(key, now);
    return changes;
  }

  #failed(key: string, error: Error): void {
    const { clock, log, name, random } = this.#options;
    const count = (this.#failures.get(key)?.count ?? 0) + 1;
    // A conflict only means that the view was old: it says nothing about the wish.
    const known = this.#failures.get(key);
    this.#failures.set(key, { count, error: isPassing(error) && known !== undefined ? known.error : error });
    const wait = backoffMs(count, retry) * (1 + 0.1 * random.next());
    this.#queue.addAt(key, clock.now() + wait);
    log.debug("plan not carried out", { reconciler: name, key, failures: count, error });
  }

  async #seen(written: readonly Written[]): Promise<void> {
    const { cache, signal } = this.#options;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(seenWithinMs)]);
    for (const { ref, key, revision, uid } of written) {
      const kind = cache.peek(ref);
      if (kind === undefined) continue;
      await kind.when(() => {
        if (revision !== undefined && kind.revision >= revision) return true;
        const object = kind.get(key);
        if (uid === undefined) return false;
        return (
          object?.metadata.uid !== uid || (revision === undefined && object.metadata.deletionTimestamp !== undefined)
        );
      }, limit);
    }
  }
}

/** Nothing is wrong: the view was a moment old. */
function isPassing(error: Error): boolean {
  return isConflict(error) || isNotFound(error) || (error instanceof StatusError && error.reason === "Expired");
}
