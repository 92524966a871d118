/** The lines that benches print: what, how much, and beside it what Go's Kubernetes did. */

/** `ratio`: how many times better than Go. */
export function line(title: string, ours: string, theirs = "", ratio?: number): void {
  const beside = theirs === "" ? "" : `Go: ${theirs}${ratio === undefined ? "" : `  (${ratio.toFixed(1)}x)`}`;
  console.log(`${title.padEnd(46)} ${ours.padEnd(66)} ${beside}`.trimEnd());
}

/** The value below which a share of all values lies; `sorted` ascends. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export const count = (value: number): string => Math.round(value).toLocaleString("en-US");
