import { expect, it } from "vitest";
import { nonSpecialIpErrors } from "./ip.ts";

it.each([
  ["10.1.2.3", []],
  ["2001:db8::1", []],
  ["0.0.0.0", ["unspecified"]],
  ["::", ["unspecified"]],
  ["127.0.0.5", ["loopback"]],
  ["::1", ["loopback"]],
  ["169.254.1.1", ["link-local"]],
  ["fe80::1", ["link-local"]],
  ["224.0.0.5", ["multicast"]],
  ["224.0.1.5", []],
  ["ff02::1", ["multicast"]],
  ["ff12::1", ["multicast"]],
  ["ff05::1", []],
  ["::ffff:127.0.0.1", ["loopback"]],
  ["::ffff:169.254.0.1", ["link-local"]],
] as const)("as an endpoint %s is %j", (address, words) => {
  const errors = nonSpecialIpErrors("ip", address);
  expect(errors).toHaveLength(words.length);
  for (const [index, word] of words.entries()) expect(errors[index]!.message).toContain(word);
});
