/** Formats of strings that a CRD may ask for. Upstream: kube-openapi/pkg/validation/strfmt. An unknown format fits always. */
import { isIPv4, isIPv6 } from "node:net";

const uuid = (version: string, variant: string) =>
  new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${variant}[0-9a-f]{3}-?[0-9a-f]{12}$`, "i");
const uuids = {
  any: uuid("[0-9a-f]", "[0-9a-f]"),
  three: uuid("3", "[0-9a-f]"),
  four: uuid("4", "[89ab]"),
  five: uuid("5", "[89ab]"),
};
const hostLetter = "[a-zA-Z0-9\\p{S}\\p{L}]";
const hostname = new RegExp(
  `^(${hostLetter}(-?${hostLetter}{0,62})?|(${hostLetter}([a-zA-Z0-9\\-\\p{S}\\p{L}]{0,61}${hostLetter})?\\.)+[a-zA-Z\\p{L}]{2,63})$`,
  "u",
);
const cards =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/;
const rgb =
  /^rgb\(\s*(0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])\s*\)$/;
const duration = /^[-+]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))*$/;
const wordDuration =
  /^(\d+)\s*(ns|nano|nanosecond|us|µs|micro|microsecond|ms|milli|millisecond|s|sec|second|m|min|minute|h|hr|hour|d|day|w|wk|week)s?$/;

/** By name without dashes. */
const formats: Readonly<Record<string, (value: string) => boolean>> = {
  datetime: isDateTime,
  date: (value) => /^\d{4}-\d\d-\d\d$/.test(value) && isCalendarDate(value),
  duration: (value) => value === "0" || duration.test(value) || wordDuration.test(value),
  ipv4: isIPv4,
  ipv6: (value) => isIPv6(value) && !value.includes("%"),
  cidr: isCidr,
  email: (value) => /^[^\s@<>]+@[^\s@<>]+$/.test(value),
  hostname: (value) => value.length <= 255 && hostname.test(value),
  uri: isRequestUri,
  uuid: (value) => uuids.any.test(value),
  uuid3: (value) => uuids.three.test(value),
  uuid4: (value) => uuids.four.test(value),
  uuid5: (value) => uuids.five.test(value),
  byte: (value) => /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0,
  mac: (value) =>
    /^([0-9a-f]{2}[:-]){5}([0-9a-f]{2}[:-]){0,2}[0-9a-f]{2}$/i.test(value) ||
    /^([0-9a-f]{4}\.){2,3}[0-9a-f]{4}$/i.test(value),
  bsonobjectid: (value) => /^[0-9a-f]{24}$/i.test(value),
  isbn: (value) => isIsbn10(value) || isIsbn13(value),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
  ssn: (value) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(value),
  hexcolor: (value) => /^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(value),
  rgbcolor: (value) => rgb.test(value),
  password: () => true,
  k8sshortname: (value) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(value),
  k8slongname: (value) =>
    value.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(value),
};

const plainName = (format: string): string => format.replaceAll("-", "");

export const isKnownFormat = (format: string): boolean => Object.hasOwn(formats, plainName(format));

export const isFormat = (format: string, value: string): boolean =>
  isKnownFormat(format) ? formats[plainName(format)]!(value) : true;

function isDateTime(value: string): boolean {
  return (
    /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(value) && isCalendarDate(value.slice(0, 10))
  );
}

function isCalendarDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function isCidr(value: string): boolean {
  const [address = "", bits = "", ...rest] = value.split("/");
  const bitsMax = isIPv4(address) ? 32 : isIPv6(address) && !address.includes("%") ? 128 : -1;
  return rest.length === 0 && /^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= bitsMax;
}

/** url.ParseRequestURI: an absolute URI or an absolute path, no fragment. */
function isRequestUri(value: string): boolean {
  return /^([a-z][a-z0-9+.-]*:|\/)[^\s]*$/i.test(value) && !/%(?![0-9a-f]{2})/i.test(value);
}

const digitsOf = (value: string): string => value.replace(/[\s-]+/g, "");

function isIsbn10(value: string): boolean {
  const digits = digitsOf(value);
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  const sum = [...digits].reduce(
    (total, digit, index) => total + (10 - index) * (digit === "X" ? 10 : Number(digit)),
    0,
  );
  return sum % 11 === 0;
}

function isIsbn13(value: string): boolean {
  const digits = digitsOf(value);
  if (!/^\d{13}$/.test(digits)) return false;
  return [...digits].reduce((total, digit, index) => total + (index % 2 === 0 ? 1 : 3) * Number(digit), 0) % 10 === 0;
}

/** Known issuers, and Luhn's sum. */
function isCreditCard(value: string): boolean {
  const digits = value.replace(/[^0-9]+/g, "");
  if (!cards.test(digits)) return false;
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const doubled = Number(digit) * (index % 2 === 0 ? 1 : 2);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
}
