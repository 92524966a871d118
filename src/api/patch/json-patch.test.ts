import { describe, expect, test } from "vitest";
import { applyJsonPatch, copiedBytesMax } from "./json-patch.ts";

const document = { b: { c: [1, 2, 3] }, a: "x" };
const patched = (...operations: object[]) => applyJsonPatch(document, operations);

describe("JSON patch", () => {
  test.each([
    [
      { op: "add", path: "/n", value: 1 },
      { ...document, n: 1 },
    ],
    [
      { op: "add", path: "/b/c/1", value: 9 },
      { a: "x", b: { c: [1, 9, 2, 3] } },
    ],
    [
      { op: "add", path: "/b/c/-", value: 9 },
      { a: "x", b: { c: [1, 2, 3, 9] } },
    ],
    [
      { op: "add", path: "/b/c/-1", value: 9 },
      { a: "x", b: { c: [1, 2, 3, 9] } },
    ],
    [{ op: "remove", path: "/a" }, { b: document.b }],
    [
      { op: "remove", path: "/b/c/-1" },
      { a: "x", b: { c: [1, 2] } },
    ],
    [
      { op: "remove", path: "/b/c/00" },
      { a: "x", b: { c: [2, 3] } },
    ],
    [
      { op: "replace", path: "/missing", value: 1 },
      { ...document, missing: 1 },
    ],
    [{ op: "replace", path: "", value: { z: 1 } }, { z: 1 }],
    [
      { op: "copy", from: "/missing", path: "/n" },
      { ...document, n: null },
    ],
    [{ op: "move", from: "/a", path: "/b/d" }, { b: { c: [1, 2, 3], d: "x" } }],
    [{ op: "test", path: "/b/c", value: [1, 2, 3] }, document],
    [{ op: "test", path: "/missing", value: null }, document],
    [
      { op: "add", path: "x/n", value: 1 },
      { ...document, n: 1 },
    ],
    [
      { op: "add", path: "/a~1b~0", value: 1 },
      { ...document, "a/b~": 1 },
    ],
  ])("%j", (operation, result) => expect(patched(operation)).toEqual(result));

  test.each([
    [{ op: "add", path: "", value: {} }],
    [{ op: "remove", path: "" }],
    [{ op: "remove", path: "/missing" }],
    [{ op: "add", path: "/missing/x", value: 1 }],
    [{ op: "add", path: "/b/c/5", value: 1 }],
    [{ op: "replace", path: "/b/c/3", value: 1 }],
    [{ op: "test", path: "/a", value: "y" }],
    [{ op: "nonsense", path: "/a" }],
    [{ op: "add" }],
  ])("%j does not apply", (operation) => expect(() => patched(operation)).toThrow());

  test("the document is left alone", () => {
    const before = JSON.stringify(document);
    patched({ op: "remove", path: "/b/c/0" }, { op: "add", path: "/z", value: 1 });
    expect(JSON.stringify(document)).toBe(before);
  });

  test("what is touched is sorted, the rest keeps its order", () => {
    const result = applyJsonPatch({ z: 1, m: { y: 1, x: 2 }, b: { d: 1, c: 2 } }, [
      { op: "add", path: "/b/a", value: 0 },
    ]);
    expect(JSON.stringify(result)).toBe('{"b":{"a":0,"c":2,"d":1},"m":{"y":1,"x":2},"z":1}');
  });

  test("copies may not grow without end", () => {
    const big = { a: "x".repeat(copiedBytesMax / 2) };
    const copy = (path: string) => ({ op: "copy", from: "/a", path });
    expect(() => applyJsonPatch(big, [copy("/b")])).not.toThrow();
    expect(() => applyJsonPatch(big, [copy("/b"), copy("/c")])).toThrow("accumulated size");
  });
});

describe("an operation that does not apply", () => {
  const document = { a: { b: 1 }, list: [1] };
  test.each([
    [{ op: "add", path: "/x/y", value: 1 }, 'add operation does not apply: doc is missing path: "/x/y": missing value'],
    [
      { op: "add", path: "/list/5", value: 1 },
      "error in add for path: '/list/5': Unable to access invalid index: 5: invalid index referenced",
    ],
    [
      { op: "add", path: "/list/x", value: 1 },
      "error in add for path: '/list/x': value was not a proper array index: 'x': strconv.Atoi: parsing \"x\": invalid syntax",
    ],
    [
      { op: "remove", path: "/a/c" },
      "error in remove for path: '/a/c': Unable to remove nonexistent key: c: missing value",
    ],
    [
      { op: "replace", path: "/list/3", value: 1 },
      "replace operation does not apply: doc is missing key: /list/3: missing value",
    ],
    [
      { op: "move", from: "/x/y", path: "/z" },
      "move operation does not apply: doc is missing from path: /x/y: missing value",
    ],
    [
      { op: "copy", from: "/a", path: "/x/y" },
      "copy operation does not apply: doc is missing destination path: /x/y: missing value",
    ],
    [{ op: "test", path: "/a/b", value: 2 }, "testing value /a/b failed: test failed"],
    [{ op: "remove" }, "remove operation failed to decode path: missing value"],
    [{ op: "swap", path: "/a" }, "Unexpected kind: swap"],
  ])("%j says why", (operation, text) => expect(() => applyJsonPatch(document, [operation])).toThrow(text));
});
