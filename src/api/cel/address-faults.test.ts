import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress, parseCidr } from "#api/validation/ip.ts";
import { addressFault, prefixFault } from "./address-faults.ts";

describe("why a text is no address", () => {
  it.each<[string, string | undefined]>([
    ["1.2.3.4", undefined],
    ["::", undefined],
    ["fe80::1%eth0", undefined],
    ["::ffff:1.2.3.4", undefined],
    ["x", 'ParseAddr("x"): unable to parse IP'],
    ["1.2.3", 'ParseAddr("1.2.3"): IPv4 address too short'],
    ["1.2.3.4.5", 'ParseAddr("1.2.3.4.5"): IPv4 address too long'],
    ["1.2.3.256", 'ParseAddr("1.2.3.256"): IPv4 field has value >255'],
    ["1.02.3.4", 'ParseAddr("1.02.3.4"): IPv4 field has octet with leading zero'],
    ["1..2.3", 'ParseAddr("1..2.3"): IPv4 field must have at least one digit (at ".2.3")'],
    ["a.b", 'ParseAddr("a.b"): unexpected character (at "a.b")'],
    ["1:2", 'ParseAddr("1:2"): address string too short'],
    ["1::2::3", 'ParseAddr("1::2::3"): multiple :: in address (at ":3")'],
    ["12345::", 'ParseAddr("12345::"): each group must have 4 or less digits (at "12345::")'],
    ["1:2:", 'ParseAddr("1:2:"): colon must be followed by more characters (at ":")'],
    ["g::", 'ParseAddr("g::"): each colon-separated field must have at least one digit (at "g::")'],
    ["1:2:3:4:5:6:7:8:9", 'ParseAddr("1:2:3:4:5:6:7:8:9"): trailing garbage after address (at "9")'],
  ])("%s", (text, fault) => expect(addressFault(text)).toBe(fault));

  it.each<[string, string | undefined]>([
    ["10.0.0.0/8", undefined],
    ["x", `netip.ParsePrefix("x"): no '/'`],
    ["x/8", 'netip.ParsePrefix("x/8"): ParseAddr("x"): unable to parse IP'],
    ["1.2.3.4/33", 'netip.ParsePrefix("1.2.3.4/33"): prefix length out of range'],
    ["1.2.3.4/08", 'netip.ParsePrefix("1.2.3.4/08"): bad bits after slash: "08"'],
    ["fe80::%a/8", 'netip.ParsePrefix("fe80::%a/8"): IPv6 zones cannot be present in a prefix'],
  ])("or network: %s", (text, fault) => expect(prefixFault(text)).toBe(fault));

  it("what has none can be read", () => {
    const texts = fc.string({ unit: fc.constantFrom(..."0123f:.::..1/8"), maxLength: 24 });
    fc.assert(
      fc.property(fc.oneof(texts, fc.ipV4(), fc.ipV6()), (text) => {
        if (addressFault(text) === undefined) expect(parseAddress(text)).toBeDefined();
        if (prefixFault(text) === undefined) expect(parseCidr(text)).toBeDefined();
      }),
    );
  });
});
