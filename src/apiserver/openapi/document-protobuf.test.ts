import { expect, test } from "vitest";
import { encodeDocument } from "./document-protobuf.ts";

test("a document is nested messages: field and length before each", () => {
  const definitions = { A: { type: "string" } };
  // 0a: swagger; 12: info; 42: paths; 4a: definitions > 0a: named > (0a: name, 12: schema > b2 01: type > 0a: value)
  expect(encodeDocument({ swagger: "2.0", definitions }).toString("hex")).toBe(
    "0a03322e30" + "1200" + "4200" + "4a12" + "0a10" + "0a0141" + "120b" + "b20108" + "0a06737472696e67" + "5200",
  );
});
