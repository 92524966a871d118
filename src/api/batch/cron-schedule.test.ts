import { describe, expect, test } from "vitest";
import { scheduleFault, timeZoneFault } from "./cron-schedule.ts";

describe("cron schedule", () => {
  test.each([
    "* * * * *",
    "*/5\t* * * *",
    "0 0 * JAN-MAR,dec MON-Fri",
    "0 0 ? * ?",
    "1, * * * *",
    "5/15 * * * *",
    "@every 1h30m",
    "@midnight",
  ])("%j is one", (text) => expect(scheduleFault(text)).toBeUndefined());
  test.each([
    ["* * * *", "expected exactly 5 fields, found 4: [* * * *]"],
    ["0 24 * * *", "end of range (24) above maximum (23): 24"],
    ["0 0 0 * *", "beginning of range (0) below minimum (1): 0"],
    ["*/0 * * * *", "step of range should be a positive number: */0"],
    ["0 0 * * FRI-MON", "beginning of range (5) beyond end of range (1): FRI-MON"],
    ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
    ["1/2/3 * * * *", "too many slashes: 1/2/3"],
    ["x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
    [
      "constructor * * * *",
      'failed to parse int from constructor: strconv.Atoi: parsing "constructor": invalid syntax',
    ],
    [
      "99999999999999999999 * * * *",
      'failed to parse int from 99999999999999999999: strconv.Atoi: parsing "99999999999999999999": value out of range',
    ],
    ["@every 1.5.5h", 'failed to parse duration @every 1.5.5h: time: missing unit in duration "1.5.5h"'],
    ["@every 5x", 'failed to parse duration @every 5x: time: unknown unit "x" in duration "5x"'],
    ["@DAILY", "unrecognized descriptor: @DAILY"],
    ["@every 9999999h", 'failed to parse duration @every 9999999h: time: invalid duration "9999999h"'],
    ["@every often", 'failed to parse duration @every often: time: invalid duration "often"'],
    ["TZ=Mars/Base 0 0 * * *", "provided bad location Mars/Base: unknown time zone Mars/Base"],
  ])("%j is none: %s", (text, fault) => expect(scheduleFault(text)).toBe(fault));
  test.each([
    ["Europe/Zurich", true],
    ["Etc/GMT+5", true],
    ["CET", true],
    ["US/Pacific", true],
    ["US/Pacific-New", false],
    ["US/pacific", false],
    ["Us/Pacific", false],
    ["PST", false],
    ["Cet", false],
    ["Africa", false],
    ["Local", true],
    ["local", false],
    ["america/new_york", false],
    ["+01:00", false],
    ["Europe/ Zurich", false],
  ])("time zone %j: %s", (zone, isZone) => expect(timeZoneFault(zone) === undefined).toBe(isZone));
});
