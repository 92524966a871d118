import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  decodedQuantity,
  milliValue,
  parseQuantity,
  quantityDigitsMax,
  quantityText,
  roundResourceList,
  subtractQuantities,
  wholeValue,
} from "./quantity.ts";

describe("quantity", () => {
  test.each([
    ["0", "0"],
    ["1000m", "1"],
    ["0.5", "500m"],
    ["1.5Gi", "1536Mi"],
    ["1024Ki", "1Mi"],
    ["1000Ki", "1000Ki"],
    ["512", "512"],
    ["0.5Ki", "512"],
    ["1e3", "1e3"],
    ["12e6", "12e6"],
    ["1E", "1E"],
    ["100k", "100k"],
    ["1000k", "1M"],
    ["-1500m", "-1500m"],
    ["0.0000000001", "1n"],
    ["+3", "3"],
    [".5", "500m"],
    ["1.", "1"],
  ])("%s is canonically %s", (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
  });

  test.each(["", "abc", "1 Gi", "1.2.3", "1x"])("%j does not match the form of a quantity", (text) => {
    expect(() => parseQuantity(text)).toThrow("quantities must match the regular expression");
  });

  test.each(["--1", "1kk", "1KiB", "1e", "1e99999999999"])("%j has a suffix that is none", (text) => {
    expect(() => parseQuantity(text)).toThrow(/unable to parse quantity's suffix|must match/);
  });

  test("has no more digits than anybody could count", () => {
    const digits = "9".repeat(quantityDigitsMax);
    expect(quantityText(parseQuantity(`000${digits}`))).toBe(digits);
    for (const text of [`${digits}9`, `0.${digits}`, `-${digits}.9`])
      expect(() => parseQuantity(text)).toThrow("unable to parse numeric part of quantity");
  });

  test("decoding keeps the text as it was sent unless the number has to be worked out", () => {
    expect(decodedQuantity("1000m")).toBe("1000m");
    expect(decodedQuantity("1024Mi")).toBe("1024Mi");
    expect(decodedQuantity(" 5 ")).toBe("5");
    expect(decodedQuantity("100.5Mi")).toBe("102912Ki");
  });

  test("resource lists are rounded up to thousandths and written canonically", () => {
    const list = { cpu: "0.0001", memory: "1024Mi" };
    roundResourceList(list);
    expect(list).toEqual({ cpu: "1m", memory: "1Gi" });
  });

  test("values as numbers round up", () => {
    expect(wholeValue("1500m")).toBe(2);
    expect(wholeValue("1Ki")).toBe(1024);
    expect(milliValue("0.1001")).toBe(101);
  });

  const quantities = fc
    .tuple(
      fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }),
      fc.constantFrom("", "n", "u", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e3", "e-2"),
    )
    .map(([amount, suffix]) => `${amount}${suffix}`);

  test("the canonical text means the same amount and is its own canonical text", () => {
    fc.assert(
      fc.property(quantities, (text) => {
        const canonical = canonicalQuantity(text);
        expect(compareQuantities(text, canonical)).toBe(0);
        expect(canonicalQuantity(canonical)).toBe(canonical);
      }),
    );
  });

  test("what was added can be subtracted again", () => {
    fc.assert(
      fc.property(quantities, quantities, (a, b) => {
        const back = subtractQuantities(addQuantities(a, b), b);
        expect(compareQuantities(quantityText(back), a)).toBe(0);
      }),
    );
  });
});
