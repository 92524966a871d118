import { isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressText, contains, parseAddress, parseCidr } from "./cidr.ts";

describe("ranges of addresses", () => {
  it.each([
    ["10.43.0.0/16", "10.43.0.0", 65_536n],
    ["10.43.1.2/16", "10.43.0.0", 65_536n],
    ["10.0.0.1/32", "10.0.0.1", 1n],
    ["0.0.0.0/0", "0.0.0.0", 4_294_967_296n],
    ["fd00::/120", "fd00::", 256n],
  ])("%s", (text, base, size) => {
    const cidr = parseCidr(text)!;
    expect([addressText(cidr.base, cidr.family), cidr.size]).toEqual([base, size]);
  });

  it.each(["", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "10.0.0.0/", "10.0.0.0/-1", "a/8"])(
    "refuses %j",
    (text) => {
      expect(parseCidr(text)).toBeUndefined();
    },
  );

  it.each([
    ["10.43.0.0/16", "10.43.255.255", true],
    ["10.43.0.0/16", "10.44.0.0", false],
    ["10.43.0.0/16", "fd00::1", false],
    ["fd00::/120", "fd00::ff", true],
    ["fd00::/120", "fd00::1:0", false],
    ["10.43.0.0/16", "None", false],
  ])("%s has %s: %s", (range, address, expected) => {
    expect(contains(parseCidr(range)!, address)).toBe(expected);
  });

  it("reads back what it writes", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), (value) => {
        const text = addressText(value, 6);
        expect(isIPv6(text)).toBe(true);
        expect(parseAddress(text)).toBe(value);
        expect(parseAddress(addressText(value & 0xffffffffn, 4))).toBe(value & 0xffffffffn);
      }),
    );
  });

  it.each([
    ["::", "::"],
    ["::1", "::1"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["::ffff:1.2.3.4", "::ffff:102:304"],
  ])("%s in its shortest form", (text, expected) => {
    expect(addressText(parseAddress(text)!, 6)).toBe(expected);
  });
});
