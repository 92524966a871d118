import { describe, expect, test } from "vitest";
import { parentManagedFields, scaleManagedFields } from "./scale.ts";

const mapping = { apiVersion: "apps/v1", replicasPaths: { "apps/v1": ["spec", "replicas"] } };
const entry = (manager: string, operation: string, fieldsV1: Record<string, unknown>, apiVersion = "apps/v1") => ({
  manager,
  operation,
  apiVersion,
  fieldsType: "FieldsV1",
  fieldsV1,
});
const replicas = { "f:spec": { "f:replicas": {} } };
const entries = [
  entry("one", "Apply", { "f:spec": { "f:replicas": {}, "f:paused": {} } }),
  entry("two", "Update", { "f:metadata": { "f:labels": {} } }),
];

describe("managedFields of a Scale", () => {
  test("only owners of the replica count are shown, in autoscaling/v1", () => {
    expect(scaleManagedFields(entries, mapping)).toEqual([entry("one", "Apply", replicas, "autoscaling/v1")]);
  });

  test("who takes the count through the Scale takes it from the object", () => {
    const after = [{ ...entry("hpa", "Update", replicas, "autoscaling/v1"), subresource: "scale", time: "t" }];
    expect(parentManagedFields(entries, after, mapping)).toEqual([
      entry("one", "Apply", { "f:spec": { "f:paused": {} } }),
      { ...entry("hpa", "Update", replicas), subresource: "scale" },
      entry("two", "Update", { "f:metadata": { "f:labels": {} } }),
    ]);
  });

  test("owners that stay owners keep their entry", () => {
    expect(parentManagedFields(entries, scaleManagedFields(entries, mapping), mapping)).toEqual(entries);
  });
});
