import fc from "fast-check";
import { expect, test } from "vitest";
import { applyMergePatch } from "#api/patch/merge-patch.ts";
import { mergePatch } from "./edit.ts";

test.each([
  [{ a: 1 }, { a: 1 }, undefined],
  [{ a: 1, b: 2 }, { a: 1 }, { b: null }],
  [{ a: { b: 1, c: 2 } }, { a: { b: 1, c: 3 } }, { a: { c: 3 } }],
  [{ list: [1, 2] }, { list: [1] }, { list: [1] }],
  [{ a: 1 }, { a: { b: 1 } }, { a: { b: 1 } }],
])("the patch from %j to %j is %j", (before, after, patch) => expect(mergePatch(before, after)).toEqual(patch));

const json = fc.letrec((tie) => ({
  map: fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value"), { maxKeys: 3 }),
  value: fc.oneof({ depthSize: "small" }, fc.integer(), fc.string(), fc.array(fc.integer()), tie("map")),
})).map;

test("what a patch makes of an object is what the editor left", () =>
  fc.assert(
    fc.property(json, json, (before, after) => {
      const patch = mergePatch(before, after) ?? {};
      expect(applyMergePatch(before as never, patch as never)).toEqual(after);
    }),
  ));
