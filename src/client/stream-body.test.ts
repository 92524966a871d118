import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { bodyOf } from "./stream-body.ts";

const textOf = async (body: AsyncIterable<Uint8Array>) => Buffer.concat(await Array.fromAsync(body)).toString("utf8");

test("a body is whole, also when its stream closes before anybody reads", async () => {
  const stream = new PassThrough();
  const body = bodyOf(stream);
  stream.write("one ");
  stream.end("two");
  // An HTTP/2 stream says so of itself as soon as its peer is done.
  Object.defineProperty(stream, "closed", { value: true });
  await new Promise((resolve) => setImmediate(resolve));
  expect(await textOf(body)).toBe("one two");
});

test("a body that breaks off throws", async () => {
  const stream = new PassThrough();
  const body = bodyOf(stream);
  stream.write("one");
  setImmediate(() => stream.destroy());
  await expect(textOf(body)).rejects.toThrow("in the middle of an answer");
});

test("a reader that leaves ends the stream", async () => {
  const stream = new PassThrough();
  stream.write("one");
  for await (const piece of bodyOf(stream)) if (piece.length > 0) break;
  expect(stream.destroyed).toBe(true);
});
