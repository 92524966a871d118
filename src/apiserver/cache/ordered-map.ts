/**
 * A map whose keys stay sorted by code unit: chunks of a bounded size, so that an insert moves a few hundred pointers
 * at most, however many keys there are. Walks may run while the map changes only if the walker does not yield.
 */
const chunkKeysMax = 512;

export class OrderedMap<V> {
  #chunks: { keys: string[]; values: V[] }[] = [{ keys: [], values: [] }];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    const chunk = this.#chunks[this.#chunkOf(key)]!;
    const at = lowerBound(chunk.keys, key);
    return chunk.keys[at] === key ? chunk.values[at] : undefined;
  }

  set(key: string, value: V): void {
    const isAfterAll = this.#isAfterAll(key);
    const index = isAfterAll ? this.#chunks.length - 1 : this.#chunkOf(key);
    const chunk = this.#chunks[index]!;
    const at = isAfterAll ? chunk.keys.length : lowerBound(chunk.keys, key);
    if (chunk.keys[at] === key) {
      chunk.values[at] = value;
      return;
    }
    chunk.keys.splice(at, 0, key);
    chunk.values.splice(at, 0, value);
    this.#size += 1;
    if (chunk.keys.length <= chunkKeysMax) return;
    // Keys often arrive in order: a full last chunk is then left full, and the next one starts empty.
    const half = index === this.#chunks.length - 1 && at === chunkKeysMax ? chunkKeysMax : chunkKeysMax >> 1;
    this.#chunks.splice(index + 1, 0, { keys: chunk.keys.splice(half), values: chunk.values.splice(half) });
  }

  delete(key: string): boolean {
    const index = this.#chunkOf(key);
    const chunk = this.#chunks[index]!;
    const at = lowerBound(chunk.keys, key);
    if (chunk.keys[at] !== key) return false;
    chunk.keys.splice(at, 1);
    chunk.values.splice(at, 1);
    this.#size -= 1;
    if (chunk.keys.length === 0 && this.#chunks.length > 1) this.#chunks.splice(index, 1);
    return true;
  }

  /** Values of keys that begin with `prefix`, in order, only those after the key `after` where it is given. */
  *range(prefix: string, after?: string): Generator<V> {
    const exclusive = after !== undefined && after >= prefix;
    const from = exclusive ? after : prefix;
    for (let index = this.#chunkOf(from); index < this.#chunks.length; index += 1) {
      const { keys, values } = this.#chunks[index]!;
      let at = lowerBound(keys, from);
      if (exclusive && keys[at] === after) at += 1;
      for (; at < keys.length; at += 1) {
        if (!keys[at]!.startsWith(prefix)) return;
        yield values[at]!;
      }
    }
  }

  /** How many values `range` would give, without walking them one by one. */
  count(prefix: string, after?: string): number {
    const exclusive = after !== undefined && after >= prefix;
    const before = prefix === "" ? this.#size : this.#below(prefixEnd(prefix));
    return Math.max(0, before - this.#below(exclusive ? `${after}\u0000` : prefix));
  }

  /** Keys often arrive in order. */
  #isAfterAll(key: string): boolean {
    const last = this.#chunks.at(-1)!.keys.at(-1);
    return last !== undefined && key > last;
  }

  /** How many keys are less than `key`. */
  #below(key: string): number {
    const last = this.#chunkOf(key);
    let count = lowerBound(this.#chunks[last]!.keys, key);
    for (let index = 0; index < last; index += 1) count += this.#chunks[index]!.keys.length;
    return count;
  }

  /** The last chunk whose first key is not greater than `key`. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#chunks[middle]!.keys[0]! <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first string after every string that begins with `prefix`. */
function prefixEnd(prefix: string): string {
  const last = prefix.charCodeAt(prefix.length - 1);
  return prefix.slice(0, -1) + String.fromCharCode(last + 1);
}
