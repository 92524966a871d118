import { describe, expect, it } from "vitest";
import { JsonNumber } from "#api/decode/json-value.ts";
import type { KubernetesObject } from "#api/object.ts";
import { encodeStored } from "./encoding.ts";
import { Entry } from "./entry.ts";

const object = (metadata: Record<string, unknown>, kind = "ConfigMap") => ({
  data: { a: '"metadata":{' },
  metadata,
  apiVersion: "v1",
  kind,
});

describe("Entry", () => {
  it.each([
    ["with metadata", object({ name: "a", labels: { b: "c" } })],
    ["without metadata fields", object({})],
    ["with a version of its own", object({ name: "a", resourceVersion: "999" })],
    ["with a mark in its kind", object({ name: "a" }, '"metadata":{')],
  ])("puts the revision into an object %s", (_name, value) => {
    const entry = Entry.of("k", 7, encodeStored(value));
    const { resourceVersion: _, ...metadata } = value.metadata;
    const expected = { ...value, metadata: { ...metadata, resourceVersion: "7" } };
    expect(JSON.parse(entry.bytes.toString())).toEqual(expected);
    expect(entry.byteLength).toBe(entry.bytes.byteLength);
    expect(entry.object).toEqual(expected);
    expect(JSON.parse(entry.metadataBytes().toString())).toEqual(expected.metadata);
    const later = entry.under(1000);
    expect(later.object.metadata.resourceVersion).toBe("1000");
    expect(later.object).toEqual({ ...expected, metadata: { ...expected.metadata, resourceVersion: "1000" } });
  });

  it("keeps integers that a double cannot hold", () => {
    const value = { ...object({ name: "a" }), id: new JsonNumber("9007199254740993") };
    const entry = Entry.of("k", 7, encodeStored(value));
    expect(JSON.stringify(entry.object)).toContain('"id":9007199254740993');
    expect(encodeStored(entry.object)).toEqual(encodeStored(value));
  });

  it.each([
    ["braces and quotes in strings", { name: "a", annotations: { b: 'a "quoted" } brace \\', '{"c': "}" } }],
    ["objects and lists", { managedFields: [{ fieldsV1: { 'k:{"name":"x"}': { ".": {} } } }], finalizers: [] }],
    ["letters of many bytes", { annotations: { ü: "ß€𝄞" } }],
    ["nothing", {}],
  ])("cuts out metadata with %s", (_name, metadata) => {
    const stored = encodeStored({ ...object(metadata), spec: { a: {} } } as unknown as KubernetesObject);
    const cut = (entry: Entry) => JSON.parse(entry.metadataBytes().toString()) as unknown;
    expect(cut(Entry.of("k", 99, stored))).toEqual({ ...metadata, resourceVersion: "99" });
    expect(cut(Entry.unversioned("k", stored))).toEqual(metadata);
  });

  it("leaves an object that was never written without a version", () => {
    expect(Entry.unversioned("k", encodeStored(object({ name: "a" }))).object.metadata.resourceVersion).toBeUndefined();
  });

  it("finds strings by the name of their member, wherever it is, but not within strings", () => {
    const text = JSON.stringify({ nodeName: "in-text" });
    const stored = encodeStored({
      ...object({ name: "a", annotations: { text, nodeName: "in-annotations" } }),
      spec: { nodeName: "in-spec", other: "nodeName" },
    } as KubernetesObject);
    expect(Entry.of("k", 7, stored).stringsNamed("nodeName")).toEqual(["in-annotations", "in-spec"]);
    expect(Entry.of("k", 7, stored).stringsNamed("hostIP")).toEqual([]);
  });
});
