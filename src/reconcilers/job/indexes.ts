/** Index lists such as "0-2,5". Upstream: pkg/controller/job/indexed_job_utils.go. */
import type { Pod } from "#api/core/pod.ts";

export const indexAnnotation = "batch.kubernetes.io/job-completion-index";

/** The numbers of a list that are below `limit`. */
export function parseIndexes(text: string | undefined, limit: number): Set<number> {
  const indexes = new Set<number>();
  for (const part of (text ?? "").split(",").filter((each) => each !== "")) {
    const [first = NaN, last = first] = part.split("-").map(Number);
    for (let index = first; index <= Math.min(last, limit - 1); index += 1) indexes.add(index);
  }
  return indexes;
}

/** Three or more neighbours are a range, two are two. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length;) {
    let to = at;
    while (sorted[to + 1] === sorted[to]! + 1) to += 1;
    if (to === at) parts.push(String(sorted[at]));
    else if (to === at + 1) parts.push(String(sorted[at]), String(sorted[to]));
    else parts.push(`${sorted[at]}-${sorted[to]}`);
    at = to + 1;
  }
  return parts.join(",");
}

export function indexOf({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[indexAnnotation];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
