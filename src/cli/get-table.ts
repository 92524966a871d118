/** The server's tables as `capstan get` prints them: which columns, in which order of rows. Pure. */
import { type JsonPath, findAll, parseJsonPath, relaxedJsonPath } from "#api/json-path.ts";
import { labelsText } from "#api/columns.ts";
import type { KubernetesObject } from "#api/object.ts";
import { compareQuantities } from "#api/quantity.ts";
import type { DiscoveredResource } from "#client/discovery.ts";
import type { FlagValues } from "./command.ts";
import { wordOf } from "./targets.ts";

export interface Table extends KubernetesObject {
  columnDefinitions: { name: string; type: string; priority: number }[];
  rows: { cells: unknown[]; object: KubernetesObject }[];
}

export interface TableOptions {
  resource: DiscoveredResource;
  flags: FlagValues;
  /** "pod/" before each name. */
  withKind: boolean;
  headers: boolean;
}

export function tableRows(
  { columnDefinitions }: Table,
  rows: Table["rows"],
  { resource, flags, withKind, headers }: TableOptions,
): string[][] {
  const isWide = flags.string("output") === "wide";
  const columns = columnDefinitions
    .map((column, at) => ({ column, at }))
    .filter(({ column }) => isWide || column.priority === 0);
  const labels = flags.strings("label-columns").flatMap((one) => one.split(","));
  const withNamespace = flags.boolean("all-namespaces") && resource.scope === "Namespaced";
  const showLabels = flags.boolean("show-labels");
  const isName = (name: string) => name.toLowerCase() === "name";
  const body = rows.map(({ cells, object }) => [
    ...(withNamespace ? [object.metadata?.namespace ?? ""] : []),
    ...columns.map(
      ({ column, at }) => (withKind && isName(column.name) ? `${wordOf(resource)}/` : "") + cellText(cells[at]),
    ),
    ...labels.map((label) => object.metadata?.labels?.[label] ?? ""),
    ...(showLabels ? [labelsText(object.metadata?.labels)] : []),
  ]);
  if (!headers) return body;
  const head = [
    ...(withNamespace ? ["NAMESPACE"] : []),
    ...columns.map(({ column }) => column.name.toUpperCase()),
    ...labels.map((label) => label.split("/").at(-1)!.toUpperCase()),
    ...(showLabels ? ["LABELS"] : []),
  ];
  return [head, ...body];
}

/** Text of several lines is cut after the first. */
function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return "";
  if (typeof cell !== "string") return String(cell);
  const end = cell.search(/[\f\n\r]/);
  return end < 0 ? cell : `${cell.slice(0, end)}...`;
}

/** undefined where the path finds nothing in any of them, or is none: then kubectl shows nothing at all. */
export function sorted<T>(items: readonly T[], sortBy: string, objectOf: (item: T) => unknown): T[] | undefined {
  if (sortBy === "") return [...items];
  let path: JsonPath;
  try {
    path = parseJsonPath(relaxedJsonPath(sortBy));
  } catch {
    return undefined;
  }
  const keyed = items.map((item) => ({ item, key: findAll(path, objectOf(item))[0] }));
  if (keyed.length > 0 && keyed.every(({ key }) => key === undefined)) return undefined;
  return keyed.sort((a, b) => order(a.key, b.key)).map(({ item }) => item);
}

function order(left: unknown, right: unknown): number {
  if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? -1 : 1;
  if (typeof left === "number" && typeof right === "number") return left - right;
  const [a, b] = [String(left), String(right)];
  try {
    return compareQuantities(a, b);
  } catch {
    return naturalOrder(a, b);
  }
}

/** Numbers inside of text count as numbers: "a2" before "a10". */
export function naturalOrder(a: string, b: string): number {
  const [left, right] = [a.match(/\d+|\D+/g) ?? [], b.match(/\d+|\D+/g) ?? []];
  for (const [at, part] of left.entries()) {
    const other = right[at];
    if (other === undefined) return 1;
    if (part === other) continue;
    if (/^\d/.test(part) && /^\d/.test(other) && Number(part) !== Number(other)) return Number(part) - Number(other);
    return part < other ? -1 : 1;
  }
  return left.length - right.length;
}

/** What a subresource or --server-print=false gives, as a table of names and ages. */
export function plainTable(objects: readonly KubernetesObject[], age: (object: KubernetesObject) => string): Table {
  return {
    metadata: {},
    columnDefinitions: [
      { name: "Name", type: "string", priority: 0 },
      { name: "Age", type: "string", priority: 0 },
    ],
    rows: objects.map((object) => ({ cells: [object.metadata?.name ?? "", age(object)], object })),
  };
}
