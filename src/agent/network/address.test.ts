import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cidrContains,
  formatAddress,
  formatCidr,
  isSpecialAddress,
  minimalRanges,
  parseAddress,
  parseCidr,
  parseReverseName,
  reverseName,
} from "./address.ts";

describe("addresses", () => {
  test.each([
    ["10.42.0.7", "10.42.0.7"],
    ["fd00:0:0:0:0:0:0:1", "fd00::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["::ffff:10.0.0.1", "::ffff:a00:1"],
    ["::", "::"],
  ])("%s is written %s", (text, short) => {
    expect(formatAddress(parseAddress(text)!)).toBe(short);
  });

  test.each(["", "10.42.0", "10.42.0.256", "fe80::1%eth0", "web"])("%j is no address", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test("what is written is read as the same address", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), (value) => {
        const address = { family: "ip6", value } as const;
        expect(parseAddress(formatAddress(address))).toEqual(address);
        expect(parseReverseName(reverseName(address))).toEqual(address);
      }),
    );
  });

  test.each(["127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "::1", "fe80::1", "::ffff:127.0.0.1"])(
    "%s is no target",
    (text) => expect(isSpecialAddress(parseAddress(text)!)).toBe(true),
  );
});

describe("ranges", () => {
  test.each([
    ["10.42.3.9/24", "10.42.3.0/24"],
    ["10.42.3.9", "10.42.3.9/32"],
    ["fd00::7/64", "fd00::/64"],
    ["0.0.0.0/0", "0.0.0.0/0"],
  ])("%s is %s", (text, range) => expect(formatCidr(parseCidr(text)!)).toBe(range));

  test.each(["10.42.3.0/33", "10.42.3.0/-1", "10.42.3.0/2/4", "a/8"])("%s is no range", (text) =>
    expect(parseCidr(text)).toBeUndefined(),
  );

  test("families never contain each other", () => {
    expect(cidrContains(parseCidr("0.0.0.0/0")!, parseAddress("fd00::1")!)).toBe(false);
  });

  test("ranges that others cover are left out", () => {
    expect(minimalRanges(["10.0.0.1/32", "10.0.0.0/8", "10.1.0.0/16", "x", "192.168.0.1/32"])).toEqual([
      "10.0.0.0/8",
      "192.168.0.1",
    ]);
  });
});
