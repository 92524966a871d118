/**
 * Pods that wait for a node. Those that may be tried are in order of priority, then of age; those that were refused wait
 * for an event that one of the refusing plugins asked for; those that fail rest for a time that doubles. Upstream:
 * pkg/scheduler/backend/queue.
 */
import { assert } from "#lib/assert.ts";
import { backoffMs } from "#lib/backoff.ts";
import type { Clock } from "#lib/clock.ts";
import type { ClusterEvent, ClusterEventName } from "./cluster-event.ts";
import type { PodInfo } from "./pod-info.ts";
import type { Cluster, Plugin } from "./plugin.ts";

export interface QueuedPod {
  info: PodInfo;
  /** How often it was tried without success. */
  attempts: number;
  /** Why it may not be tried; the plugin's name. */
  heldBy: string | undefined;
  /** The plugins that refused it last. */
  refusedBy: ReadonlySet<string>;
  /** When it was tried last, in milliseconds. */
  triedAt: number;
  readonly order: number;
  place: "active" | "resting" | "failed" | "waiting" | "held" | "taken";
  restsUntil: number;
}

/** With more pods at rest than this each rests for its whole time, so that retries do not take all of the processor. */
export const restCutShortMax = 100;

const rest = { initialMs: 1_000, limitMs: 10_000 };
/** A refused pod is tried again after this long even if nothing happened. */
export const waitingMsMax = 5 * 60_000;

