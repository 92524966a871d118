/** Lists of completion indexes: "1,3-5". Upstream: validateIndexesFormat in pkg/apis/batch/validation. */
import { goQuote } from "#api/go-text.ts";

export interface Intervals {
  intervals: [first: number, last: number][];
  total: number;
  /** Why the text is no list. */
  fault?: string;
}

export function parseIntervals(text: string, completions: number): Intervals {
  const intervals: Intervals["intervals"] = [];
  let total = 0;
  if (text === "") return { intervals, total };
  for (const part of text.split(",")) {
    const interval = parseInterval(part, completions);
    if (typeof interval === "string") return { intervals, total, fault: interval };
    const previous = intervals.at(-1)?.[1];
    if (previous !== undefined && previous >= interval[0])
      return { intervals, total, fault: orderFault(previous, interval[0]) };
    intervals.push(interval);
    total += interval[1] - interval[0] + 1;
  }
  return { intervals, total };
}

/** Go reads no greater number. */
const int64Max = 2n ** 63n - 1n;

function parseInterval(text: string, completions: number): [number, number] | string {
  const limits = text.split("-");
  if (limits.length > 2)
    return `the fragment ${goQuote(text)} violates the requirement that an index interval can have at most two parts separated by '-'`;
  const numbers: number[] = [];
  for (const limit of limits) {
    if (!/^\+?[0-9]+$/.test(limit) || BigInt(limit.replace("+", "")) > int64Max)
      return `cannot convert string to integer for index: ${goQuote(limit)}`;
    if (Number(limit) >= completions) return `too large index: ${goQuote(limit)}`;
    numbers.push(Number(limit));
  }
  const [first = 0, last] = numbers;
  if (last === undefined) return [first, first];
  return first >= last ? orderFault(first, last) : [first, last];
}

const orderFault = (previous: number, current: number) =>
  `non-increasing order, previous: ${previous}, current: ${current}`;

/**
 * The first index that two lists of intervals share. What is no interval is skipped: others tell of it.
 * Upstream: validateFailedIndexesNotOverlapCompleted, which walks both lists at once and takes them as sorted.
 */
export function firstOverlap(one: string, other: string, completions: number): number | undefined {
  const left = validIntervals(one, completions);
  const right = validIntervals(other, completions);
  for (let i = 0, j = 0; i < left.length && j < right.length;) {
    const [first, last] = left[i]!;
    const [from, to] = right[j]!;
    if (first <= to && from <= last) return Math.max(first, from);
    if (first <= from) i++;
    else j++;
  }
  return undefined;
}

const validIntervals = (text: string, completions: number): Intervals["intervals"] =>
  text.split(",").flatMap((part) => {
    const interval = parseInterval(part, completions);
    return typeof interval === "string" ? [] : [interval];
  });
