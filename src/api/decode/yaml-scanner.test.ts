import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { nestingDepthMax, plainJson } from "./json-value.ts";
import { parseYaml } from "./yaml.ts";

const read = (text: string) => plainJson(parseYaml(Buffer.from(text)).value);

describe("structure of YAML", () => {
  test.each([
    ["- a\n- - b\n  - c\n-\n", ["a", ["b", "c"], null]],
    ["a:\n- 1\n- 2\nb: 3", { a: [1, 2], b: 3 }],
    ["a:\n  b:\n    c: 1\nd: 2", { a: { b: { c: 1 } }, d: 2 }],
    ["? a\n: b\n? c", { a: "b", c: null }],
    ["- a: 1\n  b: 2\n- c: 3", [{ a: 1, b: 2 }, { c: 3 }]],
    ["{a: [1, {b: c}], 'd': }", { a: [1, { b: "c" }], d: null }],
    ["[a: 1, b]", [{ a: 1 }, "b"]],
    ["[\n  a,\n  b,\n]", ["a", "b"]],
    ["%YAML 1.1\n---\na: 1\n...\n", { a: 1 }],
    ["# only a comment", null],
    ["a: &x\n  b: 1\nc: *x", { a: { b: 1 }, c: { b: 1 } }],
  ])("%j", (text, value) => expect(read(text)).toEqual(value));

  test.each([
    ["a: 1\n b: 2", "yaml: line 2: mapping values are not allowed in this context"],
    ["a:\n  - b\n c: d", "yaml: line 2: did not find expected key"],
    ["- a\nb: c", "yaml: line 1: did not find expected '-' indicator"],
    ["[1 2", "yaml: line 1: did not find expected ',' or ']'"],
    ["{a: 1 ]", "yaml: did not find expected ',' or '}'"],
    ["a: - b", "yaml: block sequence entries are not allowed in this context"],
    ["a: @b", "yaml: found character that cannot start any token"],
    ["a: &x [*x]", "yaml: anchor 'x' value contains itself"],
    [": :", "yaml: did not find expected key"],
  ])("%j is refused in go-yaml's words", (text, message) => {
    expect(() => parseYaml(Buffer.from(text))).toThrow(message);
  });

  test.each(["[", "{a: ", "- ", "? "])("nesting of %j has a limit", (piece) => {
    expect(() => parseYaml(Buffer.from(piece.repeat(nestingDepthMax * 10)))).toThrow("exceeded max depth");
  });

  test("reads what another library writes", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4, noUnicodeString: false }), fc.constantFrom(0, 80), (value, lineWidth) => {
        const text = stringify({ value }, { version: "1.1", lineWidth });
        // That library writes some characters as they are that YAML does not allow.
        fc.pre(!/[\u007f-\u009f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]/u.test(text));
        expect(JSON.stringify(read(text))).toBe(JSON.stringify({ value }));
      }),
      { numRuns: 300 },
    );
  });
});
