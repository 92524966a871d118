import { describe, expect, it } from "vitest";
import { namespaceFinalizerErrors } from "./namespace.ts";

describe("finalizers of namespaces", () => {
  it.each([
    ["kubernetes", 0],
    ["orphan", 0],
    ["foregroundDeletion", 0],
    ["example.com/x", 0],
    ["other", 1],
    ["not good", 2],
  ])("%s has %i faults", (finalizer, count) => {
    expect(namespaceFinalizerErrors(finalizer, "f")).toHaveLength(count);
  });
});