export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #plugins: readonly Plugin[];
  /** Event → the plugins that asked for it, by name. */
  readonly #askers = new Map<ClusterEventName, Map<string, Plugin>>();
  readonly #cluster: Cluster;
  readonly #pods = new Map<string, QueuedPod>();
  readonly #active = new Heap<QueuedPod>(byPriority);
  readonly #resting = new Heap<QueuedPod>((a, b) => a.restsUntil - b.restsUntil);
  readonly #failed = new Heap<QueuedPod>((a, b) => a.restsUntil - b.restsUntil);
  /** Waiting and held pods: what events are for. */
  readonly #asleep = new Set<QueuedPod>();
  #orders = 0;
  #restingCount = 0;

  constructor(clock: Clock, plugins: readonly Plugin[], cluster: Cluster) {
    this.#clock = clock;
    this.#plugins = plugins;
    this.#cluster = cluster;
    for (const plugin of plugins)
      for (const event of plugin.retryWhen) {
        const askers = this.#askers.get(event) ?? new Map<string, Plugin>();
        this.#askers.set(event, askers.set(plugin.name, plugin));
      }
  }

  get size(): number {
    return this.#pods.size;
  }

  get(uid: string): QueuedPod | undefined {
    return this.#pods.get(uid);
  }

  /** A new pod, or a newer state of one; `isChanged` if it may go elsewhere now. */
  put(info: PodInfo, isChanged: boolean): void {
    const known = this.#pods.get(info.uid);
    if (known === undefined) {
      const queued: QueuedPod = {
        info,
        attempts: 0,
        heldBy: undefined,
        refusedBy: new Set(),
        triedAt: 0,
        order: this.#orders++,
        place: "held",
        restsUntil: 0,
      };
      this.#pods.set(info.uid, queued);
      this.#wake(queued);
      return;
    }
    known.info = info;
    if (isChanged && (known.place === "waiting" || known.place === "held")) this.#wake(known);
  }

  remove(uid: string): void {
    const queued = this.#pods.get(uid);
    if (queued === undefined) return;
    this.#pods.delete(uid);
    this.#asleep.delete(queued);
    this.#move(queued, "taken");
  }

  /** The next pod to try. It is taken until `refuse`, `fail` or `remove` is called for it. */
  pop(): QueuedPod | undefined {
    const now = this.#clock.now();
    this.#activateRested(this.#failed, "failed", now);
    this.#activateRested(this.#resting, "resting", now);
    const next = this.#shift(this.#active, "active") ?? this.#cutShort();
    if (next === undefined) return undefined;
    this.#move(next, "taken");
    next.triedAt = now;
    return next;
  }

  /** When `pop` will have something, if nothing else happens. */
  get nextAt(): number | undefined {
    const failed = this.#peek(this.#failed, "failed")?.restsUntil ?? Infinity;
    const resting = this.#peek(this.#resting, "resting")?.restsUntil ?? Infinity;
    return failed === Infinity && resting === Infinity ? undefined : Math.min(failed, resting);
  }

  /** No node fits: waits for events. */
  refuse(queued: QueuedPod, refusedBy: ReadonlySet<string>): void {
    if (this.#pods.get(queued.info.uid) !== queued) return;
    queued.attempts++;
    queued.refusedBy = refusedBy;
    this.#move(queued, "waiting");
    this.#asleep.add(queued);
  }

  /** Something went wrong: it is tried again after a rest. */
  fail(queued: QueuedPod): void {
    if (this.#pods.get(queued.info.uid) !== queued) return;
    queued.attempts++;
    this.#move(queued, "failed");
    queued.restsUntil = this.#clock.now() + backoffMs(queued.attempts, rest);
    this.#failed.push(queued);
  }

  /** Wakes the pods that the event may help. */
  happened(event: ClusterEvent): void {
    const askers = this.#askers.get(event.name);
    for (const queued of this.#asleep) if (this.#isHelped(queued, event, askers)) this.#wake(queued);
  }

  /** Wakes who has waited for long. */
  timePassed(): void {
    const before = this.#clock.now() - waitingMsMax;
    for (const queued of this.#asleep) if (queued.triedAt < before) this.#wake(queued);
  }

  #isHelped(
    { info, heldBy, refusedBy, place }: QueuedPod,
    event: ClusterEvent,
    askers: ReadonlyMap<string, Plugin> | undefined,
  ): boolean {
    if (place === "waiting" && refusedBy.size === 0) return true;
    if (askers === undefined) return false;
    for (const name of place === "held" ? [heldBy ?? ""] : refusedBy) {
      const plugin = askers.get(name);
      if (plugin !== undefined && (plugin.helps?.(event, info, this.#cluster) ?? true)) return true;
    }
    return false;
  }

  /** Off to be tried, unless a plugin holds it. */
  #wake(queued: QueuedPod): void {
    const holder = this.#plugins.find((plugin) => plugin.holds?.(queued.info, this.#cluster) !== undefined);
    queued.heldBy = holder?.name;
    if (holder !== undefined) {
      this.#move(queued, "held");
      this.#asleep.add(queued);
      return;
    }
    this.#asleep.delete(queued);
    const restsUntil = queued.triedAt + backoffMs(queued.attempts, rest);
    if (restsUntil <= this.#clock.now()) return this.#activate(queued);
    this.#move(queued, "resting");
    queued.restsUntil = restsUntil;
    this.#resting.push(queued);
  }

  #activate(queued: QueuedPod): void {
    assert(queued.place !== "active", "a pod is active once");
    this.#move(queued, "active");
    this.#active.push(queued);
  }

  /** Who has rested long enough takes part again by priority. */
  #activateRested(heap: Heap<QueuedPod>, place: QueuedPod["place"], now: number): void {
    for (let first = this.#peek(heap, place); first !== undefined; first = this.#peek(heap, place)) {
      if (first.restsUntil > now) return;
      heap.shift();
      this.#activate(first);
    }
  }

  /** Nobody gains from a pause when there is nothing else to do. */
  #cutShort(): QueuedPod | undefined {
    return this.#restingCount <= restCutShortMax ? this.#shift(this.#resting, "resting") : undefined;
  }

  #move(queued: QueuedPod, place: QueuedPod["place"]): void {
    if (queued.place === "resting") this.#restingCount--;
    if (place === "resting") this.#restingCount++;
    queued.place = place;
  }

  #shift(heap: Heap<QueuedPod>, place: QueuedPod["place"]): QueuedPod | undefined {
    const first = this.#peek(heap, place);
    if (first !== undefined) heap.shift();
    return first;
  }

  /**
   * The first of a heap, after dropping pods that were removed meanwhile. Invariant: a pod leaves its heap before it
   * changes its time, so that the order holds.
   */
  #peek(heap: Heap<QueuedPod>, place: QueuedPod["place"]): QueuedPod | undefined {
    for (let first = heap.first; first !== undefined; first = heap.first) {
      if (first.place === place && this.#pods.get(first.info.uid) === first) return first;
      heap.shift();
    }
    return undefined;
  }
}

const byPriority = (a: QueuedPod, b: QueuedPod): number => b.info.priority - a.info.priority || a.order - b.order;

class Heap<T> {
  readonly #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#compare(items[parent] as T, item) <= 0) break;
      items[at] = items[parent] as T;
      at = parent;
    }
    items[at] = item;
  }

  shift(): void {
    const items = this.#items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.#compare(items[child + 1] as T, items[child] as T) < 0) child++;
      if (this.#compare(last, items[child] as T) <= 0) break;
      items[at] = items[child] as T;
      at = child;
    }
    items[at] = last;
  }
}
