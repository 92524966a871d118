/** Strings, lists, sets and optional values, as cel-go's extensions have them. Upstream: cel-go/ext, apiserver/pkg/cel/library/lists.go. */
import { goQuote } from "#api/go-text.ts";
import { elementOf } from "./evaluate.ts";
import { format } from "./format-text.ts";
import type { Declaration } from "./functions.ts";
import { CelError, Duration, Optional, Timestamp, Uint, compare, isSame, none } from "./value.ts";

/** Characters, not UTF-16 units. */
const lengthOf = (text: string): bigint => BigInt(Array.from(text).length);

function at(text: string, index: bigint): string {
  const runes = [...text];
  if (index < 0n || index > BigInt(runes.length)) throw new CelError(`index out of range: ${index}`);
  return runes[Number(index)] ?? "";
}

function find(text: string, part: string, from: bigint): bigint {
  const runes = [...text];
  if (from < 0n || from > BigInt(runes.length)) throw new CelError(`index out of range: ${from}`);
  const start = runes.slice(0, Number(from)).join("").length;
  const found = text.indexOf(part, start);
  return found === -1 ? -1n : lengthOf(text.slice(0, found));
}

function findLast(text: string, part: string, from?: bigint): bigint {
  const runes = [...text];
  if (from !== undefined && (from < 0n || from > BigInt(runes.length)))
    throw new CelError(`index out of range: ${from}`);
  const end = from === undefined ? text.length : runes.slice(0, Number(from)).join("").length;
  const found = text.lastIndexOf(part, end);
  return found === -1 ? -1n : lengthOf(text.slice(0, found));
}

function substring(text: string, start: bigint, end?: bigint): string {
  const runes = [...text];
  const stop = end ?? BigInt(runes.length);
  if (start < 0n || start > BigInt(runes.length)) throw new CelError(`index out of range: ${start}`);
  if (stop < 0n || stop > BigInt(runes.length)) throw new CelError(`index out of range: ${stop}`);
  if (start > stop) throw new CelError(`invalid substring range. start: ${start}, end: ${stop}`);
  return runes.slice(Number(start), Number(stop)).join("");
}

function replace(text: string, old: string, by: string, count: bigint): string {
  // Nothing is before every character, and at the end.
  const parts = old === "" ? ["", ...text, ""] : text.split(old);
  if (count < 0n) return parts.join(by);
  const kept = Math.min(Number(count), parts.length - 1);
  return [...parts.slice(0, kept), parts.slice(kept).join(old)].join(by);
}

function split(text: string, by: string, count: bigint): string[] {
  if (count === 0n) return [];
  const parts = by === "" ? [...text] : text.split(by);
  if (count < 0n || BigInt(parts.length) <= count) return parts;
  const kept = Number(count) - 1;
  return [...parts.slice(0, kept), parts.slice(kept).join(by)];
}

const ascii = (text: string, pattern: RegExp, change: (part: string) => string) => text.replace(pattern, change);

const strings: readonly Declaration[] = [
  ["string.charAt(int): string", at],
  ["string.indexOf(string): int", (text: string, part: string) => find(text, part, 0n)],
  ["string.indexOf(string, int): int", find],
  ["string.lastIndexOf(string): int", (text: string, part: string) => findLast(text, part)],
  ["string.lastIndexOf(string, int): int", findLast],
  ["string.lowerAscii(): string", (text: string) => ascii(text, /[A-Z]+/g, (one) => one.toLowerCase())],
  ["string.upperAscii(): string", (text: string) => ascii(text, /[a-z]+/g, (one) => one.toUpperCase())],
  ["string.replace(string, string): string", (text: string, old: string, by: string) => replace(text, old, by, -1n)],
  ["string.replace(string, string, int): string", replace],
  ["string.split(string): list(string)", (text: string, by: string) => split(text, by, -1n)],
  ["string.split(string, int): list(string)", split],
  ["string.substring(int): string", (text: string, start: bigint) => substring(text, start)],
  ["string.substring(int, int): string", substring],
  ["string.trim(): string", (text: string) => text.trim()],
  ["list(string).join(): string", (list: readonly string[]) => list.join("")],
  ["list(string).join(string): string", (list: readonly string[], by: string) => list.join(by)],
  ["string.format(list(dyn)): string", format],
  ["::strings.quote(string): string", goQuote],
];

type List = readonly unknown[];

function extreme(list: List, name: string, isBetter: (order: number) => boolean): unknown {
  if (list.length === 0) throw new CelError(`${name} called on empty list`);
  return list.reduce((best, one) => (isBetter(compare(one, best)) ? one : best));
}

function sum(list: List): unknown {
  const [first] = list;
  if (first instanceof Uint) return new Uint(list.reduce<bigint>((total, one) => total + (one as Uint).value, 0n));
  if (first instanceof Duration)
    return new Duration(list.reduce<bigint>((total, one) => total + (one as Duration).nanos, 0n));
  if (typeof first === "number") return (list as number[]).reduce((total, one) => total + one, 0);
  return (list as bigint[]).reduce((total, one) => total + one, 0n);
}

