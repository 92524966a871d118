import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyMergePatch } from "./merge-patch.ts";

describe("merge patch", () => {
  test.each([
    [{ a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    [{ a: { b: 1, c: 2 } }, { a: { b: null } }, { a: { c: 2 } }],
    [{ a: [1] }, { a: [2, 3] }, { a: [2, 3] }],
    [{}, { a: { b: null, c: { d: null } } }, { a: { c: {} } }],
    [{ a: "x" }, { a: { b: 1 } }, { a: { b: 1 } }],
    [{ a: { b: 1 } }, { a: "x" }, { a: "x" }],
  ])("%j patched with %j", (document, patch, result) => expect(applyMergePatch(document, patch)).toEqual(result));

  const leaf = fc.oneof(fc.integer(), fc.string());
  const object = fc.letrec<{ node: Record<string, unknown> }>((tie) => ({
    node: fc.dictionary(fc.constantFrom("a", "b", "c"), fc.oneof({ depthSize: "small" }, leaf, tie("node")), {
      noNullPrototype: true,
    }),
  })).node;

  test("patching twice is patching once, and an object patches an empty one to itself", () => {
    fc.assert(
      fc.property(object, object, (document, patch) => {
        const once = applyMergePatch(document, patch);
        expect(applyMergePatch(once, patch)).toEqual(once);
        expect(applyMergePatch({}, document)).toEqual(document);
      }),
    );
  });
});
