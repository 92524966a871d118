import { expect, test } from "vitest";
import { patienceMs } from "./upstream.ts";

test.each([
  ["that was never silent", undefined, 2_000],
  ["that falls silent while it is asked", 100_500, 2_000],
  ["that was silent lately", 99_000, 400],
  ["that was silent long ago", 90_000, 2_000],
])("a resolver %s has its time to answer", (_, silentAt, expected) => {
  expect(patienceMs(silentAt, 100_000)).toBe(expected);
});
