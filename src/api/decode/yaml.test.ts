import { describe, expect, test } from "vitest";
import { plainJson } from "./json-value.ts";
import { parseYaml } from "./yaml.ts";

const read = (text: string) => plainJson(parseYaml(text).value);

describe("YAML", () => {
  test.each([
    ["a: yes", { a: true }],
    ["a: 'yes'", { a: "yes" }],
    ["a: off", { a: false }],
    ["a: ~\nb:", { a: null, b: null }],
    ["a: 0777", { a: 511 }],
    ["a: 0x1F", { a: 31 }],
    ["a: 1_000", { a: 1000 }],
    ["a: 1.5", { a: 1.5 }],
    ["a: 2.0", { a: 2 }],
    ["a: 1e3", { a: "1e3" }],
    ["a: 2024-01-01", { a: "2024-01-01" }],
    ["1: a\ntrue: b", { 1: "a", true: "b" }],
    ["a: &x {b: 1}\nc: *x", { a: { b: 1 }, c: { b: 1 } }],
    ["a: &x {b: 1}\nc:\n  <<: *x\n  d: 2", { a: { b: 1 }, c: { d: 2, b: 1 } }],
    ["a: |\n  x\n  y\n", { a: "x\ny\n" }],
    ["", null],
    ["a: 1\n---\nb: 2", { a: 1 }],
    ['{"a": [1, "x"]}', { a: [1, "x"] }],
  ])("%j", (text, value) => expect(read(text)).toEqual(value));

  test.each([
    ["metadata:\n\tname: a\n", "yaml: line 2: found character that cannot start any token"],
    ["a: [\n", "yaml: line 1: did not find expected node content"],
    ['{"apiVersion": ', "yaml: line 1: did not find expected node content"],
    ["a: b: c", "yaml: mapping values are not allowed in this context"],
    ["a: *x", "yaml: unknown anchor 'x' referenced"],
    ["a: b\nc\n", "yaml: line 3: could not find expected ':'"],
  ])("%j is refused in go-yaml's words", (text, message) => {
    expect(() => parseYaml(text)).toThrow(message);
  });

  test("aliases of aliases do not multiply without end", () => {
    const lines = ["a: &a [x,x,x,x,x,x,x,x,x]"];
    for (let i = 1; i < 9; i++) {
      const [before, own] = [String.fromCharCode(96 + i), String.fromCharCode(97 + i)];
      lines.push(`${own}: &${own} [${Array(9).fill(`*${before}`).join(",")}]`);
    }
    expect(() => parseYaml(lines.join("\n"))).toThrow("yaml: document contains excessive aliasing");
  });
});
