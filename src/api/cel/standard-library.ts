/** Operators and functions that CEL itself has. Upstream: google/cel-go stdlib. */
import { isUtf8 } from "node:buffer";
import { RE2JS } from "re2js";
import { floatText } from "#api/go-text.ts";
import { elementOf, entryOf, typeValueOf } from "./evaluate.ts";
import type { Declaration } from "./functions.ts";
import {
  CelError,
  Duration,
  Timestamp,
  TypeValue,
  Uint,
  compare,
  durationOf,
  isSame,
  isTimestamp,
  listTypeOf,
  timestampOf,
  timestampText,
  withListType,
} from "./value.ts";

const int64 = (value: bigint): bigint => {
  if (BigInt.asIntN(64, value) !== value) throw new CelError("integer overflow");
  return value;
};
const uint64 = (value: bigint): Uint => {
  if (BigInt.asUintN(64, value) !== value) throw new CelError("unsigned integer overflow");
  return new Uint(value);
};
/** A moment or a span that Go can hold. */
function moment(nanos: bigint, offsetMinutes: number): Timestamp {
  const seconds = nanos / 1_000_000_000n - (nanos % 1_000_000_000n < 0n ? 1n : 0n);
  if (!isTimestamp(seconds)) throw new CelError("timestamp overflow");
  return new Timestamp(nanos, offsetMinutes);
}
function span(nanos: bigint): Duration {
  if (BigInt.asIntN(64, nanos) !== nanos) throw new CelError("integer overflow");
  return new Duration(nanos);
}
const nonZero = (value: bigint, text: string): bigint => {
  if (value === 0n) throw new CelError(text);
  return value;
};

const arithmetic: readonly Declaration[] = [
  ["_+_(int, int): int", (a: bigint, b: bigint) => int64(a + b)],
  ["_+_(uint, uint): uint", (a: Uint, b: Uint) => uint64(a.value + b.value)],
  ["_+_(double, double): double", (a: number, b: number) => a + b],
  ["_+_(string, string): string", (a: string, b: string) => a + b],
  ["_+_(bytes, bytes): bytes", (a: Uint8Array, b: Uint8Array) => Buffer.concat([a, b])],
  ["_+_(list(A), list(A)): list(A)", joinLists],
  ["_+_(duration, duration): duration", (a: Duration, b: Duration) => span(a.nanos + b.nanos)],
  ["_+_(timestamp, duration): timestamp", (a: Timestamp, b: Duration) => moment(a.nanos + b.nanos, a.offsetMinutes)],
  ["_+_(duration, timestamp): timestamp", (a: Duration, b: Timestamp) => moment(a.nanos + b.nanos, b.offsetMinutes)],
  ["_-_(int, int): int", (a: bigint, b: bigint) => int64(a - b)],
  ["_-_(uint, uint): uint", (a: Uint, b: Uint) => uint64(a.value - b.value)],
  ["_-_(double, double): double", (a: number, b: number) => a - b],
  ["_-_(duration, duration): duration", (a: Duration, b: Duration) => span(a.nanos - b.nanos)],
  ["_-_(timestamp, timestamp): duration", (a: Timestamp, b: Timestamp) => span(a.nanos - b.nanos)],
  ["_-_(timestamp, duration): timestamp", (a: Timestamp, b: Duration) => moment(a.nanos - b.nanos, a.offsetMinutes)],
  ["_*_(int, int): int", (a: bigint, b: bigint) => int64(a * b)],
  ["_*_(uint, uint): uint", (a: Uint, b: Uint) => uint64(a.value * b.value)],
  ["_*_(double, double): double", (a: number, b: number) => a * b],
  ["_/_(int, int): int", (a: bigint, b: bigint) => int64(a / nonZero(b, "division by zero"))],
  ["_/_(uint, uint): uint", (a: Uint, b: Uint) => new Uint(a.value / nonZero(b.value, "division by zero"))],
  ["_/_(double, double): double", (a: number, b: number) => a / b],
  ["_%_(int, int): int", (a: bigint, b: bigint) => a % nonZero(b, "modulus by zero")],
  ["_%_(uint, uint): uint", (a: Uint, b: Uint) => new Uint(a.value % nonZero(b.value, "modulus by zero"))],
  ["-_(int): int", (a: bigint) => int64(-a)],
  ["-_(double): double", (a: number) => -a],
];

/** Sets take in what they do not have, lists with keys put the new item in the old one's place. Upstream: schema's list values. */
function joinLists(a: readonly unknown[], b: readonly unknown[]): unknown[] {
  const type = listTypeOf(a);
  if (type === undefined) return [...a, ...b];
  const joined = [...a];
  for (const item of b) {
    const at = joined.findIndex((one) => isSameItem(one, item, type.keys));
    if (at === -1) joined.push(item);
    else joined[at] = item;
  }
  return withListType(joined, type);
}

