/** What is left of an object whose fields are taken out. */
import { expect, test } from "vitest";
import { builtInType } from "#api/schema/built-in.ts";
import { setOfPath } from "./field-set.ts";
import { removeFields } from "./typed-merge.ts";
import { schemaOfStruct } from "./updater.ts";

const pods = schemaOfStruct(builtInType("io.k8s.api.core.v1.Pod"));
const pod = { metadata: { labels: { a: "1" }, finalizers: ["x.io/f"] }, spec: { hostname: "h" } };

test("a map or list that loses the last of its own stays, empty", () => {
  expect(removeFields(pods, pod, setOfPath(["f:metadata", "f:labels", "f:a"]))).toEqual({
    ...pod,
    metadata: { ...pod.metadata, labels: {} },
  });
  expect(removeFields(pods, pod, setOfPath(["f:metadata", "f:finalizers", 'v:"x.io/f"']))).toEqual({
    ...pod,
    metadata: { ...pod.metadata, finalizers: [] },
  });
});

test("a field that is named goes with all it has", () => {
  expect(removeFields(pods, pod, setOfPath(["f:metadata"]))).toEqual({ spec: pod.spec });
});
