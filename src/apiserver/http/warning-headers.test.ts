import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutWarningCharactersMax, warningHeaders, warningsCharactersMax } from "./warning-headers.ts";

describe("warning headers", () => {
  it.each([
    ["plain", '299 - "plain"'],
    ['with "quotes" and \\', '299 - "with \\"quotes\\" and \\\\"'],
    ["two\r\nlines", '299 - "twolines"'],
  ])("say %j", (text, header) => expect(warningHeaders([text])).toEqual([header]));

  it("are whole as long as all of them fit", () => {
    const texts = ["a".repeat(warningsCharactersMax / 2), "b".repeat(warningsCharactersMax / 2)];
    expect(warningHeaders(texts)).toEqual(texts.map((text) => `299 - "${text}"`));
  });

  it("stay few and short, however many and long the texts are", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 3000, unit: "binary" }), { maxLength: 400 }), (texts) => {
        const headers = warningHeaders(texts);
        const bytesMax = 2 * 4 * (warningsCharactersMax + cutWarningCharactersMax) + 9 * headers.length;
        expect(headers.join("").length).toBeLessThanOrEqual(bytesMax);
      }),
      { numRuns: 30 },
    );
    const many = warningHeaders(Array.from({ length: 1000 }, (_, at) => `${at} `.padEnd(1000, "x")));
    expect(many).toHaveLength(warningsCharactersMax / cutWarningCharactersMax);
    expect(many[0]).toHaveLength(cutWarningCharactersMax + '299 - ""'.length);
  });
});
