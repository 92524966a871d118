/** When a cron schedule fires. Upstream: robfig/cron, pkg/controller/cronjob/utils.go. */
import { cronFieldsOf, scheduleFault, type CronField } from "#api/batch/cron-schedule.ts";
import { durationMs } from "#api/duration.ts";
import { localTime, nextMidnight, type ZoneClock } from "./local-time.ts";

export interface Schedule {
  /** The first time after this one, in milliseconds; undefined if there is none. */
  next(after: number): number | undefined;
}

const descriptors: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** A time is looked for in so many years; "30 February" never comes. */
const yearsMax = 5;
const minuteMs = 60_000;
const hourMs = 3_600_000;

/** Throws for what is no schedule. */
export function parseSchedule(text: string, timeZone: string | undefined): Schedule {
  const fault = scheduleFault(text);
  if (fault !== undefined) throw new Error(fault);
  const [, named, rest] = /^(?:CRON_)?TZ=(\S+) +(.+)$/.exec(text) ?? [undefined, undefined, text];
  const plain = (rest ?? "").trim();
  if (plain.startsWith("@every ")) return everySchedule(plain.slice("@every ".length));
  const clock = localTime(named ?? timeZone ?? "UTC");
  const fields = cronFieldsOf(descriptors[plain] ?? plain) as Fields;
  return { next: (after) => nextTime(fields, clock, after) };
}

type Fields = [minute: CronField, hour: CronField, day: CronField, month: CronField, weekday: CronField];

/** Local times that a change of clocks leaves out do not come; those that it repeats come twice. */
function nextTime(fields: Fields, clock: ZoneClock, after: number): number | undefined {
  const [minutes, hours, , months] = fields;
  let at = Math.floor(after / minuteMs) * minuteMs + minuteMs;
  const lastYear = clock(at).year + yearsMax;
  for (;;) {
    const { year, month, day, weekday, hour, minute } = clock(at);
    if (year > lastYear) return undefined;
    if (!months.values.has(month) || !matchesDay(fields, day, weekday)) at = nextMidnight(clock, at);
    else if (!hours.values.has(hour)) at += hourMs - minute * minuteMs;
    else if (!minutes.values.has(minute)) at += minuteMs;
    else return at;
  }
}

/** If both kinds of days are chosen, either will do. */
function matchesDay([, , days, , weekdays]: Fields, day: number, weekday: number): boolean {
  const [byDay, byWeekday] = [days.values.has(day), weekdays.values.has(weekday)];
  return days.isAny || weekdays.isAny ? byDay && byWeekday : byDay || byWeekday;
}

/** A delay in Go's form, from whole second to whole second. */
function everySchedule(text: string): Schedule {
  const ms = durationMs(text) ?? 0;
  const delay = Math.max(1_000, Math.floor(ms / 1_000) * 1_000);
  return { next: (after) => Math.floor(after / 1_000) * 1_000 + delay };
}

export interface Missed {
  /** The latest time that has passed; undefined if none has. */
  latest: number | undefined;
  count: number;
}

/** More missed times than this are a clock gone wrong, or a controller that was away: they are not counted one by one. */
export const missedMax = 100;

/** Times after `since` and not after `now`. */
export function missedTimes(schedule: Schedule, since: number, now: number): Missed {
  let latest: number | undefined;
  let count = 0;
  for (let at = schedule.next(since); at !== undefined && at <= now; at = schedule.next(at)) {
    latest = at;
    count += 1;
    if (count > missedMax) return { latest: latestBefore(schedule, at, now), count };
  }
  return { latest, count };
}

/** Of a schedule such as "30 February": it has no time after `since`, or none after one that has passed. */
export function neverComesAgain(schedule: Schedule, since: number, now: number): boolean {
  const first = schedule.next(since);
  return first === undefined || (first <= now && schedule.next(first) === undefined);
}

/** Jumps ahead by the distance of two times, then walks. */
function latestBefore(schedule: Schedule, from: number, now: number): number {
  const step = (schedule.next(from) ?? now) - from;
  const start = step > 0 ? Math.max(from, now - step * 2) : from;
  let latest = from;
  for (let at = schedule.next(start); at !== undefined && at <= now; at = schedule.next(at)) latest = at;
  return latest;
}
