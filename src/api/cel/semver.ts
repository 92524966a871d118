/** Semantic versions: read, and put in order. Upstream: blang/semver as apiserver/pkg/cel/library/semverlib.go uses it. */
import { goQuote } from "#api/go-text.ts";
import { CelError } from "./value.ts";

export interface SemverParts {
  numbers: readonly [bigint, bigint, bigint];
  pre: readonly string[];
}

/** Throws CelError. `normalizes`: a leading v, missing parts and leading zeros are forgiven. */
export function parseSemver(text: string, normalizes: boolean): SemverParts {
  const source = normalizes ? normalized(text) : text;
  if (source === "") throw new CelError("Version string empty");
  const [major = "", minor, rest] = splitThrice(source);
  if (minor === undefined || rest === undefined) throw new CelError("No Major.Minor.Patch elements found");
  const numbers: [bigint, bigint] = [numberOf("Major", major), numberOf("Minor", minor)];
  const [beforeBuild = "", build] = splitOnce(rest, "+");
  const [patch = "", prerelease] = splitOnce(beforeBuild, "-");
  const last = numberOf("Patch", patch);
  const pre = prerelease?.split(".") ?? [];
  for (const part of pre) checkPrerelease(part);
  for (const part of build?.split(".") ?? []) checkBuild(part);
  return { numbers: [...numbers, last], pre };
}

function splitOnce(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function splitThrice(text: string): string[] {
  const [first, more] = splitOnce(text, ".");
  if (more === undefined) return [first];
  const [second, rest] = splitOnce(more, ".");
  return rest === undefined ? [first, second] : [first, second, rest];
}

const hasLeadingZeros = (text: string): boolean => text.length > 1 && text.startsWith("0");

function numberOf(name: string, text: string): bigint {
  if (!/^\d*$/.test(text))
    throw new CelError(`Invalid character(s) found in ${name.toLowerCase()} number ${goQuote(text)}`);
  if (hasLeadingZeros(text)) throw new CelError(`${name} number must not contain leading zeroes ${goQuote(text)}`);
  return uint64(text);
}

function uint64(text: string): bigint {
  const fault = (what: string) => new CelError(`strconv.ParseUint: parsing ${goQuote(text)}: ${what}`);
  if (text === "") throw fault("invalid syntax");
  const value = BigInt(text);
  if (BigInt.asUintN(64, value) !== value) throw fault("value out of range");
  return value;
}

const isWord = (text: string): boolean => /^[0-9A-Za-z-]+$/.test(text);

function checkPrerelease(text: string): void {
  if (text === "") throw new CelError("Prerelease is empty");
  if (/^\d+$/.test(text)) {
    if (hasLeadingZeros(text))
      throw new CelError(`Numeric PreRelease version must not contain leading zeroes ${goQuote(text)}`);
    uint64(text);
  } else if (!isWord(text)) throw new CelError(`Invalid character(s) found in prerelease ${goQuote(text)}`);
}

function checkBuild(text: string): void {
  if (text === "") throw new CelError("Build meta data is empty");
  if (!isWord(text)) throw new CelError(`Invalid character(s) found in build meta data ${goQuote(text)}`);
}

function normalized(text: string): string {
  const parts = splitThrice(text.replace(/^v/, "")).map((part) =>
    part.length > 1 ? part.replace(/^0+/, "").replace(/^(?!\d)/, "0") : part,
  );
  if (parts.length < 3 && /[+-]/.test(parts.at(-1)!))
    throw new CelError("short version cannot contain PreRelease/Build meta data");
  while (parts.length < 3) parts.push("0");
  return parts.join(".");
}

export function compareSemver(a: SemverParts, b: SemverParts): number {
  for (let index = 0; index < 3; index += 1) {
    const left = a.numbers[index]!;
    const right = b.numbers[index]!;
    if (left !== right) return left < right ? -1 : 1;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return Math.sign(b.pre.length - a.pre.length);
  for (let index = 0; index < Math.min(a.pre.length, b.pre.length); index += 1) {
    const order = comparePre(a.pre[index]!, b.pre[index]!);
    if (order !== 0) return order;
  }
  return Math.sign(a.pre.length - b.pre.length);
}

/** Numbers come before words. */
function comparePre(a: string, b: string): number {
  const isNumber = (text: string) => /^\d+$/.test(text);
  if (isNumber(a) && isNumber(b)) return BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0;
  if (isNumber(a) !== isNumber(b)) return isNumber(a) ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
