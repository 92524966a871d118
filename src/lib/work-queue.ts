/**
 * Keys that want work. One key is worked on by one worker at a time; a key that is added meanwhile is worked on once more
 * afterwards, however often it was added. Knows nothing of what the work is.
 */
import { systemClock, type Clock } from "./clock.ts";
import { timerMsMax } from "./sleep.ts";

export interface WorkQueueOptions {
  /** How many keys are worked on at once. */
  workersMax: number;
  /** Must not reject. */
  work(key: string): Promise<void>;
  clock?: Clock;
}

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #clock: Clock;
  readonly #waiting = new Set<string>();
  readonly #working = new Set<string>();
  readonly #dirty = new Set<string>();
  readonly #timers = new Map<string, { timer: NodeJS.Timeout; at: number }>();
  #stopped = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Keys that wait or are worked on; those that wait for a time are not counted. */
  get size(): number {
    return this.#waiting.size + this.#working.size;
  }

  add(key: string): void {
    if (this.#stopped) return;
    if (this.#working.has(key)) this.#dirty.add(key);
    else this.#waiting.add(key);
    if (this.#working.size < this.#options.workersMax) queueMicrotask(() => this.#pump());
  }

  /** Adds a key at a time (milliseconds since the epoch); of several times the earliest counts. */
  addAt(key: string, at: number): void {
    if (this.#stopped) return;
    const known = this.#timers.get(key);
    if (known !== undefined && known.at <= at) return;
    clearTimeout(known?.timer);
    const wait = Math.max(0, Math.min(at - this.#clock.now(), timerMsMax));
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      if (this.#clock.now() < at) this.addAt(key, at);
      else this.add(key);
    }, wait);
    timer.unref();
    this.#timers.set(key, { timer, at });
  }

  /** Takes back what `addAt` promised for a key. */
  forgetTime(key: string): void {
    clearTimeout(this.#timers.get(key)?.timer);
    this.#timers.delete(key);
  }

  /** Begins no more work. */
  stop(): void {
    this.#stopped = true;
    this.#waiting.clear();
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #pump(): void {
    for (const key of this.#waiting) {
      if (this.#stopped || this.#working.size >= this.#options.workersMax) return;
      this.#waiting.delete(key);
      this.#working.add(key);
      void this.#options.work(key).finally(() => this.#finished(key));
    }
  }

  #finished(key: string): void {
    this.#working.delete(key);
    if (this.#dirty.delete(key)) this.add(key);
    this.#pump();
  }
}
