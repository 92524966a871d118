/**
 * What the Table columns of several kinds share: names, ages, durations, selectors, and descriptions, which are those of
 * the fields they show. Upstream: pkg/printers/internalversion/printers.go, apimachinery/pkg/util/duration.
 */
import { readAsset } from "#lib/asset.ts";
import type { KubernetesObject } from "./object.ts";
import type { Column } from "./resource.ts";

type Types = Record<string, { fields: Record<string, { description?: string }> }>;

/** Read when the first table is asked for, not at start. */
let types: Types | undefined;
const loadTypes = (): Types =>
  (types ??= (JSON.parse(readAsset("api/generated/schema.json").toString("utf8")) as { types: Types }).types);

/** Description of a field of the generated schema: ("core.v1.PodStatus", "podIP"). */
export function fieldDescription(type: string, field: string): string {
  const types = loadTypes();
  return types[`io.k8s.api.${type}`]?.fields[field]?.description ?? types[type]?.fields[field]?.description ?? "";
}

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/** A column whose description is a text, or the [type, field] that it shows. */
export function column<T>(
  name: string,
  description: string | readonly [type: string, field: string],
  value: (object: T, now: number) => unknown,
  more: Partial<Column<T>> = {},
): Column<T> {
  return {
    name,
    type: "string",
    get description() {
      return typeof description === "string" ? description : fieldDescription(...description);
    },
    value,
    ...more,
  };
}

/** A column like another. Not by spreading, which would read the description at start. */
export function columnLike<T extends KubernetesObject>(
  base: Column<KubernetesObject>,
  more: Partial<Column<T>>,
): Column<T> {
  return Object.defineProperties({ ...more } as Column<T>, {
    ...Object.getOwnPropertyDescriptors(base),
    ...Object.getOwnPropertyDescriptors(more),
  });
}

export const wide = { priority: 1 } as const;
export const integer = { type: "integer" } as const;

export const nameColumn: Column<KubernetesObject> = column(
  "Name",
  [meta, "name"],
  (object) => object.metadata.name ?? "",
  { format: "name" },
);
export const ageColumn: Column<KubernetesObject> = column("Age", [meta, "creationTimestamp"], (object, now) =>
  age(object.metadata.creationTimestamp, now),
);

export const wideNameColumn: Column<KubernetesObject> = column(
  "Name",
  [meta, "name"],
  (object) => object.metadata.name ?? "",
  { format: "name", ...wide },
);

/** The columns of a kind without columns of its own. */
export const defaultColumns: readonly Column<KubernetesObject>[] = [
  nameColumn,
  column("Created At", [meta, "creationTimestamp"], (object) => object.metadata.creationTimestamp ?? null, {
    type: "date",
  }),
];

/** Time since a timestamp, short: "5m3s"; "<unknown>" where there is none. */
export function age(timestamp: string | undefined, now: number): string {
  const since = timestamp === undefined || timestamp === null ? Number.NaN : Date.parse(timestamp);
  return Number.isNaN(since) ? "<unknown>" : shortDuration(now - since);
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

/** Upstream's HumanDuration: two units at most, the second only while the first is small. */
export function shortDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 2 * minute) return `${seconds}s`;
  if (seconds < 10 * minute) return twoUnits(seconds, minute, "m", 1, "s");
  if (seconds < 3 * hour) return `${Math.trunc(seconds / minute)}m`;
  if (seconds < 8 * hour) return twoUnits(seconds, hour, "h", minute, "m");
  if (seconds < 2 * day) return `${Math.trunc(seconds / hour)}h`;
  if (seconds < 8 * day) return twoUnits(seconds, day, "d", hour, "h");
  if (seconds < 2 * year) return `${Math.trunc(seconds / day)}d`;
  if (seconds < 8 * year) return twoUnits(seconds, year, "y", day, "d");
  return `${Math.trunc(seconds / year)}y`;
}

function twoUnits(seconds: number, first: number, firstName: string, second: number, secondName: string): string {
  const rest = Math.trunc((seconds % first) / second);
  return `${Math.trunc(seconds / first)}${firstName}${rest === 0 ? "" : `${rest}${secondName}`}`;
}

/** "a=b,c=d", or "<none>". */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {});
  if (pairs.length === 0) return "<none>";
  return pairs
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(",");
}

interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/** A selector as `kubectl get` shows it: "a=b,x notin (1,2)"; "<none>" if it selects all. */
export function selectorText(selector: LabelSelector | undefined): string {
  const labels = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` }));
  const expressions = (selector?.matchExpressions ?? []).map(({ key, operator, values = [] }) => ({
    key,
    text: expressionText(key, operator, values),
  }));
  const all = [...labels, ...expressions].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return all.length === 0 ? "<none>" : all.map(({ text }) => text).join(",");
}

function expressionText(key: string, operator: string, values: string[]): string {
  switch (operator) {
    case "In":
      return `${key} in (${[...values].sort().join(",")})`;
    case "NotIn":
      return `${key} notin (${[...values].sort().join(",")})`;
    case "Exists":
      return key;
    default:
      return `!${key}`;
  }
}

interface TemplateLike {
  spec?: { containers?: { name: string; image?: string }[] };
}

/** Names and images of a pod template's containers, the two wide columns of every workload. */
export function containerColumns<T>(template: (object: T) => TemplateLike | undefined): Column<T>[] {
  const containers = (object: T) => template(object)?.spec?.containers ?? [];
  const join = (parts: string[]) => parts.join(",");
  return [
    column(
      "Containers",
      "Names of each container in the template.",
      (object: T) => join(containers(object).map(({ name }) => name)),
      wide,
    ),
    column(
      "Images",
      "Images referenced by each container in the template.",
      (object: T) => join(containers(object).map(({ image }) => image ?? "")),
      wide,
    ),
  ];
}
