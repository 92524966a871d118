/** When a cron schedule fires. Upstream: robfig/cron, pkg/controller/cronjob/utils.go. */
import { Cron } from "croner";

export interface Schedule {
  /** The first time after this one, in milliseconds; undefined if there is none. */
  next(after: number): number | undefined;
}

const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** Throws for what is no schedule. */
export function parseSchedule(text: string, timeZone: string | undefined): Schedule {
  const every = /^@every (.+)$/.exec(text);
  if (every !== null) return everySchedule(every[1] ?? "");
  const named = /^(?:CRON_)?TZ=(\S+) (.+)$/.exec(text);
  const zone = named?.[1] ?? timeZone ?? "UTC";
  // Catches of croner would hide mistakes; `paused` keeps it from setting timers.
  const cron = new Cron(named?.[2] ?? text, { timezone: zone, paused: true, mode: "5-part" });
  return { next: (after) => cron.nextRun(new Date(after))?.getTime() };
}

/** A delay in Go's form, from whole second to whole second. */
function everySchedule(text: string): Schedule {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join("") !== text)
    throw new Error(`failed to parse duration @every ${text}`);
  const ms = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ""] ?? 0), 0);
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

/** Jumps ahead by the distance of two times, then walks. */
function latestBefore(schedule: Schedule, from: number, now: number): number {
  const step = (schedule.next(from) ?? now) - from;
  const start = step > 0 ? Math.max(from, now - step * 2) : from;
  let latest = from;
  for (let at = schedule.next(start); at !== undefined && at <= now; at = schedule.next(at)) latest = at;
  return latest;
}
