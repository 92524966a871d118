import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseYaml } from "./composer.ts";
import { readConfig } from "./config-value.ts";
import { decodeNode } from "./decode.ts";
import { splitDocuments } from "./documents.ts";
import { emitYaml } from "./emit.ts";
import { formatFloat, parseInteger } from "./go-number.ts";
import { compareKeys } from "./key-order.ts";
import { isNonStringWord, resolvePlain } from "./resolve.ts";
import { fromObject, jsonText, type Plain, toObject } from "./value.ts";

const read = (text: string): unknown => toObject(decodeNode(parseYaml(text)!));

describe("reading", () => {
  test.each<[string, unknown]>([
    ["a: 1\nb: [x, {y: z}]\nc:\n- 1\n- - 2", { a: 1, b: ["x", { y: "z" }], c: [1, [2]] }],
    ["a: |\n  l1\n   l2\nb: >-\n  f1\n  f2\n\n  f3", { a: "l1\n l2\n", b: "f1 f2\nf3" }],
    ["a: 'it''s'\nb: \"x\\u00e9\\\n  y\"\nc: plain\n  folded", { a: "it's", b: "xéy", c: "plain folded" }],
    ['? k\n: v\n"q" : w', { k: "v", q: "w" }],
    ["- !!str 1\n- !!int '2'\n- !own x\n-", ["1", 2, "x", null]],
    ["{a: , b, 'c':d}", undefined],
  ])("%j", (text, wanted) => {
    if (wanted === undefined) expect(() => read("{a: [}")).toThrow();
    else expect(read(text)).toEqual(wanted);
  });

  test.each([
    "a: b: c",
    "\ta: 1",
    "a: [",
    "a: 'x",
    "- a\nb: c",
    "*x",
    "a: !<x",
    "%YAML 1.2\n---\na",
    'a: "\\q"',
    "a: |0\n x",
    "\x01",
  ])("%j is refused", (text) => {
    expect(() => parseYaml(text)).toThrow(/yaml: /);
  });

  test("configuration: YAML 1.1 words, the last of equal keys wins", () => {
    expect(toObject(readConfig("a: yes\nb: 010\na: n"))).toEqual({ a: false, b: 8 });
  });

  test("documents split at lines of three dashes; text on such a line is refused", () => {
    expect(splitDocuments("a\n--- # x\nb")).toEqual(["a\n", "b"]);
    expect(() => splitDocuments("a\n--- x\nb")).toThrow(/separator/);
  });
});

describe("words", () => {
  test.each<[string, string]>([
    ["yes", "!!str"],
    ["true", "!!bool"],
    ["~", "!!null"],
    ["0x1f", "!!int"],
    ["1_000", "!!int"],
    ["08", "!!float"],
    ["1e400", "!!str"],
    ["2024-02-30", "!!str"],
    ["2024-02-29T1:2:3Z", "!!timestamp"],
  ])("%s is %s", (text, tag) => {
    expect(resolvePlain(text).tag).toBe(tag);
  });

  test("words of YAML 1.1 need quotes", () => {
    expect(["y", "on", "1", "2024-01-02", "text"].map(isNonStringWord)).toEqual([true, true, true, false, false]);
  });

  test("numbers print as Go prints them", () => {
    expect([1e21, 1.5, 1234567.5, 0.00001, 100000.5].map(formatFloat)).toEqual([
      "1e+21",
      "1.5",
      "1.2345675e+06",
      "1e-05",
      "100000.5",
    ]);
    expect(["-0x10", "18446744073709551615", "18446744073709551616"].map(parseInteger)).toEqual([
      -16,
      18446744073709551615n,
      undefined,
    ]);
  });
});

describe("printing", () => {
  test.each<[unknown, string]>([
    [{ a: { b: [1, { c: null }] }, e: [], f: {} }, "a:\n  b:\n  - 1\n  - c: null\ne: []\nf: {}\n"],
    [
      ["yes", "1", "", "a: b", "it's: ", "\ttab", "x\ny\n", "\n lead"],
      '- "yes"\n- "1"\n- ""\n- \'a: b\'\n- \'it\'\'s: \'\n- "\\ttab"\n- |\n  x\n  y\n- |2-\n\n   lead\n',
    ],
    [{ ["k".repeat(129)]: 1 }, `? ${"k".repeat(129)}\n: 1\n`],
    [{ k: "word ".repeat(20).trim() }, `k: ${"word ".repeat(15)}word\n  word word word word\n`],
    ["😀 é", '"\\U0001F600 é"\n'],
  ])("%j", (value, wanted) => {
    expect(emitYaml(fromObject(value))).toBe(wanted);
  });

  test("runs of digits count as numbers, letters come last", () => {
    expect(["b", "a10", "a2", "a", "B", "1", "_"].sort(compareKeys)).toEqual(["_", "1", "B", "a", "a2", "a10", "b"]);
  });

  test("what is printed reads back as the same", () => {
    const text = fc.string({
      unit: fc.constantFrom(..."abc xyz01:-#'\"\\\n[]{},&*!|>%@`?~é.=_".split("")),
      maxLength: 24,
    });
    const leaf = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null));
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(text, tie("tree"), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const plain: Plain = fromObject(value);
        expect(jsonText(readConfig(emitYaml(plain)))).toBe(jsonText(plain));
      }),
      { numRuns: 300 },
    );
  });
});
