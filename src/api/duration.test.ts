import { describe, expect, it } from "vitest";
import { durationMs, durationText, parseDuration, parseWordDuration } from "./duration.ts";

describe("durations", () => {
  it.each<[string, bigint | string]>([
    ["0", 0n],
    ["-0", 0n],
    ["1h30m", 5_400_000_000_000n],
    ["-1.5s", -1_500_000_000n],
    [".5ms", 500_000n],
    ["1.s", 1_000_000_000n],
    ["1µs1us1μs", 3_000n],
    ["1.9ns", 1n],
    ["9223372036854775807ns", 9_223_372_036_854_775_807n],
    ["-9223372036854775808ns", -9_223_372_036_854_775_808n],
    ["9223372036854775808ns", 'time: invalid duration "9223372036854775808ns"'],
    ["2562048h", 'time: invalid duration "2562048h"'],
    ["", 'time: invalid duration ""'],
    ["-", 'time: invalid duration "-"'],
    [".s", 'time: invalid duration ".s"'],
    ["s", 'time: invalid duration "s"'],
    ["5", 'time: missing unit in duration "5"'],
    ["1h5", 'time: missing unit in duration "1h5"'],
    ["1d", 'time: unknown unit "d" in duration "1d"'],
    ["1 s", 'time: unknown unit " s" in duration "1 s"'],
    ["1constructor", 'time: unknown unit "constructor" in duration "1constructor"'],
  ])("reads %j", (text, expected) => expect(parseDuration(text)).toBe(expected));

  it("are milliseconds where that is asked for", () => {
    expect(["1m0.25s", "1ns", "x", undefined].map(durationMs)).toEqual([60_250, 1e-6, undefined, undefined]);
  });

  it.each([
    [0, "0s"],
    [250, "250ms"],
    [1_500, "1.5s"],
    [80_000, "1m20s"],
    [300_000, "5m0s"],
    [3_660_000, "1h1m0s"],
  ])("writes %d ms as %s", (ms, text) => expect(durationText(ms)).toBe(text));

  it.each<[string, bigint | undefined]>([
    ["5 days 3Hours", 442_800_000_000_000n],
    ["1w 1 µs", 604_800_000_001_000n],
    ["2 fortnights", undefined],
    ["days", undefined],
  ])("reads words: %j", (text, expected) => expect(parseWordDuration(text)).toBe(expected));
});
