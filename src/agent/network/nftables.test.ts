import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { changeScript, diffContents, layoutMark, replaceScript, type TableLayout } from "./nftables.ts";

const layout: TableLayout = {
  family: "ip",
  name: "t",
  sets: { one: "set one { type ipv4_addr; }", two: "map two { type inet_service : verdict; }", kept: "set kept { }" },
  keeps: ["kept"],
  chains: { first: { hook: "type filter hook input priority 0;", rules: ["ip saddr @one drop"] } },
};
const contents = {
  chains: new Map([["to-1", ["accept"]]]),
  elements: new Map([
    ["one", new Map([["10.0.0.1", ""]])],
    ["two", new Map([["80", "goto to-1"]])],
  ]),
};

describe("a full load", () => {
  test("makes the table anew in one transaction where there is none of this layout", () => {
    expect(replaceScript(layout, contents).split("\n")).toEqual([
      "add table ip t",
      "delete table ip t",
      "add table ip t",
      `add chain ip t ${layoutMark(layout)}`,
      "add set ip t one { type ipv4_addr; }",
      "add map ip t two { type inet_service : verdict; }",
      "add set ip t kept { }",
      "add chain ip t first { type filter hook input priority 0; }",
      "add rule ip t first ip saddr @one drop",
      "add chain ip t to-1",
      "add rule ip t to-1 accept",
      "add element ip t one { 10.0.0.1 }",
      "add element ip t two { 80 : goto to-1 }",
      "",
    ]);
  });

  test("empties a table of this layout, but not the sets that the kernel fills", () => {
    const script = replaceScript(layout, contents, [layoutMark(layout), "first", "to-1", "to-9"]);
    expect(script.split("\n")).toEqual([
      "flush set ip t one",
      "flush map ip t two",
      "flush chain ip t to-1",
      "flush chain ip t to-9",
      "delete chain ip t to-9",
      "add rule ip t to-1 accept",
      "add element ip t one { 10.0.0.1 }",
      "add element ip t two { 80 : goto to-1 }",
      "",
    ]);
  });

  test("another layout has another mark", () => {
    expect(layoutMark({ ...layout, chains: {} })).not.toBe(layoutMark(layout));
  });
});

describe("a change", () => {
  const elements = fc
    .dictionary(
      fc.constantFrom("one", "two"),
      fc.dictionary(fc.constantFrom("a", "b", "c"), fc.constantFrom("", "x", "y")),
    )
    .map(
      (sets) =>
        new Map(Object.entries(sets).map(([set, keys]) => [set, new Map<string, string>(Object.entries(keys))])),
    );

  test("carried out, leads to what is wanted", () => {
    fc.assert(
      fc.property(elements, elements, (have, want) => {
        const chains = new Map<string, string[]>();
        const { deleteElements, addElements } = diffContents({ chains, elements: have }, { chains, elements: want });
        const now = new Map([...have].map(([set, keys]) => [set, new Map(keys)]));
        for (const [set, keys] of deleteElements)
          for (const key of keys.keys()) expect(now.get(set)?.delete(key)).toBe(true);
        for (const [set, keys] of addElements) {
          const target = now.get(set) ?? new Map<string, string>();
          now.set(set, target);
          for (const [key, value] of keys) {
            expect(target.has(key)).toBe(false);
            target.set(key, value);
          }
        }
        const filled = (sets: ReadonlyMap<string, ReadonlyMap<string, string>>) =>
          new Map([...sets].filter(([, keys]) => keys.size > 0));
        expect(filled(now)).toEqual(filled(want));
      }),
    );
  });

  test("of nothing is an empty script", () => {
    expect(changeScript(layout, diffContents(contents, contents))).toBe("");
  });
});
