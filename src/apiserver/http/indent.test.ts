import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { indented } from "./indent.ts";

const text = (pieces: Iterable<Uint8Array>) => Buffer.concat([...indented(pieces)]).toString();

describe("indented", () => {
  it("gives what JSON.stringify gives, however the text was cut", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 20 }), (value, size) => {
        const bytes = Buffer.from(JSON.stringify(value));
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
          bytes.subarray(at * size, (at + 1) * size),
        );
        expect(text(pieces)).toBe(`${JSON.stringify(value, undefined, 2)}\n`);
      }),
    );
  });

  it("keeps numbers as they are written, and one newline at the end", () => {
    expect(text([Buffer.from('{"a":12345678901234567890,"b":[1.0]}\n')])).toBe(
      '{\n  "a": 12345678901234567890,\n  "b": [\n    1.0\n  ]\n}\n',
    );
  });
});
