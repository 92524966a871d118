import { expect, test } from "vitest";
import { encodeDocument } from "./document-protobuf.ts";

test("a document is nested messages: field and length before each", () => {
  const definitions = { A: { type: "string" } };
  // 0a: swagger; 12: info; 42: paths; 4a: definitions > 0a: named > (0a: name, 12: schema > b2 01: type > 0a: value)
  expect(encodeDocument({ swagger: "2.0", definitions }).toString("hex")).toBe(
    "0a03322e30" +
      "1200" +
      "4200" +
      "4a12" +
      "0a10" +
      "0a0141" +
      "120b" +
      "b20108" +
      "0a06737472696e67" +
      "5200" +
      "6a00",
  );
});

test("an operation tells its answers by code, a schema its limits", () => {
  const answers = { 200: { description: "OK", schema: { minimum: 1, maxLength: 300 } } };
  const hex = encodeDocument({ paths: { "/a": { get: { responses: answers } } } }).toString("hex");
  // 4a: responses > 0a: named > (0a: "200", 12: value > 0a: response > (0a: "OK", 12: schema > 0a > (49: 1.0, 58: 300)))
  const limits = "49000000000000f03f" + "58ac02";
  expect(hex).toContain("4a1f0a1d" + "0a03323030" + "1216" + "0a14" + "0a024f4b" + "120e0a0c" + limits);
});
