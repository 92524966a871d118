import { describe, expect, it } from "vitest";
import { compileCel } from "./program.ts";

const run = (source: string) => compileCel(source, new Map(), { hasBindings: true }).run(new Map());

/** `count` doublings of a value, each of what the one before it made. */
function doubled(value: string, count: number): string {
  const names = Array.from({ length: count }, (_, at) => `v${at}`);
  return names.reduceRight(
    (inner, name, at) => {
      const before = at === 0 ? value : names[at - 1]!;
      return `cel.bind(${name}, ${before} + ${before}, ${inner})`;
    },
    `size(${names.at(-1)!})`,
  );
}

describe("an expression that would take all memory or all time is cancelled:", () => {
  it.each([
    ["a list doubled and doubled", doubled("[1, 2]", 40)],
    ["a text doubled and doubled", doubled("'ab'", 40)],
    ["bytes doubled and doubled", doubled("b'ab'", 40)],
    ["a long range", "lists.range(1000000000000).size() > 0"],
    ["every item of a long list compared with every other", "lists.range(1000000).distinct().size() > 0"],
    ["two long lists compared", "sets.contains(lists.range(1000000), lists.range(1000000))"],
    ["a text put in the place of every letter", `cel.bind(a, '${"a".repeat(30_000)}', a.replace('a', a).size() > 0)`],
  ])("%s", (_, source) => expect(() => run(source)).toThrow("operation cancelled: actual cost limit exceeded"));
});

it("what is long but no longer than usual is worked out", () => {
  expect(run("lists.range(2000).distinct().size()")).toBe(2000n);
  expect(run(doubled("[1, 2]", 16))).toBe(2n ** 17n);
});
