/** Formats of strings that a CRD may ask for. Upstream: kube-openapi/pkg/validation/strfmt. An unknown format fits always. */
import { isIPv4, isIPv6 } from "node:net";
import { parseDuration, parseWordDuration } from "#api/duration.ts";
import { parseRequestUrl } from "#api/go-url.ts";

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
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|(?:222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11}|6[27][0-9]{14})$/;
const rgb =
  /^rgb\(\s*(0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])\s*\)$/;
const wordDuration = /^\s*(?:\d+\s*[a-zµ]+\s*)+$/i;

/** 6, 8 or 20 bytes, all parted alike. */
const mac =
  /^(?:[0-9a-f]{2}([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}(?:(?:\1[0-9a-f]{2}){2}|(?:\1[0-9a-f]{2}){14})?|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}(?:\.[0-9a-f]{4}|(?:\.[0-9a-f]{4}){7})?)$/i;

/** RFC 5322 as Go's net/mail reads it: an address, or one in angle brackets behind a name. */
const atomCharacter = "\\w!#$%&'*+\\-/=?^`{|}~\\u0080-\\uffff";
const atom = `[${atomCharacter}]+`;
const quoted = String.raw`"(?:[^"\\\r\n]|\\[^\r\n])*"`;
const mailbox = String.raw`(?:${atom}(?:\.${atom})*|${quoted})@(?:${atom}(?:\.${atom})*|\[[^[\]\\\s]*\])`;
const email = new RegExp(String.raw`^(?:${mailbox}|(?:[${atomCharacter}.\s]|${quoted})*<${mailbox}>)$`);

/** By name without dashes. */
const formats: Readonly<Record<string, (value: string) => boolean>> = {
  datetime: isDateTime,
  date: (value) => /^\d{4}-\d\d-\d\d$/.test(value) && isCalendarDate(value),
  duration: (value) =>
    typeof parseDuration(value) !== "string" || (wordDuration.test(value) && parseWordDuration(value) !== undefined),
  // An address of IPv4 within IPv6 is both.
  ipv4: (value) => isAddress(value) && value.includes("."),
  ipv6: (value) => isAddress(value) && value.includes(":"),
  cidr: isCidr,
  email: (value) => email.test(value.trim()),
  hostname: (value) => value.length <= 255 && hostname.test(value),
  uri: (value) => typeof parseRequestUrl(value) !== "string",
  uuid: (value) => uuids.any.test(value),
  uuid3: (value) => uuids.three.test(value),
  uuid4: (value) => uuids.four.test(value),
  uuid5: (value) => uuids.five.test(value),
  byte: (value) => /^[A-Za-z0-9+/]+={0,2}$/.test(value) && value.length % 4 === 0,
  mac: (value) => mac.test(value),
  bsonobjectid: (value) => /^[0-9a-f]{24}$/i.test(value),
  isbn: (value) => isIsbn10(value) || isIsbn13(value),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
  ssn: (value) => /^\d{3}[- ]\d{2}[- ]\d{4}$/.test(value),
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

/** The offset from UTC may be any; one character may stand before a fraction. */
function isDateTime(value: string): boolean {
  return (
    /^\d{4}-\d\d-\d\dt(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:.\d+)?(?:z|[+-]\d\d:\d\d)$/i.test(value) &&
    isCalendarDate(value.slice(0, 10))
  );
}

function isCalendarDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

const isAddress = (value: string): boolean => isIPv4(value) || (isIPv6(value) && !value.includes("%"));

function isCidr(value: string): boolean {
  const [address = "", bits = "", ...rest] = value.split("/");
  const bitsMax = isIPv4(address) ? 32 : isAddress(address) ? 128 : -1;
  return rest.length === 0 && /^\d+$/.test(bits) && Number(bits) <= bitsMax;
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
