/** Dates and times as YAML's `!!timestamp` allows them in go-yaml, printed as Go's RFC 3339 with nanoseconds. */
export class Timestamp {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const dateOnly = /^(\d{4})-(\d{1,2})-(\d{1,2})$/;
const zoned = /^(\d{4})-(\d{1,2})-(\d{1,2})[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?(Z|[-+]\d{2}:\d{2})$/;
const spaced = /^(\d{4})-(\d{1,2})-(\d{1,2}) (\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?$/;

export function parseTimestamp(text: string): Timestamp | undefined {
  if (text.charCodeAt(4) !== 0x2d) return undefined;
  const match = dateOnly.exec(text) ?? zoned.exec(text) ?? spaced.exec(text);
  if (match === null) return undefined;
  const [, year = "", month = "", day = "", hour = "0", minute = "0", second = "0", fraction = "", zone = "Z"] = match;
  if (!isDate(Number(year), Number(month), Number(day))) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59 || !isZone(zone)) return undefined;
  const nanos = fraction.slice(0, 9).replace(/0+$/, "");
  const date = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  const time = [hour, minute, second].map((part) => part.padStart(2, "0")).join(":");
  return new Timestamp(`${date}T${time}${nanos === "" ? "" : `.${nanos}`}${zone.slice(1) === "00:00" ? "Z" : zone}`);
}

function isDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return day <= days;
}

function isZone(zone: string): boolean {
  return zone === "Z" || (Number(zone.slice(1, 3)) <= 24 && Number(zone.slice(4, 6)) < 60);
}
