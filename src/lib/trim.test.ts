import { describe, expect, it } from "vitest";
import { trimEnd, trimStart } from "./trim.ts";

describe("trim", () => {
  it.each([
    ["", "", ""],
    ["a", "a", "a"],
    ["//a//b//", "a//b//", "//a//b"],
    ["////", "", ""],
  ])("%j", (text, withoutStart, withoutEnd) => {
    expect([trimStart(text, "/"), trimEnd(text, "/")]).toEqual([withoutStart, withoutEnd]);
  });
});
