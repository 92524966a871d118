import { describe, expect, it } from "vitest";
import { plainOperation } from "./root-operations.ts";

describe("documents that no resource is in", () => {
  it.each([
    ["api", true],
    ["apis/apps", true],
    ["apis/none", false],
    ["constructor", false],
    ["__proto__", false],
  ])("%s is one: %s", (path, isOne) => {
    expect(plainOperation(path, new Set(["apps"])) !== undefined).toBe(isOne);
  });
});
