/** Values of CEL that JavaScript has no type of its own for, equality and order, and JSON as values. */
import { deepEqual } from "#api/apply/typed.ts";
import { parseDuration, parseWordDuration } from "#api/duration.ts";
import type { CelType } from "./types.ts";

export class CelError extends Error {}

/** An unsigned integer. */
export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

/** Nanoseconds. */
export class Duration {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** Nanoseconds since the epoch, and how far east of UTC the clock is that tells it. */
export class Timestamp {
  readonly nanos: bigint;
  readonly offsetMinutes: number;
  constructor(nanos: bigint, offsetMinutes = 0) {
    this.nanos = nanos;
    this.offsetMinutes = offsetMinutes;
  }
}

/** The first second of the year 1 and the last of the year 9999. */
const secondsMin = -62_135_596_800n;
const secondsMax = 253_402_300_799n;
export const isTimestamp = (seconds: bigint): boolean => seconds >= secondsMin && seconds <= secondsMax;

export class Optional {
  readonly value: unknown;
  readonly has: boolean;
  constructor(has: boolean, value?: unknown) {
    this.has = has;
    this.value = value;
  }
}
export const none: Optional = new Optional(false);

/** A type as a value. */
export class TypeValue {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** What a library adds: addresses, URLs, quantities, versions. */
export abstract class Opaque {
  abstract readonly typeName: string;
  /** What it counts for where calls cost by size. */
  readonly size: number = 1;
  abstract equals(other: unknown): boolean;
}

/** A map that has an answer for keys that are not in it. */
export class DefaultMap extends Map<unknown, unknown> {
  readonly fallback: unknown;
  constructor(entries: Iterable<readonly [unknown, unknown]>, fallback: unknown) {
    super(entries);
    this.fallback = fallback;
  }
}

/**
 * An object of a schema, by the names that expressions have for its fields. `hidden`: what they do not see of it, fields that
 * the schema does not know and fields that are null; two objects are the same only if these are.
 */
export class ObjectValue extends Map<unknown, unknown> {
  readonly hidden: Readonly<Record<string, unknown>>;
  constructor(entries: Iterable<readonly [unknown, unknown]>, hidden: Readonly<Record<string, unknown>>) {
    super(entries);
    this.hidden = hidden;
  }
}

/** What an expression makes by the name of a type: "Object.spec{replicas: 1}". */
export class StructValue extends Map<unknown, unknown> {
  readonly typeName: string;
  constructor(typeName: string) {
    super();
    this.typeName = typeName;
  }
}
const structName = (value: object): string | undefined => (value instanceof StructValue ? value.typeName : undefined);

/** Lists whose order does not count. */
const listTypes = new WeakMap<object, NonNullable<CelType["list"]>>();
export const listTypeOf = (list: object): CelType["list"] => listTypes.get(list);
export function withListType<T extends object>(list: T, type: CelType["list"]): T {
  if (type !== undefined) listTypes.set(list, type);
  return list;
}

export function typeName(value: unknown): string {
  if (value === null) return "null_type";
  switch (typeof value) {
    case "bigint":
      return "int";
    case "number":
      return "double";
    case "string":
      return "string";
    case "boolean":
      return "bool";
    default:
  }
  if (value instanceof Uint) return "uint";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Duration) return "google.protobuf.Duration";
  if (value instanceof Timestamp) return "google.protobuf.Timestamp";
  if (value instanceof Optional) return "optional_type";
  if (value instanceof TypeValue) return "type";
  if (value instanceof Opaque || value instanceof StructValue) return value.typeName;
  return Array.isArray(value) ? "list" : "map";
}

/** Numbers of all kinds on one scale; undefined for what is none. */
const numeric = (value: unknown): bigint | number | undefined =>
  value instanceof Uint ? value.value : typeof value === "bigint" || typeof value === "number" ? value : undefined;

export function isSame(a: unknown, b: unknown): boolean {
  const left = numeric(a);
  const right = numeric(b);
  // oxlint-disable-next-line eqeqeq -- integers and doubles are equal when their values are
  if (left !== undefined && right !== undefined) return left == right;
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (Array.isArray(a) && Array.isArray(b)) return isSameList(a, b);
  if (a instanceof Map && b instanceof Map) return isEqualMap(a, b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  if (a instanceof Duration && b instanceof Duration) return a.nanos === b.nanos;
  if (a instanceof Timestamp && b instanceof Timestamp) return a.nanos === b.nanos;
  if (a instanceof Optional && b instanceof Optional) return a.has === b.has && (!a.has || isSame(a.value, b.value));
  if (a instanceof TypeValue && b instanceof TypeValue) return a.name === b.name;
  return a instanceof Opaque && a.equals(b);
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  const type = listTypeOf(a) ?? listTypeOf(b);
  return type === undefined ? a.every((item, index) => isSame(item, b[index])) : isEqualSet(a, b);
}

function isEqualMap(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): boolean {
  if (structName(a) !== structName(b)) return false;
  if (a instanceof ObjectValue && b instanceof ObjectValue && !isEqualHidden(a.hidden, b.hidden)) return false;
  return a.size === b.size && [...a].every(([key, value]) => b.has(key) && isSame(value, b.get(key)));
}

/** As upstream has it: nothing is the same as null. */
function isEqualHidden(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && a[name] !== null && deepEqual(a[name], b[name]));
}

function isEqualSet(a: readonly unknown[], b: readonly unknown[]): boolean {
  const left = [...b];
  return a.every((item) => {
    const at = left.findIndex((one) => isSame(item, one));
    if (at === -1) return false;
    left.splice(at, 1);
    return true;
  });
}

/** Negative, zero, positive; throws for what has no order. */
export function compare(a: unknown, b: unknown): number {
  const left = numeric(a) ?? ordered(a);
  const right = numeric(b) ?? ordered(b);
  const areTexts = typeof left === "string";
  if (left === undefined || right === undefined || areTexts !== (typeof right === "string"))
    throw new CelError("no such overload");
  if (typeof left === "string" && typeof right === "string")
    return Buffer.compare(Buffer.from(left), Buffer.from(right));
  return left < right ? -1 : left > right ? 1 : 0;
}

function ordered(value: unknown): bigint | number | string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return Number(value);
  if (value instanceof Duration || value instanceof Timestamp) return value.nanos;
  return value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : undefined;
}

