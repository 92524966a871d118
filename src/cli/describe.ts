/** `capstan describe`: objects for people, each with what belongs to it and its events. */
import type { KubernetesObject, UnknownObject } from "#api/object.ts";
import { StatusError, isNotFound } from "#api/status-error.ts";
import { type Command, type Invocation, UsageError } from "./command.ts";
import { describerOf } from "./describe/kinds.ts";
import { Writer } from "./describe/writer.ts";
import { type ResourceSelection, readFileObjects, selectResources, namesFiles } from "./resource-arguments.ts";
import { statusText } from "./refusal.ts";
import { type Session, withSession, sessionFlags } from "./session.ts";
import { fileFlags, kustomizeFlag, keyOf, fileTarget, withKind } from "./targets.ts";

export const describeCommand: Command = {
  name: "describe",
  group: "Objects",
  summary: "Show details of objects and of what belongs to them",
  usage: "capstan describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME) [flags]",
  examples: [
    "capstan describe node worker-1",
    "capstan describe pod/web",
    "capstan describe pods -l app=web",
    "capstan describe -f web.yaml",
  ],
  flags: [
    ...sessionFlags,
    ...fileFlags,
    kustomizeFlag,
    { name: "selector", short: "l", type: "string", placeholder: "QUERY", help: "Label selector" },
    { name: "all-namespaces", short: "A", type: "boolean", help: "The objects of all namespaces" },
    { name: "show-events", type: "boolean", default: true, help: "Also show events of the objects" },
    { name: "chunk-size", type: "integer", default: 500, help: "How many objects to ask for at once" },
  ],
  async run(invocation) {
    return await withSession(invocation, async (session) => await describeAll(session, invocation));
  },
};

interface Found {
  selection: ResourceSelection;
  object: KubernetesObject;
  /** Found by the beginning of its name; kubectl ends these by an empty line. */
  byPrefix: boolean;
}

async function describeAll(session: Session, invocation: Invocation): Promise<number> {
  const { flags, io, args } = invocation;
  if (args.length === 0 && !namesFiles(flags))
    throw new UsageError(
      'You must specify the type of resource to describe. Use "capstan api-resources" for a complete list of supported resources.',
    );
  const { found, errors } = await findAll(session, invocation);
  const texts: string[] = [];
  for (const { selection, object, byPrefix } of found) {
    const writer = new Writer();
    const { resource } = selection;
    const context = { session, writer, resource, showEvents: flags.boolean("show-events"), now: Date.now() };
    await describerOf(resource)(withKind(object, resource), context);
    texts.push(`${writer.text()}${byPrefix ? "\n" : ""}`);
  }
  io.stdout(texts.join("\n\n"));
  for (const error of errors) io.stderr(statusText(error));
  if (errors.length > 0) return 1;
  if (found.length === 0)
    io.stderr(
      flags.boolean("all-namespaces")
        ? "No resources found\n"
        : `No resources found in ${session.namespace} namespace.\n`,
    );
  return 0;
}

async function findAll(
  session: Session,
  { flags, args, io }: Invocation,
): Promise<{ found: Found[]; errors: StatusError[] }> {
  const found: Found[] = [];
  const errors: StatusError[] = [];
  const add = async (selection: ResourceSelection, read: () => Promise<readonly KubernetesObject[]>) => {
    try {
      found.push(
        ...(await read()).map((object) => ({
          selection,
          object,
          byPrefix: selection.names.length > 0 && !selection.names.includes(object.metadata.name ?? ""),
        })),
      );
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      errors.push(error);
    }
  };
  if (namesFiles(flags)) {
    for (const { object } of await readFileObjects(flags, io.stdin)) {
      const { resource, key } = await fileTarget(session, object);
      await add({ resource, names: [key.name] }, async () => [await session.client.get(resource, key)]);
    }
    return { found, errors };
  }
  const selections = await selectResources(session.discovery, args);
  for (const selection of selections) {
    if (selection.names.length === 0) await add(selection, async () => await list(session, selection, flags));
    for (const name of selection.names)
      await add(selection, async () => await namedOrPrefixed(session, selection, name));
  }
  return { found, errors };
}

async function list(
  session: Session,
  { resource }: ResourceSelection,
  flags?: Invocation["flags"],
): Promise<readonly UnknownObject[]> {
  const everywhere = resource.scope === "Cluster" || flags?.boolean("all-namespaces") === true;
  const read = await session.client.list(resource, {
    namespace: everywhere ? undefined : session.namespace,
    ...(flags?.given("selector") === true ? { labelSelector: flags.string("selector") } : {}),
  });
  return read.items as UnknownObject[];
}

/** The object of that name, else all whose names begin so. */
async function namedOrPrefixed(
  session: Session,
  selection: ResourceSelection,
  name: string,
): Promise<readonly KubernetesObject[]> {
  try {
    return [await session.client.get(selection.resource, keyOf(session, selection.resource, name))];
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const others = (await list(session, selection)).filter(({ metadata }) => metadata.name?.startsWith(name) === true);
    if (others.length === 0) throw error;
    return others;
  }
}
