import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type FieldSet,
  difference,
  emptySet,
  equalSets,
  hasPath,
  intersection,
  matching,
  pathText,
  pathsOf,
  recursiveDifference,
  setOfPath,
  union,
} from "./field-set.ts";
import { fromFieldsV1, toFieldsV1 } from "./fields-v1.ts";

const key = fc.constantFrom("f:a", "f:b", 'k:{"name":"x"}', 'v:"s"', "i:0");
const paths = fc.array(fc.array(key, { minLength: 1, maxLength: 4 }), { maxLength: 8 });
const setOf = (list: string[][]) => list.reduce<FieldSet>((all, path) => union(all, setOfPath(path)), emptySet);
const sets = paths.map(setOf);
const has = (set: FieldSet) => (path: string[]) => hasPath(set, path);

describe("field sets", () => {
  test("do as sets of paths do", () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        for (const path of [...pathsOf(a), ...pathsOf(b)]) {
          const [inA, inB] = [has(a)(path), has(b)(path)];
          expect(hasPath(union(a, b), path)).toBe(inA || inB);
          expect(hasPath(intersection(a, b), path)).toBe(inA && inB);
          expect(hasPath(difference(a, b), path)).toBe(inA && !inB);
        }
      }),
    );
  });

  test("a recursive difference takes all below away", () => {
    const set = setOf([["f:a"], ["f:a", "f:b"], ["f:c"]]);
    expect(pathsOf(recursiveDifference(set, setOfPath(["f:a"])))).toEqual([["f:c"]]);
    expect(pathsOf(difference(set, setOfPath(["f:a"])))).toEqual([["f:c"], ["f:a", "f:b"]]);
  });

  test("a pattern takes what lies on the way and below", () => {
    const set = setOf([["f:a"], ["f:a", "k:1"], ["f:a", "k:1", "f:b"], ["f:a", "k:1", "f:c", "f:d"], ["f:b"]]);
    expect(pathsOf(matching(set, setOfPath(["f:a", "*", "f:c"])))).toEqual([
      ["f:a"],
      ["f:a", "k:1"],
      ["f:a", "k:1", "f:c", "f:d"],
    ]);
    expect(pathsOf(matching(set, setOfPath(["f:c"])))).toEqual([]);
  });

  test("survive FieldsV1", () => {
    fc.assert(
      fc.property(sets, (set) => {
        expect(equalSets(fromFieldsV1(toFieldsV1(set)), set)).toBe(true);
      }),
    );
  });

  test("keys that a client wrote in another order are the same keys", () => {
    const set = fromFieldsV1({ 'k:{"b":1, "a":2}': {} });
    expect(toFieldsV1(set)).toEqual({ 'k:{"a":2,"b":1}': {} });
  });

  test("paths read as upstream's", () => {
    expect(pathText(["f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:name"])).toBe(
      '.spec.ports[port=80,protocol="TCP"].name',
    );
    expect(pathText(["f:finalizers", 'v:"x.io/a"'])).toBe('.finalizers[="x.io/a"]');
  });
});
