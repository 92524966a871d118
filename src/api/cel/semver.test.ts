import { describe, expect, it } from "vitest";
import { compareSemver, parseSemver } from "./semver.ts";
import { CelError } from "./value.ts";

function faultOf(text: string, normalizes = false): string | undefined {
  try {
    parseSemver(text, normalizes);
    return undefined;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return error.message;
  }
}

describe("a semantic version", () => {
  it.each<[string, string | undefined]>([
    ["1.2.3-rc.1+b-1", undefined],
    ["", "Version string empty"],
    ["1.2", "No Major.Minor.Patch elements found"],
    ["v1.2.3", 'Invalid character(s) found in major number "v1"'],
    ["1.x.3", 'Invalid character(s) found in minor number "x"'],
    ["1.02.3", 'Minor number must not contain leading zeroes "02"'],
    ["1.2.3.4", 'Invalid character(s) found in patch number "3.4"'],
    ["1.2.", 'strconv.ParseUint: parsing "": invalid syntax'],
    ["1.2.3-", "Prerelease is empty"],
    ["1.2.3-01", 'Numeric PreRelease version must not contain leading zeroes "01"'],
    ["1.2.3-a_b", 'Invalid character(s) found in prerelease "a_b"'],
    ["1.2.3+a..b", "Build meta data is empty"],
    ["1.2.3+a_b", 'Invalid character(s) found in build meta data "a_b"'],
    ["99999999999999999999.0.0", 'strconv.ParseUint: parsing "99999999999999999999": value out of range'],
  ])("%s is told why it is none", (text, fault) => expect(faultOf(text)).toBe(fault));

  it.each<[string, string | undefined]>([
    ["v1", undefined],
    ["01.002.0003-x", undefined],
    ["v1.2-rc", "short version cannot contain PreRelease/Build meta data"],
    ["x", 'Invalid character(s) found in major number "x"'],
  ])("%s is forgiven, or not", (text, fault) => expect(faultOf(text, true)).toBe(fault));

  it("comes after its own candidates", () => {
    const of = (a: string, b: string) => compareSemver(parseSemver(a, true), parseSemver(b, true));
    expect([
      of("1.2.3-rc.1", "1.2.3"),
      of("1.2.3-rc.2", "1.2.3-rc.10"),
      of("v1", "1.0.0"),
      of("2.0.0", "1.9.9"),
    ]).toEqual([-1, -1, 0, 1]);
  });
});