function slice(list: List, start: bigint, end: bigint): unknown[] {
  if (start < 0n || end < 0n) throw new CelError(`cannot slice(${start}, ${end}), negative indexes not supported`);
  if (start > end)
    throw new CelError(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`);
  if (end > BigInt(list.length)) throw new CelError(`cannot slice(${start}, ${end}), list is length ${list.length}`);
  return list.slice(Number(start), Number(end));
}

const distinct = (list: List): unknown[] =>
  list.filter((one, index) => list.findIndex((other) => isSame(one, other)) === index);
const contains = (list: List, part: List): boolean => part.every((one) => list.some((other) => isSame(one, other)));
const summable = ["int", "uint", "double", "duration"];
const ordered = ["int", "uint", "double", "bool", "string", "bytes", "timestamp", "duration"];

const lists: readonly Declaration[] = [
  ...ordered.flatMap((type): Declaration[] => [
    [
      `list(${type}).isSorted(): bool`,
      (list: List) => list.every((one, index) => index === 0 || compare(list[index - 1], one) <= 0),
    ],
    [`list(${type}).min(): ${type}`, (list: List) => extreme(list, "min", (order) => order < 0)],
    [`list(${type}).max(): ${type}`, (list: List) => extreme(list, "max", (order) => order > 0)],
    [`list(${type}).sort(): list(${type})`, (list: List) => list.toSorted(compare)],
  ]),
  ...summable.map((type): Declaration => [`list(${type}).sum(): ${type}`, sum]),
  ["list(A).indexOf(A): int", (list: List, one: unknown) => BigInt(list.findIndex((other) => isSame(one, other)))],
  [
    "list(A).lastIndexOf(A): int",
    (list: List, one: unknown) => BigInt(list.findLastIndex((other) => isSame(one, other))),
  ],
  ["list(A).slice(int, int): list(A)", slice],
  ["list(list(A)).flatten(): list(A)", (list: List) => list.flat(1)],
  ["list(dyn).flatten(int): list(dyn)", (list: List, depth: bigint) => list.flat(Number(depth))],
  ["list(A).distinct(): list(A)", distinct],
  ["list(A).reverse(): list(A)", (list: List) => list.toReversed()],
  ["::lists.range(int): list(int)", rangeTo],
  ["list(A).first(): optional_type(A)", (list: List) => elementOf(list, 0n)],
  ["list(A).last(): optional_type(A)", (list: List) => elementOf(list, BigInt(list.length - 1))],
  ["::sets.contains(list(A), list(A)): bool", contains],
  ["::sets.equivalent(list(A), list(A)): bool", (a: List, b: List) => contains(a, b) && contains(b, a)],
  ["::sets.intersects(list(A), list(A)): bool", (a: List, b: List) => a.some((one) => contains(b, [one]))],
];

/** Upstream's limit of what one expression may cost, which such a list counts for with every item. */
const rangeItemsMax = 1_000_000;

function rangeTo(count: bigint): bigint[] {
  if (count > rangeItemsMax) throw new CelError("operation cancelled: actual cost limit exceeded");
  return Array.from({ length: Number(count) }, (_, index) => BigInt(index));
}

/** The first moment of the year 1, in nanoseconds. */
const firstMoment = -62_135_596_800_000_000_000n;

function isZero(value: unknown): boolean {
  if (value === null || value === "" || value === 0n || value === 0 || value === false) return true;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Duration) return value.nanos === 0n;
  if (value instanceof Timestamp) return value.nanos === firstMoment;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  return value instanceof Map && value.size === 0;
}

function valueIn(optional: Optional): unknown {
  if (!optional.has) throw new CelError("optional.none() dereference");
  return optional.value;
}

const optionals: readonly Declaration[] = [
  ["::optional.of(A): optional_type(A)", (value: unknown) => new Optional(true, value)],
  ["::optional.none(): optional_type(A)", () => none],
  [
    "::optional.ofNonZeroValue(A): optional_type(A)",
    (value: unknown) => (isZero(value) ? none : new Optional(true, value)),
  ],
  ["optional_type(A).hasValue(): bool", ({ has }: Optional) => has],
  ["optional_type(A).value(): A", valueIn],
  ["optional_type(A).orValue(A): A", (optional: Optional, other: unknown) => (optional.has ? optional.value : other)],
  ["optional_type(A).or(optional_type(A)): optional_type(A)", (a: Optional, b: Optional) => (a.has ? a : b)],
  ["list(optional_type(A)).unwrapOpt(): list(A)", unwrapped],
  ["::optional.unwrap(list(optional_type(A))): list(A)", unwrapped],
  ["_[?_](list(A), int): optional_type(A)", elementOf],
  ["_[?_](map(A, B), A): optional_type(B)", elementOf],
  ["_[?_](optional_type(list(A)), int): optional_type(A)", elementIn],
  ["_[?_](optional_type(map(A, B)), A): optional_type(B)", elementIn],
  ["_[_](optional_type(list(A)), int): optional_type(A)", elementIn],
  ["_[_](optional_type(map(A, B)), A): optional_type(B)", elementIn],
];

function unwrapped(list: readonly Optional[]): unknown[] {
  return list.filter(({ has }) => has).map(({ value }) => value);
}

function elementIn(optional: Optional, key: unknown): Optional {
  return optional.has ? elementOf(optional.value, key) : none;
}

export const extensionLibrary: readonly Declaration[] = [...strings, ...lists, ...optionals];
