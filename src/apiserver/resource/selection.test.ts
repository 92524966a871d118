import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KubernetesObject } from "#api/object.ts";
import { Pod } from "#api/core/pod.ts";
import { encodeStored } from "#apiserver/cache/encoding.ts";
import { Entry } from "#apiserver/cache/entry.ts";
import type { ServedResource } from "#apiserver/catalogue.ts";
import { Query } from "#apiserver/request.ts";
import { selectionOf, selects } from "./selection.ts";

const pods = { definition: Pod } as unknown as ServedResource;
const key = fc.constantFrom("a", "b", "example.com/c");
const value = fc.constantFrom("", "x", "y", "1", "2");
/** An empty value may stand before and after the others, but not twice in a row. */
const values = fc
  .tuple(fc.constantFrom("", ","), fc.array(fc.constantFrom("x", "y", "1"), { minLength: 1 }), fc.constantFrom("", ","))
  .map(([before, names, after]) => `(${before}${names.join(",")}${after})`);
const requirement = fc.oneof(
  fc.tuple(key, fc.constantFrom("=", "!=", ">", "<"), fc.constantFrom("1", "2")).map((parts) => parts.join("")),
  fc.tuple(key, fc.constantFrom("=", "!="), value).map((parts) => parts.join("")),
  fc.tuple(key, fc.constantFrom("in", "notin"), values).map((parts) => parts.join(" ")),
  key,
  key.map((name) => `!${name}`),
);
const pod = fc.record({
  labels: fc.option(fc.dictionary(key, value), { nil: undefined }),
  annotations: fc.option(fc.dictionary(key, value), { nil: undefined }),
  nodeName: fc.option(fc.constantFrom("n1", "n2"), { nil: undefined }),
});

describe("selection", () => {
  it.each(["none", "constructor", "__proto__"])("knows no field %s", (field) => {
    const query = Query.parse(new URLSearchParams({ fieldSelector: `${field}=x` }).toString());
    expect(() => selectionOf(pods, query)).toThrow(/field label not supported/);
  });

  it("selects from stored bytes what it selects from objects", () => {
    fc.assert(
      fc.property(
        fc.array(requirement, { maxLength: 3 }),
        fc.constantFrom("", "spec.nodeName=n1", "spec.nodeName=", "spec.nodeName!=n1"),
        pod,
        (labels, fields, { nodeName, ...metadata }) => {
          const query = new URLSearchParams({ labelSelector: labels.join(","), fieldSelector: fields });
          const selection = selectionOf(pods, Query.parse(query.toString()));
          const object = { kind: "Pod", apiVersion: "v1", metadata: { name: "p", ...metadata }, spec: { nodeName } };
          const stored = encodeStored(object as unknown as KubernetesObject);
          const entry = Entry.of("default/p", 7, stored);
          const expected = selection.matches(JSON.parse(stored.toString()) as KubernetesObject);
          expect(selects(selection, entry)).toBe(expected);
          if (!expected && selection.marks.length > 0 && !entry.holds(selection.marks))
            expect(entry.isDecoded).toBe(false);
        },
      ),
    );
  });
});
