import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderedMap } from "./ordered-map.ts";

const key = fc.string({ unit: fc.constantFrom("a", "b", "/", "z", "ä"), minLength: 1, maxLength: 4 });
const step = fc.record({ key, isDeletion: fc.boolean() });

describe("OrderedMap", () => {
  it("is a sorted map, whatever is done to it", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), key, key, (steps, prefix, after) => {
        const ordered = new OrderedMap<string>();
        const plain = new Map<string, string>();
        for (const { key: name, isDeletion } of steps) {
          if (isDeletion) expect(ordered.delete(name)).toBe(plain.delete(name));
          else {
            ordered.set(name, name);
            plain.set(name, name);
          }
        }
        const sorted = [...plain.keys()].toSorted((a, b) => (a < b ? -1 : 1));
        const matching = sorted.filter((name) => name.startsWith(prefix));
        expect([...ordered.range("")]).toEqual(sorted);
        expect([...ordered.range(prefix)]).toEqual(matching);
        expect([...ordered.range(prefix, after)]).toEqual(matching.filter((name) => name > after));
        expect(ordered.count(prefix)).toBe(matching.length);
        expect(ordered.count(prefix, after)).toBe(matching.filter((name) => name > after).length);
        expect(ordered.count("", after)).toBe(sorted.filter((name) => name > after).length);
        expect(ordered.size).toBe(sorted.length);
      }),
    );
  });

  it.each(["in order", "backwards", "mixed"] as const)("keeps many keys that come %s", (order) => {
    const names = Array.from({ length: 3000 }, (_, at) =>
      String(order === "mixed" ? (at * 7919) % 3000 : at).padStart(5, "0"),
    );
    if (order === "backwards") names.reverse();
    const ordered = new OrderedMap<string>();
    for (const name of names) ordered.set(name, name);
    expect([...ordered.range("")]).toEqual(names.toSorted());
    expect(ordered.count("000")).toBe(100);
    for (const name of names) ordered.delete(name);
    expect(ordered.size).toBe(0);
    expect([...ordered.range("")]).toEqual([]);
  });
});
