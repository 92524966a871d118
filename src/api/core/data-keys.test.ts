import { describe, expect, it } from "vitest";
import { fieldErrorText } from "#api/validation/field-errors.ts";
import { ConfigMap } from "./config-map.ts";
import { dataBytesMax, immutableDataErrors } from "./data-keys.ts";
import { Secret } from "./secret.ts";

const context = { now: 0, user: { name: "u", groups: [] }, dryRun: false };
const metadata = { name: "n" };

describe("config maps and secrets", () => {
  it("keys come one by one, each with all its faults", () => {
    const map = { metadata, data: { "a b": "1", c: "2" }, binaryData: { "a b": "", "d/e": "" } };
    expect(
      ConfigMap.validate!(map, undefined, context).map(({ field, message }) => [field, message.slice(-30)]),
    ).toEqual([
      ["data[a b]", expect.any(String)],
      ["data[a b]", "duplicate of key present in binaryData".slice(-30)],
      ["binaryData[a b]", expect.any(String)],
      ["binaryData[d/e]", expect.any(String)],
    ]);
  });

  it("all values together have a limit", () => {
    const bytes = Buffer.alloc(dataBytesMax);
    const map = { metadata, data: { a: "x" }, binaryData: { b: bytes.toString("base64") } };
    expect(ConfigMap.validate!(map, undefined, context).map(fieldErrorText)).toEqual([
      "[]: Too long: may not be more than 1048576 bytes",
    ]);
    const secret = { metadata, data: { b: bytes.toString("base64") } };
    expect(Secret.validate!(secret, undefined, context)).toEqual([]);
  });

  it("what is immutable stays, and an empty value is a value", () => {
    const old = { immutable: true, data: { a: "1" } };
    const texts = (now: { immutable?: boolean; data?: Record<string, string> }) =>
      immutableDataErrors(now, old, ["data"]).map(({ field }) => field);
    expect(texts(old)).toEqual([]);
    expect(texts({ immutable: true, data: { a: "1", b: "" } })).toEqual(["data"]);
    expect(texts({ immutable: true, data: { b: "" } })).toEqual(["data"]);
    expect(texts({})).toEqual(["immutable", "data"]);
  });
});
