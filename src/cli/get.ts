/** `capstan get`: the server's tables, or objects in the form that -o asks for; --watch goes on. */
import type { KubernetesObject, UnknownObject } from "#api/object.ts";
import { age } from "#api/columns.ts";
import { StatusError, failure, isNotFound } from "#api/status-error.ts";
import type { DiscoveredResource } from "#client/discovery.ts";
import { collectionPath, objectPath } from "#client/resource-path.ts";
import { type Command, type Invocation, PlainError, UsageError } from "./command.ts";
import { createPrinter, outputHelp } from "./output.ts";
import { type ResourceSelection, readFileObjects, selectResources, namesFiles } from "./resource-arguments.ts";
import { type Session, withSession, sessionFlags } from "./session.ts";
import { type Table, plainTable, sorted, tableRows } from "./get-table.ts";
import { tableText } from "./table-text.ts";
import { kustomizeFlag } from "./targets.ts";

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
    kustomizeFlag,
    { name: "watch", short: "w", type: "boolean", help: "After listing, watch for changes" },
    {
      name: "template",
      type: "string",
      placeholder: "TEMPLATE",
      help: "Template or path of -o go-template and jsonpath",
    },
    { name: "server-print", type: "boolean", default: true, help: "Let the server choose the columns" },
    {
      name: "allow-missing-template-keys",
      type: "boolean",
      default: true,
      help: "Fields that a template misses print nothing",
    },
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
    return await withSession(invocation, async (session) => await get(session, invocation));
  },
};

async function get(session: Session, invocation: Invocation): Promise<number> {
  const { flags, io } = invocation;
  if (flags.given("raw")) return await getRaw(session, invocation);
  const printer = createPrinter(flags.string("output"), {
    showManagedFields: flags.boolean("show-managed-fields"),
    template: flags.string("template"),
    noHeaders: flags.boolean("no-headers"),
    mayMiss: flags.boolean("allow-missing-template-keys"),
  });
  const selections = await selected(session, invocation);
  if (printer === undefined) return await printTables(session, invocation, selections);
  const { objects, exitCode } = await collect(session, invocation, selections);
  const isSingle = selections.length === 1 && selections[0]!.names.length === 1;
  if (isSingle && objects.length === 1) io.stdout(printer(objects[0]!));
  else if (!(isSingle && objects.length === 0)) {
    const items = sorted(objects, flags.string("sort-by"), (object) => object) ?? [];
    const list = { apiVersion: "v1", items, kind: "List", metadata: { resourceVersion: "" } };
    io.stdout(printer(list as unknown as KubernetesObject));
  }
  return exitCode;
}

async function getRaw(session: Session, { args, flags, io }: Invocation): Promise<number> {
  if (args.length > 0) throw new UsageError("arguments may not be passed when --raw is specified");
  try {
    const path = flags.string("raw");
    for await (const chunk of session.client.transport.stream({ method: "GET", path, accept: "*/*" }))
      io.stdout(Buffer.from(chunk).toString("utf8"));
    return 0;
  } catch (error) {
    // Where nothing is served there is no Status object either.
    if (error instanceof StatusError && error.code === 404 && error.status.details === undefined)
      throw failure(404, "NotFound", "the server could not find the requested resource");
    throw error;
  }
}

async function selected(
  session: Session,
  invocation: Invocation,
): Promise<(ResourceSelection & { namespace?: string })[]> {
  const { args, flags } = invocation;
  if (namesFiles(flags)) {
    if (args.length > 0)
      throw new UsageError(
        "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
      );
    return await fromFiles(session, invocation);
  }
  if (args.length === 0)
    throw new PlainError(
      `You must specify the type of resource to get. Use "capstan api-resources" for a complete list of supported resources.\n\nerror: Required resource not specified.\nUse "capstan explain <resource>" for a detailed description of that resource (e.g. capstan explain pods).\nSee 'capstan get -h' for help and examples`,
    );
  const selections = await selectResources(session.discovery, args);
  const isNamed = selections.some(({ names }) => names.length > 0);
  if (flags.boolean("all-namespaces") && isNamed)
    throw new UsageError("a resource cannot be retrieved by name across all namespaces");
  if ((flags.given("selector") || flags.given("field-selector")) && isNamed)
    throw new UsageError("name cannot be provided when a selector is specified");
  if (flags.given("subresource") && !isNamed)
    throw new UsageError("subresource cannot be used when bulk resources are specified");
  return selections;
}

