import { describe, expect, it } from "vitest";
import { encodeStored } from "./encoding.ts";
import { Entry } from "./entry.ts";
import { type Change, ResourceCache, watchersPerTurnMax } from "./resource-cache.ts";

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
    cache.watch(take);
    cache.watch(take);
    cache.apply([change(2), change(3)]);
    expect(made).toBe(2);
    expect(cache.changesAfter(1).map(({ revision, encoded }) => [revision, encoded.size])).toEqual([
      [2, 0],
      [3, 0],
    ]);
  });

  it("tells many watchers of every change in order, in turns, and those who must know at once", async () => {
    const cache = new ResourceCache("/registry/core/secrets/");
    cache.load([], 1);
    const known: number[] = [];
    const seen = Array.from({ length: 3 * watchersPerTurnMax }, (): number[] => []);
    cache.listen((changes) => known.push(...changes.map(({ revision }) => revision)));
    const stops = seen.map((revisions) =>
      cache.watch((changes) => revisions.push(...changes.map(({ revision }) => revision))),
    );
    expect(cache.toldRevision).toBe(Infinity);
    cache.apply([change(2)]);
    expect([known, seen[0], seen.at(-1)]).toEqual([[2], [2], []]);
    expect(cache.toldRevision).toBe(1);
    cache.apply([change(3)]);
    cache.apply([change(4)]);
    expect([known, seen[0], seen.at(-1)]).toEqual([[2, 3, 4], [2], []]);
    stops.at(-1)!();
    while (cache.toldRevision !== Infinity) await new Promise((resolve) => setImmediate(resolve));
    expect(seen.slice(0, -1).every((revisions) => revisions.join() === "2,3,4")).toBe(true);
    expect(seen.at(-1)).toEqual([]);
  });
});
