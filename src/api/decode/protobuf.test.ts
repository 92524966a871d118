import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { builtInType } from "#api/schema/built-in.ts";
import { arbitraryObject } from "#test/support/arbitrary-object.ts";
import { decodeBody } from "./decode.ts";
import { JsonNumber } from "./json-value.ts";
import { decodeProtobuf, encodeProtobuf } from "./protobuf.ts";
import { WireReader, WireWriter } from "./protobuf-wire.ts";

describe("protobuf", () => {
  test.each([
    ["core.v1.Pod", "", "Pod"],
    ["core.v1.Service", "", "Service"],
    ["core.v1.Secret", "", "Secret"],
    ["apps.v1.Deployment", "apps", "Deployment"],
    ["coordination.v1.Lease", "coordination.k8s.io", "Lease"],
    ["rbac.v1.Role", "rbac.authorization.k8s.io", "Role"],
  ])("what was encoded as %s decodes to the same", (type, group, kind) => {
    const struct = builtInType(`io.k8s.api.${type}`);
    const expected = { group, version: "v1", kind, struct };
    const apiVersion = group === "" ? "v1" : `${group}/v1`;
    fc.assert(
      fc.property(arbitraryObject(struct), (members) => {
        const object = { ...members, kind, apiVersion };
        const { object: back } = decodeBody(
          { format: "protobuf", bytes: encodeProtobuf(object, struct) },
          expected,
          "Strict",
        );
        expect(back).toEqual(object);
      }),
      { numRuns: 40 },
    );
  });

  test("the verbs of a resource in discovery are a message of their own", () => {
    const list = builtInType("io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList");
    const value = {
      kind: "APIResourceList",
      apiVersion: "v1",
      groupVersion: "v1",
      resources: [{ verbs: ["get", "a"] }],
    };
    const bytes = encodeProtobuf(value, list);
    expect(bytes.includes(Buffer.from("\x22\x08\x0a\x03get\x0a\x01a", "latin1"))).toBe(true);
    const [resource] = decodeProtobuf(bytes, () => list).value["resources"] as { verbs: string[] }[];
    expect(resource!.verbs).toEqual(["get", "a"]);
  });

  test("numbers of 64 bits keep their sign", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const writer = new WireWriter();
        writer.varint(value);
        expect(new WireReader(writer.finish()).varint()).toBe(value);
      }),
    );
  });

  test("those that a double cannot hold too", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const writer = new WireWriter();
        writer.integer(new JsonNumber(String(value)));
        expect(String(new WireReader(writer.finish()).integer())).toBe(String(value));
      }),
    );
  });

  const struct = builtInType("io.k8s.api.core.v1.Pod");
  test.each([
    ["", "empty data"],
    ["not protobuf", "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"],
    ["k8s\0\xff\xff\xff\xff\xff\xff", "unexpected EOF"],
    ["k8s\0\x12\x7f", "unexpected EOF"],
    ["k8s\0\x07", "proto: Unknown: illegal tag 0 (wire type 7)"],
    ["k8s\0\x12\x01\x0f", "proto: wrong wireType = 7 for field ObjectMeta"],
    ["k8s\0\x12\x01\x07", "proto: Pod: illegal tag 0 (wire type 7)"],
    ["k8s\0\x12\x01\x0c", "proto: Pod: wiretype end group for non-group"],
  ])("%j is refused", (text, message) => {
    expect(() => decodeProtobuf(Buffer.from(text, "latin1"), () => struct)).toThrow(message);
  });

  test("a message cut off inside its object is refused", () => {
    const bytes = encodeProtobuf({ kind: "Pod", apiVersion: "v1", metadata: { name: "a" } } as object, struct);
    for (let length = 16; length < bytes.length - 4; length++) {
      expect(() => decodeProtobuf(bytes.subarray(0, length), () => struct)).toThrow();
    }
  });

  test("what generated Go code wrote is written the same, with every field that is no pointer", () => {
    const pod = Buffer.from(
      "azhzAAoJCgJ2MRIDUG9kEmIKEQoBYRIAGgAiACoAMgA4AEIAEjgSGgoBYxIBeCoAQgBqAHIAgAEAiAEAkAEAogEAGgAyAEIASgBSAFgAYABoAIIBAIoBAJoBAMIBABoTCgAaACIAKgAyAEoAWgByAIgBABoAIgA=",
      "base64",
    );
    const struct = builtInType("io.k8s.api.core.v1.Pod");
    expect(encodeProtobuf(decodeProtobuf(pod, () => struct).value, struct)).toEqual(pod);
    const { object } = decodeBody(
      { format: "protobuf", bytes: pod },
      { group: "", version: "v1", kind: "Pod", struct },
      "Strict",
    );
    expect(encodeProtobuf(object, struct)).toEqual(pod);
  });
});
