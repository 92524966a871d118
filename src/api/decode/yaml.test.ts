import { describe, expect, test } from "vitest";
import { plainJson } from "./json-value.ts";
import { parseYaml } from "./yaml.ts";

const read = (text: string) => plainJson(parseYaml(Buffer.from(text)).value);

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
    ["a: \u0001", "yaml: control characters are not allowed"],
    ['{"a": "\u007F"}', "yaml: control characters are not allowed"],
    ["? [a, 1]\n: b", 'yaml: invalid map key: []interface {}{"a", 1}'],
    ["? {a: ~}\n: b", 'yaml: invalid map key: map[interface {}]interface {}{"a":interface {}(nil)}'],
    ["~: a", 'unsupported map key of type: %!s(<nil>), key: <nil>, value: "a"'],
  ])("%j is refused in go-yaml's words", (text, message) => {
    expect(() => parseYaml(Buffer.from(text))).toThrow(message);
  });

  test.each([
    [[0xff], "invalid leading UTF-8 octet"],
    [[0xc3], "incomplete UTF-8 octet sequence"],
    [[0xc3, 0x41], "invalid trailing UTF-8 octet"],
    [[0xc0, 0x80], "invalid length of a UTF-8 sequence"],
    [[0xed, 0xa0, 0x80], "invalid Unicode character"],
  ])("the bytes %j are no text", (bytes, problem) => {
    expect(() => parseYaml(Buffer.from([0x61, 0x3a, 0x20, ...bytes]))).toThrow(`yaml: ${problem}`);
  });

  test("what is wrong far before a control character is told first, what is behind the first document not at all", () => {
    expect(() => parseYaml(Buffer.from(`a: b: c\n#${"x".repeat(600)}\u0001`))).toThrow(
      "mapping values are not allowed",
    );
    expect(read(`a: b\n---\n#${"x".repeat(600)}\n\u0001`)).toEqual({ a: "b" });
  });

  test("repeated keys are told by what they are", () => {
    const { errors } = parseYaml(Buffer.from("1: a\n1: b\ntrue: c\ntrue: d\nx: e\nx: f"));
    expect(errors[0]).toContain("key 1 already");
    expect(errors[0]).toContain("key true already");
    expect(errors[0]).toContain('key "x" already');
  });

  test("aliases of aliases do not multiply without end", () => {
    const lines = ["a: &a [x,x,x,x,x,x,x,x,x]"];
    for (let i = 1; i < 9; i++) {
      const [before, own] = [String.fromCharCode(96 + i), String.fromCharCode(97 + i)];
      lines.push(`${own}: &${own} [${Array(9).fill(`*${before}`).join(",")}]`);
    }
    expect(() => parseYaml(Buffer.from(lines.join("\n")))).toThrow("yaml: document contains excessive aliasing");
  });
});
