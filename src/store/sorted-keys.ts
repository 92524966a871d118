/**
 * A set of keys in order, for prefix ranges. A list of short sorted runs: finding is binary, an insert moves at most one
 * run. Order is that of JavaScript strings, which for ASCII keys is that of their bytes.
 */
const runKeysMax = 512;

export class SortedKeys {
  #runs: string[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(key: string): void {
    const at = this.#isAfterAll(key) ? this.#runs.length - 1 : Math.max(0, this.#runOf(key));
    const run = this.#runs[at];
    if (run === undefined) {
      this.#runs.push([key]);
      this.#size++;
      return;
    }
    const position = key > run[run.length - 1]! ? run.length : lowerBound(run, key);
    if (run[position] === key) return;
    if (position === run.length) run.push(key);
    else run.splice(position, 0, key);
    this.#size++;
    // A full run at the end is left full: keys often come in order.
    if (run.length > runKeysMax)
      this.#runs.splice(at + 1, 0, run.splice(position === run.length - 1 ? position : runKeysMax / 2));
  }

  delete(key: string): void {
    const at = this.#runOf(key);
    const run = this.#runs[at];
    if (run === undefined) return;
    const position = lowerBound(run, key);
    if (run[position] !== key) return;
    run.splice(position, 1);
    this.#size--;
    if (run.length === 0) this.#runs.splice(at, 1);
  }

  /** Keys that begin with `prefix` and come after `after`, in order. The set must not change meanwhile. */
  *range(prefix: string, after?: string): Generator<string> {
    const start = after !== undefined && after >= prefix ? after : prefix;
    const first = Math.max(0, this.#runOf(start));
    for (let at = first; at < this.#runs.length; at++) {
      const run = this.#runs[at] ?? [];
      for (let position = at === first ? lowerBound(run, start) : 0; position < run.length; position++) {
        const key = run[position] ?? "";
        if (key === after) continue;
        if (!key.startsWith(prefix)) return;
        yield key;
      }
    }
  }

  /** How many keys begin with `prefix` and come after `after`, without visiting each. */
  count(prefix: string, after?: string): number {
    const start = after !== undefined && after >= prefix ? after : prefix;
    let from = this.#rank(start);
    if (start === after && this.#has(start)) from++;
    return Math.max(0, this.#rank(`${prefix}\u{10ffff}`) - from);
  }

  /** Keys often come in order. */
  #isAfterAll(key: string): boolean {
    const last = this.#runs.at(-1)?.at(-1);
    return last !== undefined && key > last;
  }

  #has(key: string): boolean {
    const run = this.#runs[this.#runOf(key)];
    return run !== undefined && run[lowerBound(run, key)] === key;
  }

  /** The number of keys before `key`. */
  #rank(key: string): number {
    const at = this.#runOf(key);
    let rank = 0;
    for (let before = 0; before < at; before++) rank += this.#runs[before]?.length ?? 0;
    const run = this.#runs[at];
    return run === undefined ? rank : rank + lowerBound(run, key);
  }

  /** The last run whose first key is not after `key`, or -1. */
  #runOf(key: string): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#runs[middle]?.[0] ?? "") <= key) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** The position of the first element that is not before `key`. */
function lowerBound(run: readonly string[], key: string): number {
  let low = 0;
  let high = run.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((run[middle] ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
