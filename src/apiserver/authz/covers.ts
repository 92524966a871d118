/**
 * Whether the rules someone holds cover the rules they want to give to others: nobody grants more than they have.
 * Upstream: pkg/registry/rbac/validation/policy_comparator.go, rule.go (ConfirmNoEscalation), CompactString.
 */
import type { V1PolicyRule } from "#api/generated/types.ts";
import { goQuote } from "#api/go-text.ts";
import { RuleIndex } from "./rule-index.ts";

/** A short rule breaks into as many parts as the product of its lists. Beyond this it is held back whole; upstream has no limit. */
export const partsMax = 20_000;

/** The parts of `wanted` that `held` does not cover, as the smallest rules they break into. */
export function uncovered(held: readonly V1PolicyRule[], wanted: readonly V1PolicyRule[]): V1PolicyRule[] {
  const index = new RuleIndex(held);
  let room = partsMax;
  return wanted.flatMap((rule) => {
    if (isOfOneSort(rule) && index.covers(rule)) return [];
    room -= countParts(rule);
    return room < 0 ? [rule] : breakDown(rule).filter((part) => !index.covers(part));
  });
}

/** About resources or about paths, as all valid rules are. */
const isOfOneSort = ({ resources = [], nonResourceURLs = [] }: V1PolicyRule): boolean =>
  resources.length === 0 || nonResourceURLs.length === 0;

function countParts({
  apiGroups = [],
  resources = [],
  verbs = [],
  resourceNames = [],
  nonResourceURLs = [],
}: V1PolicyRule) {
  const ofResources = apiGroups.length * resources.length * Math.max(1, resourceNames.length);
  return verbs.length * (ofResources + nonResourceURLs.length);
}

/** One rule for each group, resource, verb, name and path. */
function breakDown(rule: V1PolicyRule): V1PolicyRule[] {
  const parts: V1PolicyRule[] = [];
  // It may not have been validated yet.
  const verbs = rule.verbs ?? [];
  for (const group of rule.apiGroups ?? [])
    for (const resource of rule.resources ?? [])
      for (const verb of verbs) {
        const base = { apiGroups: [group], resources: [resource], verbs: [verb] };
        const names = rule.resourceNames ?? [];
        if (names.length === 0) parts.push(base);
        else for (const name of names) parts.push({ ...base, resourceNames: [name] });
      }
  for (const path of rule.nonResourceURLs ?? [])
    for (const verb of verbs) parts.push({ nonResourceURLs: [path], verbs: [verb] });
  return parts;
}

/** Rules that differ in their verb alone become one: upstream's CompactRules. */
export function compactRules(rules: readonly V1PolicyRule[]): V1PolicyRule[] {
  const byTarget = new Map<string, V1PolicyRule>();
  const others: V1PolicyRule[] = [];
  for (const rule of rules) {
    const isSimple =
      rule.apiGroups?.length === 1 &&
      rule.resources?.length === 1 &&
      (rule.resourceNames?.length ?? 0) <= 1 &&
      (rule.nonResourceURLs?.length ?? 0) === 0;
    if (!isSimple) {
      others.push(rule);
      continue;
    }
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames ?? []]);
    const known = byTarget.get(key);
    if (known === undefined) byTarget.set(key, { ...rule, verbs: [...rule.verbs] });
    else known.verbs.push(...rule.verbs.filter((verb) => !known.verbs.includes(verb)));
  }
  return [...byTarget.values(), ...others];
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`. */
export function compactText(rule: V1PolicyRule): string {
  const list = (name: string, values: readonly string[] | undefined) =>
    values === undefined || values.length === 0 ? [] : [`${name}:[${values.map(goQuote).join(" ")}]`];
  return `{${[
    ...list("APIGroups", rule.apiGroups),
    ...list("Resources", rule.resources),
    ...list("NonResourceURLs", rule.nonResourceURLs),
    ...list("ResourceNames", rule.resourceNames),
    ...list("Verbs", rule.verbs),
  ].join(", ")}}`;
}
