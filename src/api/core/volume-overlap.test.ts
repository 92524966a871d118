import { describe, expect, it } from "vitest";
import type { V1Volume } from "#api/generated/types.ts";
import { overlapWarnings, overlapsMax } from "./volume-overlap.ts";

const item = (path: string) => ({ key: "k", path });
const warnings = (...paths: string[]) =>
  overlapWarnings([{ name: "v", configMap: { name: "c", items: paths.map(item) } }]).map(
    (text) => text.split("overlapping paths: ")[1],
  );

describe("files of one volume", () => {
  it.each([
    [["a", "b", "ab", "a-b"], []],
    [["a", "a"], ['"a" with "a"']],
    [
      ["a/b", "a/", "a/b/c", "a/d"],
      ['"a" with "a/b"', '"a/b/c" with "a/b"', '"a/b/c" with "a"', '"a/d" with "a"'],
    ],
    [["", "", "a"], []],
  ])("%j overlap so", (paths, expected) => {
    expect(warnings(...paths)).toEqual(expected);
  });

  it.each<[claim: string, sources: object[], expected: string[]]>([
    [
      "in the order of the sources",
      [{ secret: { name: "s", items: [item("t")] } }, { serviceAccountToken: { path: "t" } }, {}],
      [
        'volume "v" (Projected): overlapping paths: "t" (ServiceAccountToken) with "t" (Secret "s")',
        'volume "v" (Projected) has no sources provided',
      ],
    ],
    [
      "files of the source before count for one that lists none",
      [{ secret: { name: "s", items: [item("t")] } }, {}, { configMap: { name: "c" } }, { secret: { items: [] } }],
      [
        'volume "v" (Projected) has no sources provided',
        'volume "v" (Projected): overlapping paths: "t" (Secret "s") with "t" (Secret "s")',
      ],
    ],
  ])("sources of a projected volume are told: %s", (_, sources, expected) => {
    expect(overlapWarnings([{ name: "v", projected: { sources } } as V1Volume])).toEqual(expected);
  });

  it("many files take little time", () => {
    const paths = Array.from({ length: 50_000 }, (_, index) => `d${index % 500}/f${index}`);
    expect(warnings(...paths)).toEqual([]);
    expect(warnings(...Array.from({ length: 50_000 }, () => "a")).length).toBeLessThan(2 * overlapsMax);
  });
});
