/** `capstan get`: the server's tables, or objects in the form that -o asks for; --watch goes on. */
import type { KubernetesObject, UnknownObject } from "#api/object.ts";
import { type JsonPath, findAll, parseJsonPath, relaxedJsonPath } from "#api/json-path.ts";
import { StatusError, isNotFound } from "#api/status-error.ts";
import type { DiscoveredResource } from "#client/discovery.ts";
import { collectionPath, objectPath } from "#client/resource-path.ts";
import { type Command, type Invocation, UsageError } from "./command.ts";
import { createPrinter, outputHelp } from "./output.ts";
import { type ResourceSelection, readFileObjects, selectResources } from "./resource-arguments.ts";
import { type Session, openSession, sessionFlags } from "./session.ts";
import { tableText } from "./table-text.ts";

interface Table extends KubernetesObject {
  columnDefinitions: { name: string; type: string; priority: number }[];
  rows: { cells: unknown[]; object: KubernetesObject }[];
}

const tableAccept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

export const getCommand: Command = {
  name: "get",
  group: "Objects",
  summary: "Display one or many resources",
  usage:
    "capstan get [(-o|--output=)json|yaml|name|jsonpath|custom-columns|wide] (TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags]",
  examples: [
    "capstan get pods",
    "capstan get pods -A -o wide",
    "capstan get deployment web -o yaml",
    "capstan get -f pod.yaml -o jsonpath='{.status.phase}'",
    "capstan get pods -w",
  ],
  flags: [
    ...sessionFlags,
    { name: "output", short: "o", type: "string", help: outputHelp },
    { name: "all-namespaces", short: "A", type: "boolean", help: "List the objects of all namespaces" },
    { name: "selector", short: "l", type: "string", placeholder: "QUERY", help: "Label selector" },
    { name: "field-selector", type: "string", placeholder: "QUERY", help: "Field selector" },
    {
      name: "filename",
      short: "f",
      type: "strings",
      placeholder: "FILE",
      help: "File, folder or address of the objects to get",
    },
    { name: "recursive", short: "R", type: "boolean", help: "Also the folders below the one of -f" },
    { name: "watch", short: "w", type: "boolean", help: "After listing, watch for changes" },
    { name: "watch-only", type: "boolean", help: "Watch for changes without listing first" },
    { name: "no-headers", type: "boolean", help: "Leave out the headers" },
    { name: "show-labels", type: "boolean", help: "Show all labels as the last column" },
    { name: "label-columns", short: "L", type: "strings", placeholder: "LABEL", help: "Labels to show as columns" },
    { name: "show-kind", type: "boolean", help: "Put the kind before each name" },
    { name: "sort-by", type: "string", placeholder: "JSONPATH", help: "Sort a list by this field" },
    { name: "ignore-not-found", type: "boolean", help: "No error for objects that do not exist" },
    { name: "show-managed-fields", type: "boolean", help: "Keep managedFields in yaml and json" },
    { name: "chunk-size", type: "integer", default: 500, help: "How many objects to ask for at once" },
    { name: "subresource", type: "string", placeholder: "NAME", help: "Get this subresource of the object" },
    { name: "raw", type: "string", placeholder: "URI", help: "Get this path of the API server as it is" },
  ],
  async run(invocation) {
    const session = openSession(invocation);
    try {
      return await get(session, invocation);
    } finally {
      session.close();
    }
  },
};

async function get(session: Session, invocation: Invocation): Promise<number> {
  const { args, flags, io } = invocation;
  if (flags.given("raw")) {
    for await (const chunk of session.client.transport.stream({
      method: "GET",
      path: flags.string("raw"),
      accept: "*/*",
    }))
      io.stdout(Buffer.from(chunk).toString("utf8"));
    return 0;
  }
  const selections = flags.given("filename")
    ? await fromFiles(session, invocation)
    : await selectResources(session.discovery, args);
  if (flags.boolean("all-namespaces") && selections.some(({ names }) => names.length > 0))
    throw new UsageError("a resource cannot be retrieved by name across all namespaces");
  const printer = createPrinter(flags.string("output"), { showManagedFields: flags.boolean("show-managed-fields") });
  if (printer === undefined) return await printTables(session, invocation, selections);
  const { objects, exitCode } = await collect(session, invocation, selections);
  const isSingle = selections.length === 1 && selections[0]!.names.length === 1;
  if (isSingle && objects.length === 1) io.stdout(printer(objects[0]!));
  else if (!(isSingle && objects.length === 0))
    io.stdout(
      printer({
        apiVersion: "v1",
        items: sortObjects(objects, flags.string("sort-by")),
        kind: "List",
        metadata: { resourceVersion: "" },
      } as unknown as KubernetesObject),
    );
  return exitCode;
}

