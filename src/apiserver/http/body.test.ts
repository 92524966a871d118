import { Readable } from "node:stream";
import { deflateSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { StatusError } from "#api/status-error.ts";
import { readBody } from "./body.ts";

const limit = 64 * 1024;
const limits = { bytes: limit, ms: 60_000 };
const read = (bytes: Buffer, encoding?: string, length?: string) =>
  readBody(Readable.from([bytes]), length, encoding, limits);
const codeOf = (reading: Promise<unknown>) =>
  reading.then(
    () => 200,
    (error: StatusError) => error.status.code,
  );

describe("readBody", () => {
  const text = Buffer.from("x".repeat(1000));
  it.each([
    ["plain", text, undefined],
    ["identity", text, "identity"],
    ["gzip", gzipSync(text), "gzip"],
    ["deflate", deflateSync(text), " Deflate "],
    ["empty", Buffer.alloc(0), undefined],
  ])("reads %s", async (name, bytes, encoding) => {
    expect((await read(bytes, encoding)).toString()).toBe(name === "empty" ? "" : text.toString());
  });

  it.each([
    ["a body that is too long", Buffer.alloc(limit + 1), undefined, 413],
    ["a small body that becomes a large one", gzipSync(Buffer.alloc(50 * 1024 * 1024)), "gzip", 413],
    ["bytes that are no gzip", text, "gzip", 400],
    ["half a gzip", gzipSync(text).subarray(0, 15), "gzip", 400],
    ["an encoding nobody knows", text, "br", 415],
  ])("refuses %s", async (_name, bytes, encoding, code) => {
    expect(await codeOf(read(bytes, encoding))).toBe(code);
  });

  it("refuses by the length alone, before anything is read", async () => {
    const never = new Readable({ read() {} });
    expect(await codeOf(readBody(never, String(limit + 1), undefined, limits))).toBe(413);
  });

  it("fails when the client goes away in the middle", async () => {
    const input = new Readable({ read() {} });
    input.push("half");
    const reading = readBody(input, undefined, undefined, limits);
    input.destroy();
    await expect(reading).rejects.toThrow("went away");
  });
});
