/**
 * Durations as Go reads and writes them: "1h30m", "500ms", "-1.5s", "0". One reader serves flags, schedules, formats and
 * intervals. Rule: Go's time.ParseDuration and Duration.String.
 */
import { goQuote } from "./go-text.ts";

/** In nanoseconds. */
const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const magnitudeMax = 2n ** 63n;

/** Nanoseconds, or Go's words for why the text is no duration. */
export function parseDuration(text: string): bigint | string {
  const isNegative = text.startsWith("-");
  const invalid = `time: invalid duration ${goQuote(text)}`;
  let rest = text.replace(/^[+-]/, "");
  if (rest === "0") return 0n;
  if (rest === "") return invalid;
  let total = 0n;
  while (rest !== "") {
    const [number, whole, fraction] = /^([0-9]*)(?:\.([0-9]*))?/.exec(rest)!;
    if (whole === "" && (fraction ?? "") === "") return invalid;
    const unit = /^[^0-9.]*/.exec(rest.slice(number.length))![0];
    if (unit === "") return `time: missing unit in duration ${goQuote(text)}`;
    if (!Object.hasOwn(units, unit)) return `time: unknown unit ${goQuote(unit)} in duration ${goQuote(text)}`;
    total += BigInt(whole!) * units[unit]! + BigInt(Math.trunc(Number(`0.${fraction ?? ""}0`) * Number(units[unit])));
    if (total > magnitudeMax) return invalid;
    rest = rest.slice(number.length + unit.length);
  }
  if (isNegative) return -total;
  return total === magnitudeMax ? invalid : total;
}

const words: readonly (readonly [RegExp, bigint])[] = [
  [/^(?:ns$|nano)/i, 1n],
  [/^(?:us$|µs$|micro)/i, 1_000n],
  [/^(?:ms$|milli)/i, 1_000_000n],
  [/^(?:s$|sec)/i, 1_000_000_000n],
  [/^(?:m$|min)/i, 60_000_000_000n],
  [/^(?:h$|hr$|hour)/i, 3_600_000_000_000n],
  [/^(?:d$|day)/i, 86_400_000_000_000n],
  [/^(?:w$|wk$|week)/i, 604_800_000_000_000n],
];

/** Nanoseconds of what the format "duration" takes besides: "5 days 3 hours"; undefined without any. Rule: kube-openapi strfmt. */
export function parseWordDuration(text: string): bigint | undefined {
  let nanos: bigint | undefined;
  for (const [, amount, unit] of text.matchAll(/(?<!\d)(\d+)\s*([a-zµ]+)/gi)) {
    const size = words.find(([pattern]) => pattern.test(unit!))?.[1];
    if (size !== undefined) nanos = (nanos ?? 0n) + BigInt(amount!) * size;
  }
  return nanos;
}

/** Milliseconds, with what is below them as a fraction; undefined where there is no text or no duration. */
export function durationMs(text: string | undefined): number | undefined {
  const nanos = text === undefined ? "" : parseDuration(text);
  return typeof nanos === "string" ? undefined : Number(nanos) / 1e6;
}

/** Milliseconds as Go writes them: "0s", "250ms", "10s", "1m20s", "5m0s". */
export function durationText(ms: number): string {
  if (ms > 0 && ms < 1000) return `${ms}ms`;
  const seconds = ms / 1000;
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const rest = `${Number((seconds % 60).toFixed(9))}s`;
  if (hours > 0) return `${hours}h${minutes % 60}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}