async function fromFiles(
  session: Session,
  { flags, io }: Invocation,
): Promise<(ResourceSelection & { namespace?: string })[]> {
  const objects = await readFileObjects(flags.strings("filename"), flags.boolean("recursive"), io.stdin);
  return await Promise.all(
    objects.map(async ({ object }) => {
      const resource = await session.discovery.resolve(object.apiVersion ?? "", object.kind ?? "");
      if (resource === undefined)
        throw new UsageError(`no matches for kind "${object.kind}" in version "${object.apiVersion}"`);
      return {
        resource,
        names: [object.metadata.name ?? ""],
        ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
      };
    }),
  );
}

function requestsOf(
  session: Session,
  { flags }: Invocation,
  { resource, names, ...rest }: ResourceSelection & { namespace?: string },
) {
  const namespace =
    resource.scope === "Cluster" || flags.boolean("all-namespaces") ? undefined : (rest.namespace ?? session.namespace);
  if (names.length === 0) return [{ path: collectionPath(resource, namespace), query: listQuery(flags) }];
  const subresource = flags.string("subresource");
  return names.map((name) => ({
    path: objectPath(resource, { namespace: namespace ?? session.namespace, name }, subresource),
    query: {},
  }));
}

function listQuery(flags: Invocation["flags"]): Record<string, string> {
  return {
    ...(flags.given("selector") ? { labelSelector: flags.string("selector") } : {}),
    ...(flags.given("field-selector") ? { fieldSelector: flags.string("field-selector") } : {}),
    ...(flags.integer("chunk-size") > 0 && !flags.given("sort-by")
      ? { limit: String(flags.integer("chunk-size")) }
      : {}),
  };
}

/** All pages of a list, or the one object. */
async function fetchAll(
  session: Session,
  path: string,
  query: Record<string, string>,
  accept: string,
): Promise<UnknownObject[]> {
  const pages: UnknownObject[] = [];
  let token = "";
  do {
    const page = (await session.client.call({
      method: "GET",
      path,
      query: { ...query, ...(token === "" ? {} : { continue: token }) },
      accept,
    })) as UnknownObject & { metadata: { continue?: string } };
    pages.push(page);
    token = page.metadata?.continue ?? "";
  } while (token !== "");
  return pages;
}

async function collect(
  session: Session,
  invocation: Invocation,
  selections: readonly ResourceSelection[],
): Promise<{ objects: KubernetesObject[]; exitCode: number }> {
  const objects: KubernetesObject[] = [];
  let exitCode = 0;
  for (const selection of selections) {
    for (const { path, query } of requestsOf(session, invocation, selection)) {
      try {
        for (const page of await fetchAll(session, path, query, "application/json"))
          objects.push(...itemsOf(page, selection.resource, selection.names.length === 0));
      } catch (error) {
        exitCode = report(error, invocation);
      }
    }
  }
  return { objects, exitCode };
}

function itemsOf(
  page: UnknownObject,
  { group, version, kind }: DiscoveredResource,
  isList: boolean,
): KubernetesObject[] {
  const { items } = page as { items?: KubernetesObject[] };
  if (!isList || !Array.isArray(items)) return [page];
  const apiVersion = group === "" ? version : `${group}/${version}`;
  return items.map((item) => ({ apiVersion, kind, ...item }));
}

/** Prints a failure of one object; the others go on. */
function report(error: unknown, { flags, io }: Invocation): number {
  if (isNotFound(error) && flags.boolean("ignore-not-found")) return 0;
  if (!(error instanceof StatusError)) throw error;
  io.stderr(`Error from server${error.reason === "" ? "" : ` (${error.reason})`}: ${error.message}\n`);
  return 1;
}

async function printTables(
  session: Session,
  invocation: Invocation,
  selections: readonly ResourceSelection[],
): Promise<number> {
  const { flags, io } = invocation;
  let exitCode = 0;
  let printed = 0;
  let revision: string | undefined;
  const withKind = flags.boolean("show-kind") || selections.length > 1;
  for (const selection of selections) {
    const tables: Table[] = [];
    for (const { path, query } of requestsOf(session, invocation, selection)) {
      if (flags.boolean("watch-only")) continue;
      try {
        tables.push(...((await fetchAll(session, path, query, tableAccept)) as unknown as Table[]));
      } catch (error) {
        exitCode = report(error, invocation);
      }
    }
    const rows = tables.flatMap((table) => table.rows ?? []);
    revision = tables.at(-1)?.metadata.resourceVersion;
    if (rows.length === 0) continue;
    if (printed > 0) io.stdout("\n");
    printed += 1;
    io.stdout(
      tableText(
        tableRows(
          tables[0]!,
          sortRows(rows, flags.string("sort-by")),
          selection,
          flags,
          withKind,
          !flags.boolean("no-headers"),
        ),
      ),
    );
  }
  if (flags.boolean("watch") || flags.boolean("watch-only"))
    return await watchTable(session, invocation, selections, revision);
  if (printed === 0 && exitCode === 0 && !flags.boolean("ignore-not-found")) {
    const namespaced =
      selections.some(({ resource }) => resource.scope === "Namespaced") && !flags.boolean("all-namespaces");
    io.stderr(namespaced ? `No resources found in ${session.namespace} namespace.\n` : "No resources found\n");
  }
  return exitCode;
}

