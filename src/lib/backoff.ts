/** How long to wait before the n-th try. Doubles from `initialMs` to `limitMs`. */
export interface BackoffPolicy {
  readonly initialMs: number;
  readonly limitMs: number;
}

/** The delay after `failures` failures in a row (0: none). */
export function backoffMs(failures: number, { initialMs, limitMs }: BackoffPolicy): number {
  return failures <= 0 ? 0 : Math.min(limitMs, initialMs * 2 ** Math.min(failures - 1, 30));
}
