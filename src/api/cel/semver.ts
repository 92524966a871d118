/** Semantic versions: read, and put in order. Upstream: blang/semver as apiserver/pkg/cel/library/semverlib.go uses it. */
import { CelError } from "./value.ts";

export interface SemverParts {
  numbers: readonly [bigint, bigint, bigint];
  pre: readonly string[];
}

const form = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

/** Throws CelError. `normalizes`: a leading v, missing parts and leading zeros are forgiven. */
export function parseSemver(text: string, normalizes: boolean): SemverParts {
  const parts = form.exec(normalizes ? normalized(text) : text);
  if (parts === null || [parts[1]!, parts[2]!, parts[3]!].some((number) => /^0\d/.test(number)))
    throw new CelError(
      text.split(".").length < 3
        ? "No Major.Minor.Patch elements found"
        : `Invalid character(s) found in version "${text}"`,
    );
  return {
    numbers: [BigInt(parts[1]!), BigInt(parts[2]!), BigInt(parts[3]!)],
    pre: parts[4]?.split(".") ?? [],
  };
}

function normalized(text: string): string {
  const [, core = "", rest = ""] = /^v?([0-9.]*)(.*)$/.exec(text) ?? [];
  const numbers = core.split(".").map((number) => number.replace(/^0+(?=\d)/, ""));
  while (numbers.length < 3) numbers.push("0");
  return `${numbers.join(".")}${rest}`;
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
