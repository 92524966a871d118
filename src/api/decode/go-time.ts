/** Times as Go reads and writes them, with Go's texts for those it cannot read. Upstream: metav1.Time, metav1.MicroTime. */

export class TimeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "TimeError";
  }
}

const secondsLayout = "2006-01-02T15:04:05Z07:00";
const microsLayout = "2006-01-02T15:04:05.000000Z07:00";
/** What time.Time{} is in RFC 3339; as JSON it is null. */
const zeroSeconds = -62_135_596_800;

/** Between these, in seconds since 1970, a year has four digits. */
export const yearZero = -62_167_219_200;
export const yearTenThousand = 253_402_300_800;

export interface Instant {
  /** Since 1970. */
  seconds: number;
  nanos: number;
}

/** Reads metav1.Time and gives its canonical text, null for the zero time. Throws TimeError. */
export function canonicalTime(text: string): string | null {
  if (isCanonical(text)) return text;
  const instant = parseTime(text, false);
  return isZero(instant) ? null : timeText(instant);
}

export function canonicalMicroTime(text: string): string | null {
  const instant = parseTime(text, true);
  return isZero(instant) ? null : microTimeText(instant);
}

const isZero = ({ seconds, nanos }: Instant) => seconds === zeroSeconds && nanos === 0;

export const timeText = ({ seconds }: Instant): string => `${isoSeconds(seconds)}Z`;
export const microTimeText = ({ seconds, nanos }: Instant): string =>
  `${isoSeconds(seconds)}.${String(Math.floor(nanos / 1000)).padStart(6, "0")}Z`;

function isoSeconds(seconds: number): string {
  const text = new Date(seconds * 1000).toISOString();
  return text.slice(0, text.length - 5);
}

/** "2024-05-06T07:08:09Z": the form nearly all times come in. The year 1 is left to the slow way. */
function isCanonical(text: string): boolean {
  if (text.length !== 20 || text[19] !== "Z" || text < "0001-01-02") return false;
  return /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/.test(text);
}

class Reader {
  readonly text: string;
  readonly layout: string;
  at = 0;

  constructor(text: string, layout: string) {
    this.text = text;
    this.layout = layout;
  }

  fail(element: string): never {
    const rest = this.text.slice(this.at);
    throw new TimeError(
      `parsing time ${quote(this.text)} as ${quote(this.layout)}: cannot parse ${quote(rest)} as ${quote(element)}`,
    );
  }

  outOfRange(what: string): never {
    throw new TimeError(`parsing time ${quote(this.text)}: ${what} out of range`);
  }

  number(digits: number, element: string): number {
    const part = this.text.slice(this.at, this.at + digits);
    if (part.length < digits || !/^\d+$/.test(part)) this.fail(element);
    this.at += digits;
    return Number(part);
  }

  literal(character: string): void {
    if (this.text[this.at] !== character) this.fail(character);
    this.at++;
  }
}

/** As Go's time package quotes: what is no printable ASCII byte by byte, but for `"` and `\`. */
function quote(text: string): string {
  let quoted = "";
  for (const byte of Buffer.from(text)) {
    if (byte === 0x22 || byte === 0x5c) quoted += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x80) quoted += String.fromCharCode(byte);
    else quoted += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `"${quoted}"`;
}

export function parseTime(text: string, micro: boolean): Instant {
  const reader = new Reader(text, micro ? microsLayout : secondsLayout);
  const year = reader.number(4, "2006");
  reader.literal("-");
  const month = reader.number(2, "01");
  if (month < 1 || month > 12) reader.outOfRange("month");
  reader.literal("-");
  const day = reader.number(2, "02");
  reader.literal("T");
  const hour = reader.number(2, "15");
  if (hour > 23) reader.outOfRange("hour");
  reader.literal(":");
  const minute = reader.number(2, "04");
  if (minute > 59) reader.outOfRange("minute");
  reader.literal(":");
  const second = reader.number(2, "05");
  if (second > 59) reader.outOfRange("second");
  const nanos = fractionOf(reader, micro);
  const offset = zoneOf(reader);
  if (reader.at < text.length) {
    throw new TimeError(`parsing time ${quote(text)}: extra text: ${quote(text.slice(reader.at))}`);
  }
  if (day < 1 || day > daysIn(year, month)) reader.outOfRange("day");
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return { seconds: date.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset, nanos };
}

function fractionOf(reader: Reader, micro: boolean): number {
  const match = /^[.,]\d+/.exec(reader.text.slice(reader.at));
  if (micro) {
    const exact = /^[.,]\d{6}/.exec(reader.text.slice(reader.at));
    if (exact === null) reader.fail(".000000");
    reader.at += 7;
    return Number(exact![0].slice(1)) * 1000;
  }
  if (match === null) return 0;
  reader.at += match[0].length;
  return Number(match[0].slice(1, 10).padEnd(9, "0"));
}

function zoneOf(reader: Reader): number {
  const rest = reader.text.slice(reader.at);
  if (rest.startsWith("Z")) {
    reader.at++;
    return 0;
  }
  const match = /^([+-])(\d\d):(\d\d)/.exec(rest);
  if (match === null) return reader.fail("Z07:00");
  const [all, sign, hours, minutes] = match;
  if (Number(hours) > 24) reader.outOfRange("time zone offset hour");
  if (Number(minutes) > 60) reader.outOfRange("time zone offset minute");
  reader.at += all.length;
  return (Number(hours) * 3600 + Number(minutes) * 60) * (sign === "-" ? -1 : 1);
}

const daysIn = (year: number, month: number): number => new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