function isSameItem(a: unknown, b: unknown, keys: readonly string[]): boolean {
  if (keys.length === 0 || !(a instanceof Map) || !(b instanceof Map)) return isSame(a, b);
  return keys.every((key) => isSame(a.get(key), b.get(key)));
}

const numbers = ["int", "uint", "double"];
const comparable = [
  ...numbers.flatMap((a) => numbers.map((b) => [a, b] as const)),
  ...["bool", "string", "bytes", "timestamp", "duration"].map((one) => [one, one] as const),
];
const orders: readonly (readonly [string, (order: number) => boolean])[] = [
  ["_<_", (order) => order < 0],
  ["_<=_", (order) => order <= 0],
  ["_>_", (order) => order > 0],
  ["_>=_", (order) => order >= 0],
];

const logic: readonly Declaration[] = [
  ...orders.flatMap(([name, holds]) =>
    comparable.map(([a, b]): Declaration => [
      `${name}(${a}, ${b}): bool`,
      (x: unknown, y: unknown) => holds(compare(x, y)),
    ]),
  ),
  ["_==_(A, A): bool", isSame],
  ["_!=_(A, A): bool", (a: unknown, b: unknown) => !isSame(a, b)],
  ["_&&_(bool, bool): bool", (a: boolean, b: boolean) => a && b],
  ["_||_(bool, bool): bool", (a: boolean, b: boolean) => a || b],
  ["_?_:_(bool, A, A): A", (test: boolean, a: unknown, b: unknown) => (test ? a : b)],
  ["!_(bool): bool", (a: boolean) => !a],
  ["@in(A, list(A)): bool", (a: unknown, list: readonly unknown[]) => list.some((one) => isSame(one, a))],
  ["@in(A, map(A, B)): bool", (a: unknown, map: Map<unknown, unknown>) => entryOf(map, a).has],
  ["_[_](list(A), int): A", (list: readonly unknown[], index: bigint) => indexed(list, index)],
  ["_[_](map(A, B), A): B", (map: Map<unknown, unknown>, key: unknown) => indexed(map, key)],
];

function indexed(container: readonly unknown[] | Map<unknown, unknown>, key: unknown): unknown {
  const found = elementOf(container, key);
  if (found.has) return found.value;
  throw new CelError(Array.isArray(container) ? `index out of bounds: ${String(key)}` : `no such key: ${String(key)}`);
}

const lengthOf = (text: string): bigint => BigInt([...text].length);
const sizes: readonly Declaration[] = ["size(#): int", "#.size(): int"].flatMap((form): Declaration[] => [
  [form.replace("#", "string"), lengthOf],
  [form.replace("#", "bytes"), (bytes: Uint8Array) => BigInt(bytes.length)],
  [form.replace("#", "list(A)"), (list: readonly unknown[]) => BigInt(list.length)],
  [form.replace("#", "map(A, B)"), (map: Map<unknown, unknown>) => BigInt(map.size)],
]);

function matches(text: string, pattern: string): boolean {
  try {
    return RE2JS.compile(pattern).matcher(text).find();
  } catch (error) {
    throw new CelError((error as Error).message);
  }
}

const texts: readonly Declaration[] = [
  ["string.startsWith(string): bool", (a: string, b: string) => a.startsWith(b)],
  ["string.endsWith(string): bool", (a: string, b: string) => a.endsWith(b)],
  ["string.contains(string): bool", (a: string, b: string) => a.includes(b)],
  ["string.matches(string): bool", matches],
  ["matches(string, string): bool", matches],
];

/** A text is not of the form of the type. */
const notConverted = (type: string): CelError => new CelError(`type conversion error from 'string' to '${type}'`);

function intOf(value: number | string): bigint {
  if (typeof value === "number") {
    if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 63) throw new CelError("integer overflow");
    return BigInt(Math.trunc(value));
  }
  const whole = /^[+-]?\d+$/.test(value) ? BigInt(value.replace("+", "")) : undefined;
  if (whole === undefined || BigInt.asIntN(64, whole) !== whole) throw notConverted("int");
  return whole;
}

function uintOf(text: string): Uint {
  const whole = /^\d+$/.test(text) ? BigInt(text) : undefined;
  if (whole === undefined || BigInt.asUintN(64, whole) !== whole) throw notConverted("uint");
  return new Uint(whole);
}

function doubleOf(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) throw notConverted("double");
  return value;
}

const secondText = (nanos: bigint): string => {
  const sign = nanos < 0n ? "-" : "";
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = String(size % 1_000_000_000n)
    .padStart(9, "0")
    .replace(/0+$/, "");
  return `${sign}${size / 1_000_000_000n}${fraction === "" ? "" : `.${fraction}`}s`;
};

const dateOf = ({ nanos }: Timestamp): Date => new Date(Number(nanos / 1_000_000n));
/** Its own wall clock, read as UTC. */
const localDateOf = (time: Timestamp): Date => new Date(dateOf(time).getTime() + time.offsetMinutes * 60_000);

