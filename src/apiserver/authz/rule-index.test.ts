import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { V1PolicyRule } from "#api/generated/types.ts";
import { RuleIndex } from "./rule-index.ts";

const some = (...values: string[]) => fc.subarray(values, { minLength: 1 });
const rule: fc.Arbitrary<V1PolicyRule> = fc.oneof(
  fc.record({
    verbs: some("get", "list", "*"),
    apiGroups: some("", "apps", "*"),
    resources: some("pods", "pods/log", "*/log", "*"),
    resourceNames: fc.subarray(["a", "/", "any", "=any", "*", ""]),
  }),
  fc.record({ verbs: some("get", "list", "*"), nonResourceURLs: some("/a", "/a/b", "/a/*", "/a/**", "*") }),
);

/** Slow and plain: each rule looked at by itself. */
function coversOne(held: V1PolicyRule, wanted: V1PolicyRule): boolean {
  const has = (list: readonly string[] = [], values: readonly string[] = [], standsFor: typeof isStar = isStar) =>
    values.every((value) => list.some((one) => one === value || standsFor(one, value)));
  const names = held.resourceNames ?? [];
  const isNamed = (wanted.resourceNames ?? []).length > 0;
  return (
    has(held.verbs, wanted.verbs) &&
    has(held.apiGroups, wanted.apiGroups) &&
    has(held.resources, wanted.resources, (one, value) => isStar(one, value) || one === `*/${value.split("/")[1]}`) &&
    (names.length === 0 || (isNamed && has(names, wanted.resourceNames, () => false))) &&
    has(
      held.nonResourceURLs,
      wanted.nonResourceURLs,
      (one, value) => one.endsWith("*") && value.startsWith(one.replace(/\*+$/, "")),
    )
  );
}
const isStar = (one: string, _value: string): boolean => one === "*";

describe("an index of rules", () => {
  it("covers what one of its rules covers", () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 40 }), rule, (held, wanted) => {
        expect(new RuleIndex(held).covers(wanted)).toBe(held.some((one) => coversOne(one, wanted)));
      }),
    );
  });

  it("answers a holder of very many rules in time that grows with the question", () => {
    const held = Array.from({ length: 20_000 }, (_, at) => ({
      verbs: ["get"],
      apiGroups: [""],
      resources: ["configmaps"],
      resourceNames: [`n${at}`],
    }));
    const index = new RuleIndex(held);
    const start = performance.now();
    for (const one of held.slice(0, 5_000)) expect(index.covers(one)).toBe(true);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});
