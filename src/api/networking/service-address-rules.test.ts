import { describe, expect, it } from "vitest";
import { ipAddressName, serviceCidrErrors } from "./service-address-rules.ts";

const cidr = (...cidrs: string[]) => ({ metadata: {}, spec: { cidrs } });
const texts = (now: string[], old?: string[]) =>
  serviceCidrErrors(cidr(...now), old && cidr(...old)).map(({ field, message }) => `${field}: ${message}`);

describe("addresses of services", () => {
  it.each([
    ["10.0.0.1", []],
    ["2001:db8::17", []],
    ["2001:DB8::0:17", ['must be in canonical form ("2001:db8::17")']],
    ["010.0.0.1", ["must not have leading 0s"]],
    ["abc", ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]],
  ])("the name %s of an address has these faults", (name, faults) =>
    expect(ipAddressName(name, false)).toEqual(faults),
  );

  it.each([
    [["10.0.0.0/8", "2001:db8::/64"], []],
    [[], ["spec.cidrs: Required value: at least one CIDR required"]],
    [
      ["10.0.0.1/8", "abc"],
      [
        'spec.cidrs: Invalid value: ["10.0.0.1/8","abc"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
      ],
    ],
    [["2001:DB8::/64"], ['spec.cidrs[0]: Invalid value: "2001:DB8::/64": must be in canonical form ("2001:db8::/64")']],
  ])("new ranges %j have these faults", (ranges, faults) => expect(texts(ranges)).toEqual(faults));

  it("a second range may join the first, which stays", () => {
    expect(texts(["10.0.0.0/8", "2001:db8::/64"], ["10.0.0.0/8"])).toEqual([]);
    expect(texts(["11.0.0.0/8", "2001:db8::/64"], ["10.0.0.0/8"])).toHaveLength(1);
    expect(texts(["11.0.0.0/8"], ["10.0.0.0/8"])).toHaveLength(1);
  });
});
