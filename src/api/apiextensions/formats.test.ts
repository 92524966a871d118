import { expect, test } from "vitest";
import { isFormat } from "./formats.ts";

/** What fits a format, and what does not. */
const cases: Readonly<Record<string, readonly [fits: readonly string[], not: readonly string[]]>> = {
  byte: [
    ["Zm9v", "YQ=="],
    ["", "%%%", "YQ", "YQ="],
  ],
  cidr: [
    ["10.0.0.0/8", "10.0.0.0/08", "::/0", "::ffff:1.2.3.4/96"],
    ["10.0.0.0/33", "10.0.0.0", "fe80::%1/64", "1/8"],
  ],
  creditcard: [
    ["4111 1111 1111 1111", "2221000000000009"],
    ["4111111111111112", "1"],
  ],
  date: [["2020-02-29"], ["2021-02-29", "2020-2-29", "2020-02-29T00:00:00Z"]],
  "date-time": [
    ["2020-01-01T10:20:30Z", "2020-01-01t10:20:30.5z", "2020-01-01T10:20:30+99:99"],
    ["2020-01-01 10:20:30Z", "2020-01-01T24:00:00Z", "2020-01-01T10:20:60Z", "2020-13-01T10:20:30Z", "2020-01-01"],
  ],
  duration: [
    ["1h30m", "-1.5s", "0", "5 days 3 hours", "1 d", "2 Minutes", "10weekly"],
    ["1", "", "d", "1 fortnight", "a 1s", "1.5 days"],
  ],
  email: [
    ["a@b", "x.y+z@example.com", "Ann B. <ann@example.com>", '"a b"@c', "a@[127.0.0.1]"],
    ["", "a", "a@b@c", "a.@b", "a@b.", "Ann ann@b", "<a@b"],
  ],
  ipv4: [
    ["1.2.3.4", "::ffff:1.2.3.4"],
    ["::1", "1.2.3", "01.2.3.4"],
  ],
  ipv6: [
    ["::1", "::ffff:1.2.3.4"],
    ["1.2.3.4", "fe80::1%eth0"],
  ],
  mac: [
    ["00:11:22:33:44:55", "00-11-22-33-44-55-66-77", "0011.2233.4455", "00:".repeat(19).concat("00")],
    ["00:11-22:33:44:55", "00:11", "00:11:22:33:44:55:66"],
  ],
  ssn: [
    ["123-45-6789", "123 45 6789"],
    ["123456789", "123-456789"],
  ],
  uri: [
    ["https://a.b/c?d#e", "/path", "mailto:a", "a:b"],
    ["", "a", "https://a:x/", "/%zz"],
  ],
};

test.each(Object.entries(cases))("%s", (format, [fits, not]) => {
  expect(fits.filter((value) => !isFormat(format, value))).toEqual([]);
  expect(not.filter((value) => isFormat(format, value))).toEqual([]);
});

test.each([
  ["email", " ".repeat(500_000)],
  ["duration", `${"1".repeat(500_000)}x`],
])("a long %s takes time that grows with its length alone", (format, value) => {
  const start = performance.now();
  expect(isFormat(format, value)).toBe(false);
  expect(performance.now() - start).toBeLessThan(2_000);
});
