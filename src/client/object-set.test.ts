import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KubernetesObject } from "#api/object.ts";
import { defineIndex, ObjectSet } from "./object-set.ts";

const labels = fc.dictionary(fc.constantFrom("app", "tier"), fc.constantFrom("x", "y"), { maxKeys: 2 });
const object: fc.Arbitrary<KubernetesObject> = fc.record({
  metadata: fc.record({
    name: fc.constantFrom("a", "b", "c", "d"),
    namespace: fc.constantFrom("n", "m"),
    uid: fc.constantFrom("1", "2", "3"),
    labels,
  }),
});
const byLetter = defineIndex<KubernetesObject>("letter", ({ metadata }) => [metadata.name ?? ""]);
const texts = (objects: readonly KubernetesObject[]) => objects.map((each) => JSON.stringify(each)).sort();

describe("object set", () => {
  test("every index equals a search through all objects", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), object)), labels, (steps, wanted) => {
        const set = new ObjectSet<KubernetesObject>();
        set.byIndex(byLetter, "a");
        set.byLabels("n", { app: "x" });
        const plain = new Map<string, KubernetesObject>();
        for (const [put, each] of steps) {
          const key = `${each.metadata.namespace}/${each.metadata.name}`;
          if (put) set.set(each);
          else set.delete(each.metadata);
          if (put) plain.set(key, each);
          else plain.delete(key);
        }
        const all = [...plain.values()];
        const matches = ({ metadata }: KubernetesObject) =>
          metadata.namespace === "n" &&
          Object.entries(wanted).every(([key, value]) => metadata.labels?.[key] === value);
        expect(texts(set.list())).toEqual(texts(all));
        expect(texts(set.list("n"))).toEqual(texts(all.filter(({ metadata }) => metadata.namespace === "n")));
        expect(texts(set.byIndex(byLetter, "a"))).toEqual(texts(all.filter(({ metadata }) => metadata.name === "a")));
        expect(texts(set.byLabels("n", wanted))).toEqual(texts(all.filter(matches)));
      }),
    );
  });
});
