/**
 * Many rules, made to tell quickly whether one of them covers another rule: a set of bits for each value that is asked
 * for, one bit a rule. A question costs a look at its own values, not at all rules that somebody holds.
 */
import { trimEnd } from "#lib/trim.ts";
import type { V1PolicyRule } from "#api/generated/types.ts";

type Bits = Uint32Array;

/** Sets of bits that are kept of a list. */
const setsKeptMax = 1024;

/** One list of the rules: which of them have a value in it. */
class ListIndex {
  readonly #words: number;
  readonly #rulesOf = new Map<string, number[]>();
  readonly #kept = new Map<string, Bits>();

  constructor(rules: readonly V1PolicyRule[], listOf: (rule: V1PolicyRule) => readonly string[]) {
    this.#words = Math.ceil(rules.length / 32);
    for (const [at, rule] of rules.entries())
      for (const value of listOf(rule)) {
        const known = this.#rulesOf.get(value);
        if (known === undefined) this.#rulesOf.set(value, [at]);
        else known.push(at);
      }
  }

  values(): Iterable<string> {
    return this.#rulesOf.keys();
  }

  /** The rules that have what is asked for, or one of the values that stand for it. */
  bitsOf(asked: string, standIns: (asked: string) => Iterable<string>): Bits {
    let bits = this.#kept.get(asked);
    if (bits !== undefined) return bits;
    bits = new Uint32Array(this.#words);
    for (const value of [asked, ...standIns(asked)])
      for (const at of this.#rulesOf.get(value) ?? []) bits[at >>> 5]! |= 1 << (at & 31);
    if (this.#kept.size >= setsKeptMax) this.#kept.clear();
    this.#kept.set(asked, bits);
    return bits;
  }
}

/** Stands for the names of a rule that has none: it is about all. What a rule names may be any text, and is told from it by a mark. */
const anyName = "any";
const namesOf = ({ resourceNames = [] }: Pick<V1PolicyRule, "resourceNames">): readonly string[] =>
  resourceNames.length === 0 ? [anyName] : resourceNames.map((name) => `=${name}`);

const star = () => ["*"];
const none = () => [];

export class RuleIndex {
  readonly #isEmpty: boolean;
  readonly #verbs: ListIndex;
  readonly #groups: ListIndex;
  readonly #resources: ListIndex;
  readonly #names: ListIndex;
  readonly #paths: ListIndex;
  /** Lengths of what comes before the star in paths that end with one. */
  readonly #prefixLengths: readonly number[];

  constructor(rules: readonly V1PolicyRule[]) {
    this.#isEmpty = rules.length === 0;
    this.#verbs = new ListIndex(rules, ({ verbs }) => verbs);
    this.#groups = new ListIndex(rules, ({ apiGroups = [] }) => apiGroups);
    this.#resources = new ListIndex(rules, ({ resources = [] }) => resources);
    this.#names = new ListIndex(rules, namesOf);
    this.#paths = new ListIndex(rules, ({ nonResourceURLs = [] }) => nonResourceURLs.map(patternOf));
    const patterns = [...this.#paths.values()].filter((path) => path.endsWith("*"));
    this.#prefixLengths = [...new Set(patterns.map((path) => path.length - 1))];
  }

  /** Whether one rule alone gives all that this one gives. `wanted`: about resources or about paths, not both. */
  covers({
    verbs = [],
    apiGroups = [],
    resources = [],
    resourceNames = [],
    nonResourceURLs = [],
  }: V1PolicyRule): boolean {
    if (this.#isEmpty) return false;
    const names = namesOf({ resourceNames });
    const nameStandIns = resourceNames.length === 0 ? none : () => [anyName];
    const left: Bits[] = [];
    return (
      narrows(left, this.#verbs, verbs, star) &&
      narrows(left, this.#groups, apiGroups, star) &&
      narrows(left, this.#resources, resources, resourceStandIns) &&
      narrows(left, this.#names, names, nameStandIns) &&
      narrows(left, this.#paths, nonResourceURLs, (path) => this.#prefixesOf(path))
    );
  }

  *#prefixesOf(path: string): Generator<string> {
    for (const length of this.#prefixLengths) if (length <= path.length) yield `${path.slice(0, length)}*`;
  }
}

/** Leaves in `left` (none yet, or one set) the rules that have all values; whether any is left. */
function narrows(
  left: Bits[],
  index: ListIndex,
  values: readonly string[],
  standIns: (value: string) => Iterable<string>,
): boolean {
  for (const value of values) {
    const bits = index.bitsOf(value, standIns);
    const rest = left[0];
    if (rest === undefined) left.push(bits.slice());
    else for (let at = 0; at < rest.length; at += 1) rest[at]! &= bits[at]!;
    if (left[0]!.every((word) => word === 0)) return false;
  }
  return true;
}

/** `*` and `/x/*` stand for all that begins so, however many stars they end with. */
const patternOf = (path: string): string => (path.endsWith("*") ? `${trimEnd(path, "*")}*` : path);

function resourceStandIns(resource: string): string[] {
  const slash = resource.indexOf("/");
  return slash < 0 ? ["*"] : ["*", `*${resource.slice(slash)}`];
}
