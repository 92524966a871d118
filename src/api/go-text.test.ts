import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareText, goJson, goQuote, goStrings, goValue, isLongerThan, sortedJson } from "./go-text.ts";

describe("Go's texts", () => {
  test.each([
    ["a", '"a"'],
    ['a"b\\', '"a\\"b\\\\"'],
    ["\u0001\n\u007f", '"\\x01\\n\\x7f"'],
    ["é✓", '"é✓"'],
    ["\u00ad", '"\\u00ad"'],
  ])("%j is quoted as %s", (text, quoted) => expect(goQuote(text)).toBe(quoted));

  test("JSON escapes what HTML could stumble over", () => {
    expect(goJson({ a: "<&>" })).toBe('{"a":"\\u003c\\u0026\\u003e"}');
  });

  test("sorted JSON keeps a key that is the prototype's name", () => {
    expect(sortedJson(JSON.parse('{"b":1,"__proto__":{"a":[2]}}'))).toBe('{"__proto__":{"a":[2]},"b":1}');
  });

  test("values print as Go's maps and slices do", () => {
    expect(goValue({ b: [1, "x"], a: null })).toBe("map[a:<nil> b:[1 x]]");
    expect(goStrings(["a", "b"])).toBe('[]string{"a", "b"}');
  });

  test("texts compare by their bytes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
      }),
    );
  });

  test("length counts bytes", () => {
    expect(isLongerThan("éé", 3)).toBe(true);
    expect(isLongerThan("éé", 4)).toBe(false);
  });
});
