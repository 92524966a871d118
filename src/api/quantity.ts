/**
 * Amounts of resources: "100m", "1.5Gi", "1e3". Objects keep them as text; this reads, compares, adds and writes them.
 * Exact to a billionth; smaller parts round away from zero. Upstream: apimachinery/pkg/api/resource/quantity.go.
 */
import { trimStart } from "#lib/trim.ts";

export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

export interface Quantity {
  /** Billionths of one. */
  nanos: bigint;
  format: QuantityFormat;
}

export class QuantityError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "QuantityError";
  }
}

/** Powers of ten beyond this are refused: their digits alone would fill the memory. Upstream has no limit. */
export const quantityExponentMax = 1000;
/** As many digits as such a power has. Arithmetic with millions of them would take minutes. Upstream has no limit. */
export const quantityDigitsMax = 1000;

const formatText = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const numberText = "unable to parse numeric part of quantity";
const suffixText = "unable to parse quantity's suffix";

const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  "": 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const decimalSuffixes = new Map(Object.entries(decimalExponents).map(([suffix, exponent]) => [exponent, suffix]));
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

const nano = 1_000_000_000n;
const int64Max = 9_223_372_036_854_775_807n;

interface Parts {
  negative: boolean;
  /** Without leading zeros; "0" if there is no other digit. */
  whole: string;
  fraction: string;
  base: 2 | 10;
  exponent: number;
  format: QuantityFormat;
}

/** Throws QuantityError with upstream's text. */
export function parseQuantity(text: string): Quantity {
  return valueOf(partsOf(text));
}

function partsOf(text: string): Parts {
  if (text === "") throw new QuantityError(formatText);
  const match = /^([+-]?)([0-9]*)(?:\.([0-9]*))?((?:[eEinumkKMGTP]+[-+]?[0-9]*|[-+][0-9]*)?)$/.exec(text);
  if (match === null) throw new QuantityError(formatText);
  const [, sign, digits, fraction = "", suffix] = match;
  const whole = trimStart(digits!, "0") || "0";
  if (whole.length + fraction.length > quantityDigitsMax) throw new QuantityError(numberText);
  return {
    negative: sign === "-",
    whole,
    fraction,
    ...scaleOf(suffix!),
  };
}

function scaleOf(suffix: string): Pick<Parts, "base" | "exponent" | "format"> {
  const decimal = Object.hasOwn(decimalExponents, suffix) ? decimalExponents[suffix] : undefined;
  if (decimal !== undefined) return { base: 10, exponent: decimal, format: "DecimalSI" };
  const binary = binarySuffixes.indexOf(suffix);
  if (binary > 0) return { base: 2, exponent: binary * 10, format: "BinarySI" };
  if (!/^[eE][-+]?[0-9]+$/.test(suffix)) throw new QuantityError(suffixText);
  const exponent = Number(suffix.slice(1));
  if (Math.abs(exponent) > quantityExponentMax) throw new QuantityError(suffixText);
  return { base: 10, exponent, format: "DecimalExponent" };
}

function valueOf({ negative, whole, fraction, base, exponent, format }: Parts): Quantity {
  const digits = BigInt(whole + fraction);
  let nanos: bigint;
  if (base === 2) {
    nanos = divideUp(digits * nano * (1n << BigInt(exponent)), 10n ** BigInt(fraction.length));
    if (nanos > int64Max * nano) nanos = int64Max * nano;
  } else {
    const power = exponent - fraction.length + 9;
    nanos = power >= 0 ? digits * 10n ** BigInt(power) : divideUp(digits, 10n ** BigInt(-power));
  }
  const shown = format === "BinarySI" && nanos > 0n && nanos < nano ? "DecimalSI" : format;
  return { nanos: negative ? -nanos : nanos, format: shown };
}

/** Rounds away from zero. */
function divideUp(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  if (quotient * by === value) return quotient;
  return value < 0n ? quotient - 1n : quotient + 1n;
}

/** What a decoded object shows: upstream keeps a text that it takes for canonical, "1.500" and "+5" among them. */
export function decodedQuantity(text: string): string {
  const trimmed = text.trim();
  const parts = partsOf(trimmed);
  return trimmed === "0" || isShownAsSent(parts) ? trimmed : quantityText(valueOf(parts));
}

/** A number that 64 bits hold, without zeros or powers that a larger suffix could stand for. */
function isShownAsSent(parts: Parts): boolean {
  if (!isSmallInteger(parts)) return false;
  const digits = parts.whole + parts.fraction;
  if (parts.base === 2) return Number(digits) % 8 !== 0;
  return scaleOfParts(parts) % 3 === 0 && !digits.endsWith("000") && !digits.startsWith("0");
}

