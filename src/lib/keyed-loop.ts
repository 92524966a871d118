/**
 * Runs one job a key at a time: a poke asks for a run, at once or after a delay; pokes during a run ask for one more run;
 * a run that fails is tried again with back-off. The driver half of "look, plan, do" for work that waits for I/O.
 */
import { type BackoffPolicy, backoffMs } from "./backoff.ts";

export interface KeyedLoopOptions {
  /** Does the work; resolves with how long to wait before the next run without a poke, or undefined for no such run. */
  run(key: string, signal: AbortSignal): Promise<number | undefined>;
  /** A run rejected: it is tried again after `retryMs`. */
  onError(key: string, error: unknown, retryMs: number): void;
  backoff?: BackoffPolicy;
  signal: AbortSignal;
}

interface Lane {
  running: AbortController | undefined;
  /** A poke came during the run. */
  again: boolean;
  timer: NodeJS.Timeout | undefined;
  dueAt: number;
  failures: number;
}

export class KeyedLoop {
  readonly #options: KeyedLoopOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #finished = new Set<Promise<void>>();

  constructor(options: KeyedLoopOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => this.#stop(), { once: true });
  }

  /** Asks for a run. `supersede` also ends the run under way: what it works on is outdated. */
  poke(key: string, { delayMs = 0, supersede = false }: { delayMs?: number; supersede?: boolean } = {}): void {
    if (this.#options.signal.aborted) return;
    const lane = this.#lane(key);
    if (lane.running !== undefined) {
      lane.again = true;
      if (supersede) lane.running.abort(new SupersededError());
      return;
    }
    this.#schedule(key, lane, delayMs);
  }

  /** Drops a key: its timer, its failures; a run under way is ended. */
  forget(key: string): void {
    const lane = this.#lanes.get(key);
    if (lane === undefined) return;
    clearTimeout(lane.timer);
    lane.running?.abort(new SupersededError());
    this.#lanes.delete(key);
  }

  /** Resolves when no run is under way. */
  async settled(): Promise<void> {
    while (this.#finished.size > 0) await Promise.all(this.#finished);
  }

  #lane(key: string): Lane {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = { running: undefined, again: false, timer: undefined, dueAt: Infinity, failures: 0 };
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  #schedule(key: string, lane: Lane, delayMs: number): void {
    const dueAt = performance.now() + delayMs;
    if (lane.timer !== undefined && lane.dueAt <= dueAt) return;
    clearTimeout(lane.timer);
    lane.dueAt = dueAt;
    lane.timer = setTimeout(() => {
      const job = this.#run(key, lane).finally(() => this.#finished.delete(job));
      this.#finished.add(job);
    }, delayMs);
  }

  async #run(key: string, lane: Lane): Promise<void> {
    lane.timer = undefined;
    lane.dueAt = Infinity;
    lane.again = false;
    const running = new AbortController();
    lane.running = running;
    let next: number | undefined;
    try {
      next = await this.#options.run(key, AbortSignal.any([running.signal, this.#options.signal]));
      lane.failures = 0;
    } catch (error) {
      if (!running.signal.aborted && !this.#options.signal.aborted) {
        lane.failures += 1;
        next = backoffMs(lane.failures, this.#options.backoff ?? { initialMs: 500, limitMs: 60_000 });
        this.#options.onError(key, error, next);
      }
    }
    lane.running = undefined;
    if (this.#options.signal.aborted || this.#lanes.get(key) !== lane) return;
    if (lane.again) this.#schedule(key, lane, 0);
    else if (next !== undefined) this.#schedule(key, lane, next);
  }

  #stop(): void {
    for (const lane of this.#lanes.values()) clearTimeout(lane.timer);
    this.#lanes.clear();
  }
}

/** Why a run was ended: there is something newer to do. */
export class SupersededError extends Error {
  constructor() {
    super("superseded by something newer");
    this.name = "SupersededError";
  }
}