/** JSON as a value of a type; what has none is read as it looks. */
export function valueOf(json: unknown, type: CelType | undefined): unknown {
  if (typeof json === "number") {
    if (type?.kind === "double") return json;
    return Number.isInteger(json) ? BigInt(json) : json;
  }
  if (json instanceof Number) return type?.kind === "double" ? Number(json) : BigInt(String(json));
  if (typeof json === "string") return textValue(json, type);
  if (json === null || json === undefined || typeof json !== "object") return json ?? null;
  if (Array.isArray(json))
    return withListType(
      json.map((item) => valueOf(item, type?.of?.[0])),
      type?.list,
    );
  if (type?.kind === "object" && type.fields !== undefined) return objectValue(json, type.fields);
  const item = type?.kind === "map" ? type.of?.[1] : undefined;
  return new Map(Object.entries(json).map(([name, value]) => [name, valueOf(value, item)]));
}

function objectValue(json: object, fields: ReadonlyMap<string, CelType>): ObjectValue {
  const seen: [string, unknown][] = [];
  const hidden: [string, unknown][] = [];
  for (const [name, value] of Object.entries(json)) {
    const escaped = escapedName(name);
    const field = escaped === undefined ? undefined : fields.get(escaped);
    // A field that is null is there no more than one that is absent.
    if (field === undefined || value === null) hidden.push([name, value]);
    else seen.push([escaped!, valueOf(value, field)]);
  }
  return new ObjectValue(seen, Object.fromEntries(hidden));
}

function textValue(text: string, type: CelType | undefined): unknown {
  switch (type?.kind) {
    case "timestamp":
      return timestampOf(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text) ?? text;
    case "duration":
      return durationOf(text) ?? wordDurationOf(text) ?? text;
    case "bytes":
      return Buffer.from(text, "base64");
    default:
      return text;
  }
}

const keywords = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

/** A field's name as an identifier; undefined where it cannot be one. */
export function escapedName(name: string): string | undefined {
  if (keywords.has(name)) return `__${name}__`;
  if (!/^[A-Za-z_$][A-Za-z0-9_.\-/$]*$/.test(name) || name === "") return undefined;
  return name
    .replaceAll("__", "\0")
    .replaceAll(".", "__dot__")
    .replaceAll("-", "__dash__")
    .replaceAll("/", "__slash__")
    .replaceAll("\0", "__underscores__");
}

/** Rule: Go's time.ParseDuration. */
export function durationOf(text: string): Duration | undefined {
  const nanos = parseDuration(text);
  return typeof nanos === "string" ? undefined : new Duration(nanos);
}

function wordDurationOf(text: string): Duration | undefined {
  const nanos = parseWordDuration(text);
  return nanos === undefined ? undefined : new Duration(nanos);
}

/** RFC 3339; a day or hour that there is not is none. */
export function timestampOf(text: string): Timestamp | undefined {
  const parts = /^(\d{4}-\d\d-\d\d)T((?:[01]\d|2[0-3]):\d\d:\d\d)(?:\.(\d{1,9})\d*)?(?:Z|([+-])(\d\d):(\d\d))$/.exec(
    text,
  );
  if (parts === null) return undefined;
  const [, day, time, fraction = "", sign, hours = "0", minutes = "0"] = parts;
  const local = new Date(`${day!}T${time!}Z`);
  if (Number.isNaN(local.getTime()) || !local.toISOString().startsWith(day!)) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -1 : 1);
  const seconds = BigInt(local.getTime() / 1000 - offset * 60);
  if (Number(minutes) > 59 || !isTimestamp(seconds)) return undefined;
  return new Timestamp(seconds * 1_000_000_000n + BigInt(fraction.padEnd(9, "0")), offset);
}

const nanosOfSecond = 1_000_000_000n;

/** RFC 3339, in its own clock. Upstream: Go's RFC3339Nano. */
export function timestampText({ nanos, offsetMinutes }: Timestamp): string {
  const part = ((nanos % nanosOfSecond) + nanosOfSecond) % nanosOfSecond;
  const fraction = String(part).padStart(9, "0").replace(/0+$/, "");
  const local = new Date(Number((nanos - part) / 1_000_000n) + offsetMinutes * 60_000);
  const two = (count: number) => String(count).padStart(2, "0");
  const away = Math.abs(offsetMinutes);
  const zone =
    offsetMinutes === 0 ? "Z" : `${offsetMinutes < 0 ? "-" : "+"}${two(Math.trunc(away / 60))}:${two(away % 60)}`;
  return `${local.toISOString().slice(0, 19)}${fraction === "" ? "" : `.${fraction}`}${zone}`;
}

/** A value as JSON. */
export function jsonOf(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint) return Number(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Duration) return `${Number(value.nanos) / 1e9}s`;
  if (value instanceof Optional) return value.has ? jsonOf(value.value) : null;
  if (Array.isArray(value)) return value.map(jsonOf);
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, one]) => [String(name), jsonOf(one)]));
  if (value instanceof Opaque || value instanceof TypeValue)
    throw new CelError(`no such overload: ${typeName(value)} to JSON`);
  return value;
}
