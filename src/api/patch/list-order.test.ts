import { expect, test } from "vitest";
import { mergeOrdered, orderedBy } from "./list-order.ts";

const same = (item: unknown) => item;

test("items follow the order they are given, unknown ones last", () => {
  expect(orderedBy(["c", "x", "a"], ["a", "b", "c"], same)).toEqual(["a", "c", "x"]);
});

test("the left is woven into the right where the old order says so", () => {
  expect(mergeOrdered(["a", "c"], ["b", "d"], ["a", "b", "c", "d"], same)).toEqual(["a", "b", "c", "d"]);
  expect(mergeOrdered(["a"], ["new"], ["a"], same)).toEqual(["new", "a"]);
});
