/** Crashes on a bug. Stays on in production: going on with a broken invariant loses data. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`bug: ${message}`);
}

/** For the branch of a switch that no value can reach. */
export function unreachable(value: never): never {
  throw new Error(`bug: unexpected ${JSON.stringify(value)}`);
}
