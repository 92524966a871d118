import { expect, test } from "vitest";
import { compactionSteps } from "./compaction.ts";

test("compaction: a revision goes five steps after it was seen", () => {
  const step = compactionSteps(1);
  expect([10, 20, 30, 40, 50, 60, 70].map(step)).toEqual([undefined, undefined, undefined, undefined, 1, 10, 20]);
});