function textOf(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new CelError("invalid UTF-8 in bytes, cannot convert to string");
  return Buffer.from(bytes).toString("utf8");
}

const conversions: readonly Declaration[] = [
  ["int(int): int", (a: bigint) => a],
  ["int(uint): int", (a: Uint) => int64(a.value)],
  ["int(double): int", intOf],
  ["int(string): int", intOf],
  ["int(timestamp): int", (a: Timestamp) => a.nanos / 1_000_000_000n],
  ["uint(uint): uint", (a: Uint) => a],
  ["uint(int): uint", (a: bigint) => uint64(a)],
  ["uint(double): uint", (a: number) => uint64(intOf(a))],
  ["uint(string): uint", uintOf],
  ["double(double): double", (a: number) => a],
  ["double(int): double", Number],
  ["double(uint): double", (a: Uint) => Number(a.value)],
  ["double(string): double", doubleOf],
  ["string(string): string", (a: string) => a],
  ["string(bool): string", String],
  ["string(int): string", String],
  ["string(uint): string", (a: Uint) => String(a.value)],
  ["string(double): string", floatText],
  ["string(bytes): string", textOf],
  ["string(timestamp): string", timestampText],
  ["string(duration): string", ({ nanos }: Duration) => secondText(nanos)],
  ["bytes(string): bytes", (a: string) => Buffer.from(a)],
  ["bytes(bytes): bytes", (a: Uint8Array) => a],
  ["bool(bool): bool", (a: boolean) => a],
  ["bool(string): bool", boolOf],
  ["duration(string): duration", durationFrom],
  ["duration(duration): duration", (a: Duration) => a],
  ["timestamp(string): timestamp", timestampFrom],
  ["timestamp(timestamp): timestamp", (a: Timestamp) => a],
  ["timestamp(int): timestamp", (a: bigint) => moment(a * 1_000_000_000n, 0)],
  ["dyn(A): dyn", (a: unknown) => a],
  ["type(A): type(A)", (a: unknown): TypeValue => typeValueOf(a)],
];

function boolOf(text: string): boolean {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return false;
  throw notConverted("bool");
}

function durationFrom(text: string): Duration {
  const duration = durationOf(text);
  if (duration === undefined) throw notConverted("google.protobuf.Duration");
  return duration;
}

function timestampFrom(text: string): Timestamp {
  const time = timestampOf(text);
  if (time === undefined) throw notConverted("google.protobuf.Timestamp");
  return time;
}

/** The same moment with its wall clock of a zone read as UTC. */
function inZone(time: Timestamp, zone: string): Date {
  const date = dateOf(time);
  const offset = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (offset !== null) {
    const minutes = (Number(offset[2]) * 60 + Number(offset[3])) * (offset[1] === "-" ? -1 : 1);
    return new Date(date.getTime() + minutes * 60_000);
  }
  try {
    const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" }).format(
      date,
    );
    return new Date(`${parts.replace(" ", "T")}.${String(date.getUTCMilliseconds()).padStart(3, "0")}Z`);
  } catch {
    throw new CelError(`unknown time zone ${zone}`);
  }
}

const dayMs = 86_400_000;
const fields: readonly (readonly [string, (date: Date) => number])[] = [
  ["getFullYear", (date) => date.getUTCFullYear()],
  ["getMonth", (date) => date.getUTCMonth()],
  ["getDate", (date) => date.getUTCDate()],
  ["getDayOfMonth", (date) => date.getUTCDate() - 1],
  ["getDayOfWeek", (date) => date.getUTCDay()],
  ["getDayOfYear", (date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / dayMs)],
  ["getHours", (date) => date.getUTCHours()],
  ["getMinutes", (date) => date.getUTCMinutes()],
  ["getSeconds", (date) => date.getUTCSeconds()],
  ["getMilliseconds", (date) => date.getUTCMilliseconds()],
];
const spans: readonly (readonly [string, bigint])[] = [
  ["getHours", 3_600_000_000_000n],
  ["getMinutes", 60_000_000_000n],
  ["getSeconds", 1_000_000_000n],
  ["getMilliseconds", 1_000_000n],
];

const times: readonly Declaration[] = [
  ...fields.flatMap(([name, read]): Declaration[] => [
    [`timestamp.${name}(): int`, (time: Timestamp) => BigInt(read(localDateOf(time)))],
    [`timestamp.${name}(string): int`, (time: Timestamp, zone: string) => BigInt(read(inZone(time, zone)))],
  ]),
  ...spans.map(([name, size]): Declaration => [`duration.${name}(): int`, ({ nanos }: Duration) => nanos / size]),
];

export const standardLibrary: readonly Declaration[] = [
  ...arithmetic,
  ...logic,
  ...sizes,
  ...texts,
  ...conversions,
  ...times,
];
