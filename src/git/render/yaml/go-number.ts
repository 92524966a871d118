/**
 * Numbers as Go reads and prints them. Integers are JavaScript numbers while they are exact and bigints beyond; floats are numbers.
 */
const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);
const uint64Max = 2n ** 64n - 1n;

const narrowed = (value: bigint): number | bigint => {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small + 0 : value;
};

const digitsOf: Readonly<Record<number, RegExp>> = {
  2: /^[01]+$/,
  8: /^[0-7]+$/,
  10: /^[0-9]+$/,
  16: /^[0-9a-fA-F]+$/,
};
const prefixOf: Readonly<Record<number, string>> = { 2: "0b", 8: "0o", 10: "", 16: "0x" };

/** An integer of 64 bits, signed or (without a sign) unsigned, in the given base; undefined when it is none. */
export function parseIntegerIn(text: string, base: 2 | 8 | 10 | 16): number | bigint | undefined {
  const sign = text[0] === "-" || text[0] === "+" ? text[0] : "";
  const digits = text.slice(sign.length);
  if (!digitsOf[base]!.test(digits)) return undefined;
  if (base === 10 && digits.length < 16) return sign === "-" ? 0 - Number(digits) : Number(digits);
  const size = BigInt(`${prefixOf[base]}${digits}`);
  const value = sign === "-" ? -size : size;
  if (value < int64Min) return undefined;
  if (value > (sign === "" ? uint64Max : int64Max)) return undefined;
  return narrowed(value);
}

/** Like Go's ParseInt and ParseUint with base 0: the prefix says the base, a leading 0 means octal. */
export function parseInteger(text: string): number | bigint | undefined {
  const sign = text[0] === "-" || text[0] === "+" ? text[0] : "";
  const rest = text.slice(sign.length);
  if (rest[0] !== "0" || rest.length === 1) return parseIntegerIn(text, 10);
  switch (rest[1]) {
    case "x":
    case "X":
      return parseIntegerIn(sign + rest.slice(2), 16);
    case "b":
    case "B":
      return parseIntegerIn(sign + rest.slice(2), 2);
    case "o":
    case "O":
      return parseIntegerIn(sign + rest.slice(2), 8);
    default:
      return parseIntegerIn(sign + rest.slice(1), 8);
  }
}

const floatPattern = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;

/** A decimal float in YAML's form, undefined when it is none or does not fit 64 bits. */
export function parseFloatText(text: string): number | undefined {
  if (!floatPattern.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** From this decimal exponent on Go prints shortest floats with an exponent. */
const shortestExponentMin = 6;

/** Like strconv.FormatFloat(value, 'g', -1, 64). */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa = "0", exponentText = "0"] = value.toExponential().split("e");
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= shortestExponentMin) return exponentForm(mantissa, exponent);
  return plainForm(value, mantissa, exponent);
}

function exponentForm(mantissa: string, exponent: number): string {
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${size}`;
}

function plainForm(value: number, mantissa: string, exponent: number): string {
  if (exponent >= 0) return String(value);
  const sign = mantissa.startsWith("-") ? "-" : "";
  const digits = mantissa.replace(/[-.]/g, "");
  return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
}

/** What a float becomes when Go writes it as JSON and YAML reads it back: whole numbers of 64 bits turn into integers. */
export function settledFloat(value: number): number | bigint {
  if (!Number.isInteger(value) || Math.abs(value) >= 1e21) return value;
  if (Number.isSafeInteger(value)) return value + 0;
  const whole = BigInt(String(value));
  return whole >= int64Min && whole <= uint64Max ? whole : value;
}

/** A settled number as text: integers in full, anything else as Go prints floats. */
export function numberText(value: number | bigint): string {
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return String(value);
  return formatFloat(value);
}
