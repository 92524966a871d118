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
    [".5", "500m"],
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

  test.each(["0", "5", "500m", "1Gi", "1001Gi", "1.500", "+5", "05", "1e3", "1E3", "1."])(
    "%s is decoded as it is",
    (text) => {
      expect(decodedQuantity(` ${text} `)).toBe(text);
    },
  );

  test.each([
    ["1000m", "1"],
    ["1024Mi", "1Gi"],
    ["1000", "1k"],
    ["1.5", "1500m"],
    ["0.5", "500m"],
    ["10e2", "1e3"],
    ["00", "0"],
    ["100.5Mi", "102912Ki"],
    [".000000000001Ki", "2n"],
  ])("%s is decoded to %s", (text, canonical) => {
    expect(decodedQuantity(text)).toBe(canonical);
  });

  test("resource lists are rounded up to thousandths; what needs none stays as it was decoded", () => {
    const list = { cpu: "0.0001", memory: "1024Mi", "x.io/a": "1.500", "x.io/b": "1.2345" };
    roundResourceList(list);
    expect(list).toEqual({ cpu: "1m", memory: "1Gi", "x.io/a": "1.500", "x.io/b": "1235m" });
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
