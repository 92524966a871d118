import { describe, expect, it } from "vitest";
import type { OutgoingEvent } from "#apiserver/answer.ts";
import { protobufFrame } from "./protobuf-form.ts";

const eventOf = (type: OutgoingEvent["type"], object: object): OutgoingEvent => ({
  type,
  object: () => object,
  line: () => Buffer.from(""),
});
const secret = (name: string) => ({ kind: "Secret", apiVersion: "v1", metadata: { name } });

describe("protobufFrame", () => {
  it("encodes an event once for all that watch, and each of its forms by itself", () => {
    const object = secret("a");
    const first = protobufFrame(eventOf("ADDED", object));
    expect(protobufFrame(eventOf("ADDED", object))).toBe(first);
    const modified = protobufFrame(eventOf("MODIFIED", object));
    expect(modified.includes("MODIFIED")).toBe(true);
    expect(protobufFrame(eventOf("ADDED", object))).toEqual(first);
    expect(protobufFrame(eventOf("ADDED", secret("b"))).includes("b")).toBe(true);
  });

  it("keeps only the latest frames", () => {
    const object = secret("old");
    const first = protobufFrame(eventOf("ADDED", object));
    for (let at = 0; at < 200; at += 1) protobufFrame(eventOf("ADDED", secret(`${at}`)));
    const again = protobufFrame(eventOf("ADDED", object));
    expect(again).not.toBe(first);
    expect(again).toEqual(first);
  });
});
