/** Why a text is no cron schedule, or a name no time zone. Upstream: robfig/cron's ParseStandard, Go's time.LoadLocation. */
import { parseDuration } from "#api/duration.ts";
import { goQuote } from "#api/go-text.ts";

interface Bounds {
  min: number;
  max: number;
  names?: Readonly<Record<string, number>>;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));
const numbered = (names: string, first: number) =>
  Object.fromEntries(names.split(" ").map((name, index) => [name, index + first]));

/** Minute, hour, day of the month, month, day of the week. */
const fields: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: numbered("jan feb mar apr may jun jul aug sep oct nov dec", 1) },
  { min: 0, max: 6, names: numbered("sun mon tue wed thu fri sat", 0) },
];
const descriptors = words("@yearly @annually @monthly @weekly @daily @midnight @hourly");

export function scheduleFault(schedule: string): string | undefined {
  let text = schedule;
  if (text.startsWith("TZ=") || text.startsWith("CRON_TZ=")) {
    const end = text.indexOf(" ");
    const zone = text.slice(text.indexOf("=") + 1, end === -1 ? undefined : end);
    const fault = timeZoneFault(zone);
    if (fault !== undefined) return `provided bad location ${zone}: ${fault}`;
    text = end === -1 ? "" : text.slice(end).trim();
  }
  if (text.startsWith("@")) return descriptorFault(text);
  const parts = text.split(/\s+/).filter((part) => part !== "");
  if (parts.length !== fields.length)
    return `expected exactly ${fields.length} fields, found ${parts.length}: [${parts.join(" ")}]`;
  for (const [index, part] of parts.entries())
    for (const expression of part.split(",").filter((each) => each !== "")) {
      const fault = rangeFault(expression, fields[index]!);
      if (fault !== undefined) return fault;
    }
  return undefined;
}

function descriptorFault(text: string): string | undefined {
  if (descriptors.has(text)) return undefined;
  if (!text.startsWith("@every ")) return `unrecognized descriptor: ${text}`;
  const delay = parseDuration(text.slice("@every ".length));
  return typeof delay === "string" ? `failed to parse duration ${text}: ${delay}` : undefined;
}

/** What one of the five fields of a schedule matches. */
export interface CronField {
  values: ReadonlySet<number>;
  /** It says "*" or "?", so that it leaves the choice to another field. */
  isAny: boolean;
}

/** The five fields of a schedule in which `scheduleFault` finds no fault and that is no descriptor. */
export function cronFieldsOf(schedule: string): CronField[] {
  return schedule
    .split(/\s+/)
    .filter((part) => part !== "")
    .map((part, index) => {
      const values = new Set<number>();
      let isAny = false;
      for (const expression of part.split(",").filter((each) => each !== "")) {
        const range = rangeOf(expression, fields[index]!);
        if (typeof range === "string") throw new Error(range);
        for (let value = range.start; value <= range.end; value += range.step) values.add(value);
        isAny ||= range.isAny;
      }
      return { values, isAny };
    });
}

function rangeFault(expression: string, bounds: Bounds): string | undefined {
  const range = rangeOf(expression, bounds);
  return typeof range === "string" ? range : undefined;
}

interface Range {
  start: number;
  end: number;
  step: number;
  isAny: boolean;
}

/** "*", "5", "1-5", each with "/2" or without; or what is wrong with it. */
function rangeOf(expression: string, { min, max, names = {} }: Bounds): Range | string {
  const [range = "", stepText, ...moreSlashes] = expression.split("/");
  const [low = "", high, ...moreHyphens] = range.split("-");
  let start = min;
  let end = max;
  if (low !== "*" && low !== "?") {
    const first = parseNumber(low, names);
    if (typeof first === "string") return first;
    if (moreHyphens.length > 0) return `too many hyphens: ${expression}`;
    const last = high === undefined ? first : parseNumber(high, names);
    if (typeof last === "string") return last;
    [start, end] = [first, last];
  }
  let step = 1;
  if (moreSlashes.length > 0) return `too many slashes: ${expression}`;
  if (stepText !== undefined) {
    const read = parseNumber(stepText, {});
    if (typeof read === "string") return read;
    step = read;
    if (high === undefined) end = max;
  }
  if (start < min) return `beginning of range (${start}) below minimum (${min}): ${expression}`;
  if (end > max) return `end of range (${end}) above maximum (${max}): ${expression}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${expression}`;
  if (step === 0) return `step of range should be a positive number: ${expression}`;
  return { start, end, step, isAny: step === 1 && (low === "*" || low === "?") };
}

function parseNumber(text: string, names: Readonly<Record<string, number>>): number | string {
  const name = text.toLowerCase();
  if (Object.hasOwn(names, name)) return names[name]!;
  const fault = (reason: string) =>
    `failed to parse int from ${text}: strconv.Atoi: parsing ${goQuote(text)}: ${reason}`;
  if (!/^[+-]?[0-9]+$/.test(text)) return fault("invalid syntax");
  const exact = BigInt(text.replace(/^\+/, ""));
  if (exact !== BigInt.asIntN(64, exact)) return fault("value out of range");
  const value = Number(text);
  return value < 0 ? `negative number (${value}) not allowed: ${text}` : value;
}

/** Whether a text has the form of a zone's name. Upstream: validTimeZoneCharacters. */
export const isTimeZoneName = (zone: string): boolean =>
  zone.split("/").every((part) => part !== "." && part !== ".." && /^(?!-)[A-Za-z.\-_0-9+]{1,14}$/.test(part));

const zoneAreas = words(
  "Africa America Antarctica Arctic Asia Atlantic Australia Brazil Canada Chile Etc Europe Indian Mexico Pacific US",
);
/** Of no area. Intl knows more of them, such as PST, and knows them in any case. */
const plainZones = words(
  "CET CST6CDT Cuba EET EST EST5EDT Egypt Eire GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST Hongkong Iceland Iran Israel Jamaica Japan Kwajalein Libya MET MST MST7MDT NZ NZ-CHAT Navajo PRC PST8PDT Poland Portugal ROC ROK Singapore Turkey UCT UTC Universal W-SU WET Zulu",
);
/** Gone from the time zone database; Intl keeps them. */
const formerZones = words("Canada/East-Saskatchewan US/Pacific-New");

/** Names of the time zone database, in their own case. Go knows its own zone as "Local". */
export function timeZoneFault(zone: string): string | undefined {
  if (zone === "" || zone === "Local" || plainZones.has(zone)) return undefined;
  const fault = `unknown time zone ${zone}`;
  const [area = "", ...places] = zone.split("/");
  if (!zoneAreas.has(area) || formerZones.has(zone) || !places.every((place) => /^[A-Z]/.test(place))) return fault;
  try {
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions();
    return timeZone !== zone && timeZone.toLowerCase() === zone.toLowerCase() ? fault : undefined;
  } catch (error) {
    if (error instanceof RangeError) return fault;
    throw error;
  }
}
