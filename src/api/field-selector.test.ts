import { describe, expect, test } from "vitest";
import { fieldSelectorText, matchesFields, parseFieldSelector, requiredValue } from "./field-selector.ts";

const read = (field: string) => (field === "metadata.name" ? "a" : "");

describe("field selector", () => {
  test.each([
    ["", true],
    ["metadata.name=a", true],
    ["metadata.name==a,", true],
    ["metadata.name!=a", false],
    ["metadata.name=", false],
    ["metadata.name=a\\,b", false],
  ])("%j on an object called a: %s", (text, isMatch) => {
    expect(matchesFields(parseFieldSelector(text), read)).toBe(isMatch);
  });

  test.each([
    ["metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    ["metadata.name in (a,b)", "invalid selector: 'metadata.name in (a,b)'; can't understand 'b)'"],
    ["metadata.name=a\\z", "invalid field selector: invalid escape sequence: \\z"],
    ["a=b=c", "invalid field selector: unescaped character in value: 61"],
  ])("%j is refused with upstream's words", (text, message) => {
    expect(() => parseFieldSelector(text)).toThrow(message);
  });

  test("escaped values survive a round trip", () => {
    const selector = parseFieldSelector("x=a\\,b\\=c");
    expect(requiredValue(selector, "x")).toBe("a,b=c");
    expect(fieldSelectorText(selector)).toBe("x=a\\,b\\=c");
  });
});
