/** Formats of strings that a CRD may ask for. Upstream: kube-openapi/pkg/validation/strfmt. An unknown format fits always. */
import { isIP, isIPv4, isIPv6 } from "node:net";

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const hostnameLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/i;

const formats: Readonly<Record<string, (value: string) => boolean>> = {
  "date-time": isDateTime,
  datetime: isDateTime,
  date: (value) => /^\d{4}-\d\d-\d\d$/.test(value) && isCalendarDate(value),
  duration: (value) =>
    /^[-+]?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(value) || /^\d+\s*(second|minute|hour|day|week)s?$/.test(value),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: (value) => /^[^/]+\/\d{1,3}$/.test(value) && isIP(value.split("/")[0]!) !== 0,
  email: (value) => /^[^\s@<>]+@[^\s@<>]+$/.test(value),
  hostname: (value) => value.length <= 255 && value.split(".").every((label) => hostnameLabel.test(label)),
  uri: (value) => URL.canParse(value) || value.startsWith("/"),
  uuid: (value) => uuid.test(value),
  uuid3: (value) => uuid.test(value),
  uuid4: (value) => uuid.test(value),
  uuid5: (value) => uuid.test(value),
  byte: (value) => /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0,
  mac: (value) => /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(value),
};

export function isFormat(format: string, value: string): boolean {
  return Object.hasOwn(formats, format) ? formats[format]!(value) : true;
}

function isDateTime(value: string): boolean {
  return (
    /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(value) && isCalendarDate(value.slice(0, 10))
  );
}

function isCalendarDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
