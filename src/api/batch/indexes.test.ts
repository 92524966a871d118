import { describe, expect, test } from "vitest";
import { firstOverlap, parseIntervals } from "./indexes.ts";

describe("completion indexes", () => {
  test.each([
    ["", 0],
    ["0", 1],
    ["0-2,5", 4],
    ["1,3-9", 8],
  ])("%j are %d", (text, total) => expect(parseIntervals(text, 10)).toMatchObject({ total }));
  test.each([
    ["a", 'cannot convert string to integer for index: "a"'],
    ["0, 1", 'cannot convert string to integer for index: " 1"'],
    ["3-1", "non-increasing order, previous: 3, current: 1"],
    ["2,1", "non-increasing order, previous: 2, current: 1"],
    ["1-10", 'too large index: "10"'],
    ["9223372036854775808", 'cannot convert string to integer for index: "9223372036854775808"'],
  ])("%j is none: %s", (text, fault) => expect(parseIntervals(text, 10).fault).toBe(fault));
  test.each([
    ["0-1,5-8", "3,7-9", 7],
    ["0-1", "2", undefined],
    ["", "1-3", undefined],
    ["0,2-4,x,6-8", "1,8,9", 8],
    ["x,0,6-8", "y,1,8,9", 8],
    ["0,6-8,x", "1,9,y", undefined],
  ])("%j and %j overlap first at %s, faulty intervals aside", (one, other, index) =>
    expect(firstOverlap(one, other, 10)).toBe(index),
  );
});
