import { describe, expect, test } from "vitest";
import { wholePattern } from "#git/render/go-regexp.ts";
import { matchesSelector } from "#git/render/label-selector.ts";
import { splitPath } from "#git/render/field-spec.ts";
import { fromObject, type PlainMap, toObject } from "#git/render/yaml/value.ts";
import { smartPath } from "./field-path.ts";
import { splitImage } from "./images.ts";
import { applyJsonPatch, parseJsonPatch } from "./json-patch.ts";
import { insertPathPart } from "./value-add.ts";

describe("JSON patch", () => {
  const patch = (operations: string, document: unknown): unknown =>
    toObject(applyJsonPatch(fromObject(document) as PlainMap, parseJsonPatch(operations)));

  test.each<[string, unknown, unknown]>([
    ["- {op: add, path: /a/-, value: 3}", { a: [1] }, { a: [1, 3] }],
    ["- {op: add, path: /a/0, value: 3}", { a: [1] }, { a: [3, 1] }],
    ["- {op: replace, path: /a/-1, value: 3}", { a: [1, 2] }, { a: [1, 3] }],
    ["- {op: replace, path: /x~1y, value: 3}", {}, { "x/y": 3 }],
    ["- {op: move, from: /a, path: /b}", { a: 1 }, { b: 1 }],
    ["- {op: copy, from: /a, path: /b}", { a: { c: 1 } }, { a: { c: 1 }, b: { c: 1 } }],
    ["- {op: test, path: /a, value: null}", {}, {}],
  ])("%s", (operations, before, after) => {
    expect(patch(operations, before)).toEqual(after);
  });

  test.each([
    "- {op: add, path: /a/b/c, value: 1}",
    "- {op: remove, path: /b}",
    "- {op: test, path: /a, value: 2}",
    "- {op: jump, path: /a}",
    "- {op: add}",
  ])("%s does not apply", (operations) => {
    expect(() => patch(operations, { a: 1 })).toThrow();
  });
});

test("label selectors: every form", () => {
  const labels = new Map([
    ["app", "web"],
    ["tier", "2"],
  ]);
  const good = [
    "",
    "app",
    "!none",
    "app=web",
    "app==web,tier!=3",
    "app in (web,x)",
    "app notin (y)",
    "tier>1",
    "none notin (a)",
  ];
  const bad = ["none", "!app", "app=x", "app in (y)", "tier<2"];
  expect(good.filter((selector) => !matchesSelector(selector, labels))).toEqual([]);
  expect(bad.filter((selector) => matchesSelector(selector, labels))).toEqual([]);
  for (const broken of ["a=b=c", "a in b", "=x", "a,", "a b"]) expect(() => matchesSelector(broken, labels)).toThrow();
});

test("paths: escapes, brackets and slashes", () => {
  expect(splitPath("/a/b\\/c")).toEqual(["a", "b/c"]);
  expect(smartPath("a.b\\.c.[x.y].[name=d.e]")).toEqual(["a", "b.c", "x.y", "[name=d.e]"]);
  expect(insertPathPart("/a/b", 1, "X")).toBe("/a/X/b");
});

test("images: ports, tags and digests are told apart", () => {
  expect(splitImage("r:5000/a:1@sha256:x")).toEqual({ name: "r:5000/a", tag: "1", digest: "sha256:x" });
  expect(splitImage("r:5000/a")).toEqual({ name: "r:5000/a", tag: "", digest: "" });
});

test("patterns match whole texts, in time that does not explode", () => {
  expect(wholePattern("a.*").isFoundIn("xab")).toBe(false);
  expect(wholePattern("(a+)+b").isFoundIn("a".repeat(5000))).toBe(false);
});