/** What upstream reckons with as an integer and a power of ten, not as a decimal of any length. */
function isSmallInteger(parts: Parts): boolean {
  const { whole, fraction, base, exponent } = parts;
  if (base === 2) return fraction === "" && 15 - whole.length - Math.trunc(Math.fround((exponent * 3) / 10)) - 1 >= 0;
  return 18 - (whole.length + fraction.length) >= 0 && scaleOfParts(parts) >= -9;
}

const scaleOfParts = ({ base, exponent, fraction }: Parts) => (base === 2 ? 0 : exponent - fraction.length);

/** The canonical text: no fraction, the largest suffix that loses nothing. */
export function quantityText({ nanos, format }: Quantity): string {
  if (nanos === 0n) return "0";
  const isSmall = nanos > -1024n * nano && nanos < 1024n * nano;
  if (format === "BinarySI" && !isSmall && nanos % nano === 0n) return binaryText(nanos / nano);
  return decimalText(nanos, format === "DecimalExponent");
}

function binaryText(value: bigint): string {
  let rest = value;
  let power = 0;
  while (power < binarySuffixes.length - 1 && rest % 1024n === 0n) {
    rest /= 1024n;
    power++;
  }
  return `${rest}${binarySuffixes[power]}`;
}

function decimalText(nanos: bigint, asExponent: boolean): string {
  let rest = nanos;
  let exponent = -9;
  while (rest % 1000n === 0n && (asExponent || exponent < 18)) {
    rest /= 1000n;
    exponent += 3;
  }
  if (!asExponent) return `${rest}${decimalSuffixes.get(exponent)}`;
  return exponent === 0 ? `${rest}` : `${rest}e${exponent}`;
}

export type QuantityLike = Quantity | string | number;

export function toQuantity(value: QuantityLike): Quantity {
  if (typeof value === "object") return value;
  return parseQuantity(typeof value === "number" ? String(value) : value.trim());
}

/** As upstream prints it: what was read from a text as decoding has it. */
export function canonicalQuantity(value: QuantityLike): string {
  return typeof value === "string" ? decodedQuantity(value) : quantityText(toQuantity(value));
}

/** Rounds up (away from zero) to a multiple of 10^exponent, as the defaults of resource lists do with -3. */
export function roundUpQuantity(value: QuantityLike, exponent: number): Quantity {
  const { nanos, format } = toQuantity(value);
  if (exponent <= -9) return { nanos, format };
  const unit = 10n ** BigInt(exponent + 9);
  return { nanos: divideUp(nanos, unit) * unit, format };
}

export function compareQuantities(a: QuantityLike, b: QuantityLike): number {
  const left = toQuantity(a).nanos;
  const right = toQuantity(b).nanos;
  return left < right ? -1 : left > right ? 1 : 0;
}

export const isZeroQuantity = (value: QuantityLike): boolean => toQuantity(value).nanos === 0n;

/** Keeps the format of the first, unless that is zero. */
export function addQuantities(a: QuantityLike, b: QuantityLike): Quantity {
  const left = toQuantity(a);
  const right = toQuantity(b);
  return { nanos: left.nanos + right.nanos, format: left.nanos === 0n ? right.format : left.format };
}

export function subtractQuantities(a: QuantityLike, b: QuantityLike): Quantity {
  const right = toQuantity(b);
  return addQuantities(a, { nanos: -right.nanos, format: right.format });
}

/** Whole units, rounded up: bytes of memory, number of pods. */
export function wholeValue(value: QuantityLike): number {
  return typeof value === "string" ? memoised(wholes, value, nano) : Number(divideUp(toQuantity(value).nanos, nano));
}

/** Thousandths, rounded up: CPU. */
export function milliValue(value: QuantityLike): number {
  return typeof value === "string"
    ? memoised(millis, value, 1_000_000n)
    : Number(divideUp(toQuantity(value).nanos, 1_000_000n));
}

/** Few different texts fill a cluster; what was read once need not be read again. */
export const quantityCacheMax = 4096;
const wholes = new Map<string, number>();
const millis = new Map<string, number>();

function memoised(cache: Map<string, number>, text: string, unit: bigint): number {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const value = Number(divideUp(parseQuantity(text.trim()).nanos, unit));
  if (cache.size >= quantityCacheMax) cache.clear();
  cache.set(text, value);
  return value;
}

/** What upstream's defaults do to every resource list: thousandths at most. What needs no rounding stays as it was decoded. */
export function roundResourceList(list: Record<string, string> | undefined): void {
  for (const name in list) list[name] = roundedText(list[name]!);
}

function roundedText(text: string): string {
  const parts = partsOf(text.trim());
  if (isSmallInteger(parts) && scaleOfParts(parts) >= -3) return decodedQuantity(text);
  return quantityText(roundUpQuantity(text, -3));
}
