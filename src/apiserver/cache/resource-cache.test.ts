import { describe, expect, it } from "vitest";
import { encodeStored } from "./encoding.ts";
import { Entry } from "./entry.ts";
import { type Change, ResourceCache } from "./resource-cache.ts";

const change = (revision: number): Change => {
  const stored = encodeStored({ kind: "Secret", apiVersion: "v1", metadata: { name: "a" } });
  const current = Entry.of("default/a", revision, stored);
  return { revision, key: "default/a", current, previous: undefined, last: undefined, encoded: new Map() };
};

describe("ResourceCache", () => {
  it("shares encoded events among those who listen, and keeps none of them", () => {
    const cache = new ResourceCache("/registry/core/secrets/");
    cache.load([], 1);
    let made = 0;
    const take = (changes: readonly Change[]) => {
      for (const { encoded } of changes) {
        if (!encoded.has("ADDED")) made += 1;
        encoded.set("ADDED", Buffer.from("line"));
      }
    };
    cache.listen(take);
    cache.listen(take);
    cache.apply([change(2), change(3)]);
    expect(made).toBe(2);
    expect(cache.changesAfter(1).map(({ revision, encoded }) => [revision, encoded.size])).toEqual([
      [2, 0],
      [3, 0],
    ]);
  });
});
