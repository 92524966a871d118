import { duplexPair } from "node:stream";
import { expect, test } from "vitest";
import { SpdyConnection } from "./spdy.ts";
import { spdyDictionary } from "./spdy-dictionary.ts";
import { createInflate } from "node:zlib";

test("the dictionary is that of the draft", () => {
  expect(spdyDictionary).toHaveLength(1423);
  expect(spdyDictionary.subarray(0, 15).toString("latin1")).toBe("\0\0\0\x07options\0\0\0\x04");
});

test("a stream is opened with its headers, sends data and its end, and hears those of the other side", async () => {
  const [near, far] = duplexPair();
  const sent: Buffer[] = [];
  far.on("data", (chunk: Buffer) => void sent.push(chunk));
  const connection = new SpdyConnection(near, Buffer.alloc(0));
  const stream = await connection.open({ streamType: "stdin" });
  stream.write(Buffer.from("hello"));
  stream.end();
  const heard: string[] = [];
  stream.on("data", (data) => void heard.push(data.toString()));
  const ended = new Promise<void>((resolve) => stream.on("end", resolve));
  far.write(Buffer.from([0, 0, 0, 1, 0, 0, 0, 2, 104, 105]));
  far.write(Buffer.from([0, 0, 0, 1, 1, 0, 0, 0]));
  await ended;
  expect(heard).toEqual(["hi"]);
  const all = Buffer.concat(sent);
  expect([...all.subarray(0, 4)]).toEqual([0x80, 3, 0, 1]);
  const length = all.readUInt32BE(4) & 0xffffff;
  expect(await unpack(all.subarray(18, 8 + length))).toContain("streamtype");
  const rest = all.subarray(8 + length);
  expect([...rest.subarray(0, 13)]).toEqual([0, 0, 0, 1, 0, 0, 0, 5, ...Buffer.from("hello")]);
  expect([...rest.subarray(13)]).toEqual([0, 0, 0, 1, 1, 0, 0, 0]);
  connection.close();
});

function unpack(block: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const inflate = createInflate({ dictionary: spdyDictionary });
    inflate.once("data", (data: Buffer) => resolve(data.toString("latin1")));
    inflate.write(block);
  });
}
