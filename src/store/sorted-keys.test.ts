import fc from "fast-check";
import { expect, it } from "vitest";
import { SortedKeys } from "./sorted-keys.ts";

const keyArbitrary = fc.oneof(
  fc.stringMatching(/^[ab/]{0,4}$/),
  fc.nat(3000).map((number) => `/n/${number}`),
);

it("sorted keys: behaves as a sorted list of a set", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom("add", "add", "add", "delete"), keyArbitrary), {
        maxLength: 3000,
        size: "max",
      }),
      keyArbitrary,
      fc.option(keyArbitrary, { nil: undefined }),
      (steps, prefix, after) => {
        const keys = new SortedKeys();
        const model = new Set<string>();
        for (const [step, key] of steps) {
          keys[step as "add" | "delete"](key);
          model[step as "add" | "delete"](key);
        }
        const expected = [...model]
          .filter((key) => key.startsWith(prefix) && (after === undefined || key > after))
          .toSorted((a, b) => (a < b ? -1 : 1));
        expect([...keys.range(prefix, after)]).toEqual(expected);
        expect(keys.count(prefix, after)).toBe(expected.length);
        expect(keys.size).toBe(model.size);
      },
    ),
    { numRuns: 30 },
  );
});

it("sorted keys: ascending inserts keep runs full, and everything is found", () => {
  const keys = new SortedKeys();
  const all = Array.from({ length: 5000 }, (_, at) => String(at).padStart(5, "0"));
  for (const key of all) keys.add(key);
  expect([...keys.range("")]).toEqual(all);
  expect([...keys.range("001")]).toEqual(all.slice(100, 200));
  for (const key of all) keys.delete(key);
  expect([...keys.range("")]).toEqual([]);
});
