import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalBase64 } from "./base64.ts";

describe("base64", () => {
  test("reads back what was written", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = Buffer.from(bytes).toString("base64");
        expect(canonicalBase64(text)).toBe(text);
      }),
    );
  });

  test.each([
    ["eA", 0],
    ["abc", 0],
    ["a!==", 1],
    ["eA=a", 3],
    ["=abc", 0],
    ["eA==x", 4],
    ["abcdeA", 4],
  ])("%j has its fault at byte %i", (text, at) => {
    expect(() => canonicalBase64(text)).toThrow(`illegal base64 data at input byte ${at}`);
  });
});
