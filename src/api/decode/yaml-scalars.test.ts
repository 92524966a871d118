import { describe, expect, test } from "vitest";
import { parseYaml } from "./yaml.ts";

const scalar = (text: string) => (parseYaml(Buffer.from(text)).value as { a: unknown }).a;

describe("scalars of YAML", () => {
  test.each([
    ["a: one\n  two\n\n  three", "one two\nthree"],
    ["a: 'it''s'", "it's"],
    ['a: "x\\ty\\u00e9\\x41"', "x\tyéA"],
    ['a: "one \\\n  two"', "one two"],
    ['a: "one\n\n  two"', "one\ntwo"],
    ["a: |\n  x\n   y\n\n  z\n", "x\n y\n\nz\n"],
    ["a: |-\n  x\n\n", "x"],
    ["a: |+\n  x\n\n", "x\n\n"],
    ["a: >\n  x\n  y\n\n  z\n", "x y\nz\n"],
    ["a: >-\n  x\n    y\n  z", "x\n  y\nz"],
    ["a: |2\n    x\n", "  x\n"],
    ["a: x#y # comment", "x#y"],
    ["a: http://x/y:z", "http://x/y:z"],
    ["a: -1x", "-1x"],
    ["a: !!str 1", "1"],
    ["a: ! 1", "1"],
    ["a: !!binary eA==", "x"],
    ["a: !thing 5", "5"],
  ])("%j", (text, value) => expect(scalar(text)).toBe(value));

  test.each([
    ["a: 'x", "found unexpected end of stream"],
    ['a: "\\q"', "found unknown escape character"],
    ['a: "\\xzz"', "did not find expected hexdecimal number"],
    ["a: |0\n x", "found an indentation indicator equal to 0"],
    ["a: | x", "did not find expected comment or line break"],
    ["a: !!int x", "cannot decode !!str `x` as a !!int"],
  ])("%j is refused", (text, message) => expect(() => parseYaml(Buffer.from(text))).toThrow(message));
});