function tableRows(
  table: Table,
  rows: Table["rows"],
  { resource }: ResourceSelection,
  flags: Invocation["flags"],
  withKind: boolean,
  headers: boolean,
): string[][] {
  const wide = flags.string("output") === "wide";
  const shown = table.columnDefinitions
    .map((column, at) => ({ column, at }))
    .filter(({ column }) => wide || column.priority === 0);
  const labels = flags.strings("label-columns").flatMap((one) => one.split(","));
  const withNamespace = flags.boolean("all-namespaces") && resource.scope === "Namespaced";
  const word = `${resource.singular || resource.kind.toLowerCase()}${resource.group === "" ? "" : `.${resource.group}`}`;
  const body = rows.map(({ cells, object }) => [
    ...(withNamespace ? [object.metadata?.namespace ?? ""] : []),
    ...shown.map(
      ({ column, at }) => (withKind && column.name.toLowerCase() === "name" ? `${word}/` : "") + cellOf(cells[at]),
    ),
    ...labels.map((label) => object.metadata?.labels?.[label] ?? ""),
    ...(flags.boolean("show-labels") ? [labelsText(object.metadata?.labels)] : []),
  ]);
  if (!headers) return body;
  const head = [
    ...(withNamespace ? ["NAMESPACE"] : []),
    ...shown.map(({ column }) => column.name.toUpperCase()),
    ...labels.map((label) => label.split("/").at(-1)!.toUpperCase()),
    ...(flags.boolean("show-labels") ? ["LABELS"] : []),
  ];
  return [head, ...body];
}

const cellOf = (cell: unknown): string => (cell === null || cell === undefined ? "<none>" : String(cell));

function labelsText(labels: Record<string, string> | undefined): string {
  const pairs = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.length === 0 ? "<none>" : pairs.map(([key, value]) => `${key}=${value}`).join(",");
}

async function watchTable(
  session: Session,
  invocation: Invocation,
  selections: readonly ResourceSelection[],
  revision: string | undefined,
): Promise<number> {
  const { flags, io } = invocation;
  const [selection] = selections;
  if (selection === undefined || selections.length > 1)
    throw new UsageError("you may only specify a single resource type to watch");
  const namespace = flags.boolean("all-namespaces") ? undefined : session.namespace;
  const named: Record<string, string> =
    selection.names.length === 1 ? { fieldSelector: `metadata.name=${selection.names[0]}` } : {};
  const { limit: _, ...query } = listQuery(flags);
  const events = session.client.transport.watch({
    method: "GET",
    path: collectionPath(selection.resource, namespace),
    query: { ...query, ...named, watch: "true", ...(revision === undefined ? {} : { resourceVersion: revision }) },
    accept: tableAccept,
    signal: io.signal,
  });
  let definitions: Table | undefined;
  for await (const batch of events) {
    for (const { type, object } of batch) {
      if (type === "BOOKMARK" || type === "ERROR") continue;
      const table = object as Table;
      definitions = table.columnDefinitions?.length > 0 ? table : definitions;
      if (definitions === undefined) continue;
      io.stdout(tableText(tableRows(definitions, table.rows, selection, flags, flags.boolean("show-kind"), false)));
    }
  }
  return 0;
}

function sortObjects(objects: KubernetesObject[], sortBy: string): KubernetesObject[] {
  if (sortBy === "") return objects;
  const path = parseJsonPath(relaxedJsonPath(sortBy));
  return [...objects].sort((a, b) => order(path, a, b));
}

function sortRows(rows: Table["rows"], sortBy: string): Table["rows"] {
  if (sortBy === "") return rows;
  const path = parseJsonPath(relaxedJsonPath(sortBy));
  return [...rows].sort((a, b) => order(path, a.object, b.object));
}

function order(path: JsonPath, a: unknown, b: unknown): number {
  const [left] = findAll(path, a);
  const [right] = findAll(path, b);
  if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? -1 : 1;
  if (typeof left === "number" && typeof right === "number") return left - right;
  return String(left) < String(right) ? -1 : String(left) > String(right) ? 1 : 0;
}
