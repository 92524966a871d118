/** Chance as a value that is handed in, so that a seed replays a run. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

export const systemRandom: Random = { next: () => Math.random() };

/** A small, fast, seeded generator (mulberry32). Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = state;
      mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    },
  };
}

const suffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";

/** Lower-case letters and digits that spell no words. Upstream: apimachinery/pkg/util/rand. */
export function randomSuffix(length: number, random: Random = systemRandom): string {
  return Array.from({ length }, () => suffixAlphabet[Math.floor(random.next() * suffixAlphabet.length)]).join("");
}
