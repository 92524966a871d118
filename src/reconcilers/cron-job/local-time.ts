/** What clocks and calendars of a time zone show. */

export interface LocalTime {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
  /** 0 is Sunday. */
  weekday: number;
  hour: number;
  minute: number;
}

/** From milliseconds since the epoch. */
export type ZoneClock = (at: number) => LocalTime;

const minuteMs = 60_000;
const hourMs = 3_600_000;

/** Throws a RangeError for what is no zone. */
export function localTime(zone: string): ZoneClock {
  if (zone === "UTC" || zone === "" || zone === "Local") return utcTime;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    return utcTime(Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute")));
  };
}

function utcTime(at: number): LocalTime {
  const date = new Date(at);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
  };
}

/** When the next day begins; on days when clocks change that is not as far off as it seems. */
export function nextMidnight(clock: ZoneClock, at: number): number {
  const { hour, minute } = clock(at);
  const guess = at + (24 - hour) * hourMs - minute * minuteMs;
  const found = clock(guess).hour;
  if (found === 0) return guess;
  return found > 12 ? guess + (24 - found) * hourMs : guess - found * hourMs;
}
