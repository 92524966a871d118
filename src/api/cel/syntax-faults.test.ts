/** What is told of texts that are no expressions: many of these are cel-go's own examples. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SyntaxFaults, parseCel } from "./syntax.ts";

const start =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

function faultsOf(text: string): string[] {
  try {
    parseCel(text);
    return [];
  } catch (error) {
    if (!(error instanceof SyntaxFaults)) throw error;
    return error.faults.map(({ offset, text: fault }) => `${offset}: ${fault.replace("Syntax error: ", "")}`);
  }
}

describe("what is wrong with an expression", () => {
  it.each<[string, ...string[]]>([
    ["1 +", `3: mismatched input '<EOF>' expecting ${start}`],
    ["object.", "7: no viable alternative at input '.'"],
    ['{"a": 1}."a"', `9: no viable alternative at input '."a"'`],
    ["msg.true", "4: mismatched input 'true' expecting IDENTIFIER"],
    ["(1 + 2", "6: missing ')' at '<EOF>'"],
    ["a[1", "3: missing ']' at '<EOF>'"],
    ["f(x", "3: missing ')' at '<EOF>'"],
    ["[1, 2", "5: mismatched input '<EOF>' expecting {']', ','}"],
    ["a b", "2: extraneous input 'b' expecting <EOF>"],
    ["1 2 3", "2: mismatched input '2' expecting <EOF>"],
    ["a ? b", "5: mismatched input '<EOF>' expecting ':'"],
    ["&& true", `0: extraneous input '&&' expecting ${start}`],
    ["?", `0: mismatched input '?' expecting ${start}`, `1: mismatched input '<EOF>' expecting ${start}`],
    ["in", `0: mismatched input 'in' expecting ${start}`, `2: mismatched input '<EOF>' expecting ${start}`],
    ["x{.", "2: mismatched input '.' expecting {'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}"],
    [
      "t{>C}",
      "2: extraneous input '>' expecting {'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}",
      "4: mismatched input '}' expecting ':'",
    ],
    ["object.x = 1", "9: token recognition error at: '= '", "11: extraneous input '1' expecting <EOF>"],
    [
      "*@a | b",
      `0: extraneous input '*' expecting ${start}`,
      "1: token recognition error at: '@'",
      "4: token recognition error at: '| '",
      "6: extraneous input 'b' expecting <EOF>",
    ],
    [
      String.raw`"\xFh"`,
      String.raw`0: token recognition error at: '"\xFh'`,
      `5: token recognition error at: '"'`,
      `6: mismatched input '<EOF>' expecting ${start}`,
    ],
    ["if true", "0: reserved identifier: if", "3: extraneous input 'true' expecting <EOF>"],
    ["has(m)", "4: invalid argument to has() macro"],
    ["1.all(2, 3)", "6: argument must be a simple name"],
    ["0xFFFFFFFFFFFFFFFFF", "0: invalid int literal"],
    ["1.99e90000009", "0: invalid double literal"],
  ])("%s", (text, ...expected) => expect(faultsOf(text)).toEqual(expected));

  it.each(["!!a", "--1", "!-1", "[1, 2,]", "[,]", "{'a': 1,}", "a.?b[?c]", "r'\\d'", ".a.b", "a.`b-c`", "x.y{z: 1}"])(
    "nothing: %s",
    (text) => expect(faultsOf(text)).toEqual([]),
  );

  it("is found in whatever is no expression", () => {
    const parts = "a . ( ) [ ] { } , : ? + - ! && || == in true 1 1.5 'x' \"y @ = `q`".split(" ");
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 12 }), (tokens) => {
        const text = tokens.join(" ");
        let isRead = true;
        try {
          parseCel(text);
        } catch {
          isRead = false;
        }
        expect(isRead || faultsOf(text).length > 0).toBe(true);
      }),
    );
  });
});
