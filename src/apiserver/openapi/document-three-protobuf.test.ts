import { describe, expect, test } from "vitest";
import { encodeDocumentThree } from "./document-three-protobuf.ts";

/** What a reader without a schema sees: field numbers with numbers, texts that are no messages, and messages. */
function read(bytes: Buffer): Record<number, unknown[]> {
  const fields: Record<number, unknown[]> = {};
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const known = (fields[tag >> 3] ??= []);
    if ((tag & 7) === 0) known.push(varint());
    else if ((tag & 7) === 1) known.push(bytes.readDoubleLE((at += 8) - 8));
    else {
      const length = varint();
      known.push(Buffer.from(bytes.subarray(at, (at += length))));
    }
  }
  return fields;
}

/** Follows field numbers down to a value. */
function at(bytes: Buffer, ...path: number[]): unknown {
  let value: unknown = bytes;
  for (const field of path) value = read(value as Buffer)[field]?.[0];
  return Buffer.isBuffer(value) ? value.toString("utf8") : value;
}

const withSchema = (schema: object) => encodeDocumentThree({ components: { schemas: { A: schema } } });
/** components > schemas > named > value > schema */
const inSchema = [5, 1, 1, 2, 1];

describe("version 3 as protobuf", () => {
  test("an operation has its parameters, body, answers by code and extensions", () => {
    const get = {
      operationId: "getA",
      parameters: [{ name: "pretty", in: "query", schema: { type: "string", uniqueItems: true } }],
      requestBody: { required: true, content: { "a/b": { schema: { $ref: "#/x" } } } },
      responses: { 200: { description: "OK" } },
      "x-kubernetes-action": "get",
    };
    const bytes = encodeDocumentThree({
      openapi: "3.0.0",
      info: { title: "t", version: "v" },
      paths: { "/a": { get } },
    });
    const operation = [4, 1, 2, 4];
    expect(at(bytes, 1)).toBe("3.0.0");
    expect([at(bytes, 2, 1), at(bytes, 2, 6)]).toEqual(["t", "v"]);
    expect(at(bytes, 4, 1, 1)).toBe("/a");
    expect(at(bytes, ...operation, 5)).toBe("getA");
    expect(at(bytes, ...operation, 6, 1, 1)).toBe("pretty");
    expect(at(bytes, ...operation, 6, 1, 10, 1, 20)).toBe(1);
    expect(at(bytes, ...operation, 7, 1, 2, 1, 2, 1, 2, 1)).toBe("#/x");
    expect(at(bytes, ...operation, 8, 2, 1)).toBe("200");
    expect(at(bytes, ...operation, 8, 2, 2, 1, 1)).toBe("OK");
    expect(at(bytes, ...operation, 13, 2, 2)).toBe('"get"');
  });

  test.each<[object, number[], unknown]>([
    [{ type: "object" }, [25], "object"],
    [{ properties: { b: { type: "string" } } }, [31, 1, 2, 1, 25], "string"],
    [{ items: { $ref: "#/y" } }, [30, 1, 2, 1], "#/y"],
    [{ allOf: [{ $ref: "#/z" }] }, [26, 2, 1], "#/z"],
    [{ additionalProperties: false }, [32, 2], 0],
    [{ additionalProperties: { type: "integer" } }, [32, 1, 1, 25], "integer"],
    [{ default: "" }, [33, 3], ""],
    [{ default: 0 }, [33, 1], 0],
    [{ default: false }, [33, 2], 0],
    [{ default: {} }, [33], ""],
    [{ enum: ["x"] }, [24, 2], '"x"'],
    [{ minimum: 1.5 }, [13], 1.5],
    [{ required: ["r"] }, [23], "r"],
    [{ format: "int32", description: "d" }, [35], "int32"],
  ])("a schema's %j is there", (schema, path, value) => {
    expect(at(withSchema(schema), ...inSchema, ...path)).toBe(value);
  });
});
