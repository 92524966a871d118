import { describe, expect, test } from "vitest";
import { canonicalMicroTime, canonicalTime } from "./go-time.ts";

describe("times", () => {
  test.each([
    ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"],
    ["2024-02-29T23:59:59.999Z", "2024-02-29T23:59:59Z"],
    ["2024-01-01T01:00:00+01:00", "2024-01-01T00:00:00Z"],
    ["0001-01-01T00:00:00Z", null],
  ])("%s is %s", (text, canonical) => expect(canonicalTime(text)).toBe(canonical));

  test("micro times have six digits", () => {
    expect(canonicalMicroTime("2024-01-01T00:00:00.123456Z")).toBe("2024-01-01T00:00:00.123456Z");
    expect(() => canonicalMicroTime("2024-01-01T00:00:00Z")).toThrow(
      'parsing time "2024-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
    );
  });

  test.each([
    ["yesterday", 'cannot parse "yesterday" as "2006"'],
    ["2024/01/01", 'cannot parse "/01/01" as "-"'],
    ["2024-13-01T00:00:00Z", "month out of range"],
    ["2023-02-29T00:00:00Z", "day out of range"],
    ["2024-01-01T00:00:00", 'cannot parse "" as "Z07:00"'],
    ["2024-01-01T00:00:00Zx", 'extra text: "x"'],
  ])("%s is refused in Go's words", (text, message) => expect(() => canonicalTime(text)).toThrow(message));
});