async function fromFiles(
  session: Session,
  { flags, io }: Invocation,
): Promise<(ResourceSelection & { namespace?: string })[]> {
  const objects = await readFileObjects(flags, io.stdin);
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
    // To sort, the whole objects are needed beside the cells.
    ...(flags.given("sort-by") ? { includeObject: "Object" } : {}),
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
        exitCode = Math.max(exitCode, report(selectorFailure(error, selection.resource, invocation.flags), invocation));
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
  const headers = !flags.boolean("no-headers");
  const withKind = flags.boolean("show-kind") || selections.length > 1;
  let exitCode = 0;
  let printed = 0;
  let revision: string | undefined;
  for (const selection of selections) {
    const { tables, hasFailed } = await readTables(session, invocation, selection);
    if (hasFailed) exitCode = 1;
    revision = tables.at(-1)?.metadata.resourceVersion;
    const rows = sorted(
      tables.flatMap((table) => table.rows ?? []),
      flags.string("sort-by"),
      ({ object }) => object,
    );
    if (rows === undefined || rows.length === 0) continue;
    if (printed > 0 && headers) io.stdout("\n");
    printed += 1;
    io.stdout(tableText(tableRows(tables[0]!, rows, { resource: selection.resource, flags, withKind, headers })));
  }
  if (flags.boolean("watch") || flags.boolean("watch-only"))
    return await watchTable(session, invocation, selections, revision);
  if (printed === 0 && exitCode === 0 && !flags.boolean("ignore-not-found")) {
    const isNamespaced =
      selections.some(({ resource }) => resource.scope === "Namespaced") && !flags.boolean("all-namespaces");
    io.stderr(isNamespaced ? `No resources found in ${session.namespace} namespace.\n` : "No resources found\n");
  }
  return exitCode;
}

async function readTables(
  session: Session,
  invocation: Invocation,
  selection: ResourceSelection,
): Promise<{ tables: Table[]; hasFailed: boolean }> {
  const { flags } = invocation;
  const tables: Table[] = [];
  let hasFailed = false;
  if (flags.boolean("watch-only")) return { tables, hasFailed };
  const now = Date.now();
  const accept = flags.boolean("server-print") ? tableAccept : "application/json";
  for (const { path, query } of requestsOf(session, invocation, selection)) {
    try {
      for (const page of await fetchAll(session, path, query, accept)) {
        const isTable = page.kind === "Table";
        const objects = isTable ? [] : itemsOf(page, selection.resource, selection.names.length === 0);
        const ageOf = ({ metadata }: KubernetesObject) => age(metadata?.creationTimestamp, now);
        tables.push(isTable ? (page as unknown as Table) : plainTable(objects, ageOf));
      }
    } catch (error) {
      hasFailed = report(selectorFailure(error, selection.resource, flags), invocation) > 0 || hasFailed;
    }
  }
  return { tables, hasFailed };
}

/** A server that cannot read a selector is quoted with what was asked of it. */
function selectorFailure(
  error: unknown,
  { group, version, plural }: DiscoveredResource,
  flags: Invocation["flags"],
): unknown {
  const isSelection = flags.given("selector") || flags.given("field-selector");
  if (!(error instanceof StatusError) || error.reason !== "BadRequest" || !isSelection) return error;
  const message = `Unable to find ${JSON.stringify(`${group}/${version}, Resource=${plural}`)} that match label selector ${JSON.stringify(flags.string("selector"))}, field selector ${JSON.stringify(flags.string("field-selector"))}: ${error.message}`;
  return new StatusError({ ...error.status, message });
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
      io.stdout(
        tableText(
          tableRows(definitions, table.rows, {
            resource: selection.resource,
            flags,
            withKind: flags.boolean("show-kind"),
            headers: false,
          }),
        ),
      );
    }
  }
  return 0;
}
