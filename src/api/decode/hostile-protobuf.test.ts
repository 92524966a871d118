/** Bytes that are nearly protobuf: read, or refused with a text; nothing else comes of them. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { builtInType } from "#api/schema/built-in.ts";
import { arbitraryObject } from "#test/support/arbitrary-object.ts";
import { nestingDepthMax } from "./json-value.ts";
import { decodeProtobuf, encodeProtobuf, ProtobufError } from "./protobuf.ts";

const pod = builtInType("io.k8s.api.core.v1.Pod");
const definition = builtInType("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition");
const encodedPod = (members: object) => encodeProtobuf({ ...members, apiVersion: "v1", kind: "Pod" }, pod);

/** Reads, or says why not. */
function read(bytes: Uint8Array): string {
  try {
    decodeProtobuf(bytes, () => pod);
    return "read";
  } catch (error) {
    if (error instanceof ProtobufError) return "refused";
    throw error;
  }
}

describe("protobuf is read or refused", () => {
  test("of any bytes behind the mark", () => {
    const body = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(body, (bytes) => ["read", "refused"].includes(read(Buffer.concat([Buffer.from("k8s\0"), bytes])))),
    );
  });

  test("wherever it ends, and whichever of its bits is another", () => {
    const where = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(arbitraryObject(pod), where, fc.integer({ min: 0, max: 7 }), (members, at, bit) => {
        const bytes = Buffer.from(encodedPod(members));
        const index = Math.floor(at * bytes.length);
        read(bytes.subarray(0, index));
        bytes[index]! ^= 1 << bit;
        read(bytes);
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ["promises more than there is", [0x12, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ["promises less than nothing", [0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ["counts on without end", [0x12, ...Array<number>(20).fill(0xff)]],
    ["has a field of number zero", [0x12, 0x02, 0x02, 0x00]],
    ["ends a group that never began", [0x12, 0x01, 0x0c]],
    ["begins groups without end", [0x12, 0xc0, 0x84, 0x3d, ...Array<number>(1_000_000).fill(0x0b)]],
    ["was made after the year 9999", [0x12, 14, 0x0a, 12, 0x42, 10, 0x08, ...Array<number>(8).fill(0x80), 0x40]],
    ["has a type of field that is none", [0x12, 0x01, 0x0f]],
  ])("which %s", (_, bytes) => {
    expect(read(Buffer.from([...Buffer.from("k8s\0"), ...bytes]))).toBe("refused");
  });

  test("which is nested deeper than anything may be", () => {
    const nested = (depth: number) => {
      let schema: object = { type: "object" };
      for (let at = 0; at < depth; at += 1) schema = { not: schema };
      const versions = [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }];
      const object = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", spec: { versions } };
      return encodeProtobuf(object, definition);
    };
    expect(() => decodeProtobuf(nested(100), () => definition)).not.toThrow();
    expect(() => decodeProtobuf(nested(nestingDepthMax + 1), () => definition)).toThrow(ProtobufError);
  });
});
