import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { StatusError } from "#api/status-error.ts";
import { readBody } from "./body.ts";

const limit = 64 * 1024;
const limits = { bytes: limit, ms: 60_000 };
const read = (bytes: Buffer) => readBody(Readable.from([bytes]), undefined, limits);
const codeOf = (reading: Promise<unknown>) =>
  reading.then(
    () => 200,
    (error: StatusError) => error.status.code,
  );

describe("readBody", () => {
  it.each(["", "x".repeat(1000)])("reads what there is", async (text) => {
    expect((await read(Buffer.from(text))).toString()).toBe(text);
  });

  it("refuses a body that is too long", async () => {
    expect(await codeOf(read(Buffer.alloc(limit + 1)))).toBe(413);
  });

  it("refuses by the length alone, before anything is read", async () => {
    const never = new Readable({ read() {} });
    expect(await codeOf(readBody(never, String(limit + 1), limits))).toBe(413);
  });

  it("fails when the client goes away in the middle", async () => {
    const input = new Readable({ read() {} });
    input.push("half");
    const reading = readBody(input, undefined, limits);
    input.destroy();
    await expect(reading).rejects.toThrow("went away");
  });
});
