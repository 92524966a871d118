/** The live objects that a command acts on: named by arguments, by -f, or by a selector. */
import type { KubernetesObject, UnknownObject } from "#api/object.ts";
import type { DiscoveredResource } from "#client/discovery.ts";
import { type Flag, type FlagValues, type Invocation, UsageError } from "./command.ts";
import { readFileObjects, selectResources, namesFiles } from "./resource-arguments.ts";
import type { Session } from "./session.ts";

export const fileFlags: readonly Flag[] = [
  {
    name: "filename",
    short: "f",
    type: "strings",
    placeholder: "FILE",
    help: "File, folder or address that names the objects",
  },
  { name: "recursive", short: "R", type: "boolean", help: "Also the folders below the one of -f" },
];

export const kustomizeFlag: Flag = {
  name: "kustomize",
  short: "k",
  type: "string",
  placeholder: "DIR",
  help: "Folder of a kustomization whose objects are meant",
};

export const selectorFlags: readonly Flag[] = [
  { name: "selector", short: "l", type: "string", placeholder: "QUERY", help: "Label selector" },
  { name: "all", type: "boolean", help: "All objects of the kind in the namespace" },
];

export const dryRunFlag: Flag = {
  name: "dry-run",
  type: "string",
  default: "none",
  bareValue: "unchanged",
  placeholder: "none|client|server",
  help: "Say what would happen without doing it",
};

export interface Target {
  resource: DiscoveredResource;
  key: { name: string; namespace?: string };
  /** As -f gave it, and where from. */
  object?: UnknownObject;
  source?: string;
}

/** "deployment.apps/web": what messages call an object. */
export function targetName({ resource, key }: Target): string {
  return `${wordOf(resource)}/${key.name}`;
}

export const wordOf = ({ singular, kind, group }: DiscoveredResource): string =>
  `${singular || kind.toLowerCase()}${group === "" ? "" : `.${group}`}`;

export function keyOf(
  session: Session,
  resource: DiscoveredResource,
  name: string,
  namespace = session.namespace,
): Target["key"] {
  return resource.scope === "Cluster" ? { name } : { name, namespace };
}

/** Rejects with UsageError where nothing is named; `isAllByDefault`: a type alone means all of it. */
export async function findTargets(
  session: Session,
  { args, flags, io }: Invocation,
  { isAllByDefault = false } = {},
): Promise<Target[]> {
  if (namesFiles(flags)) {
    const files = await readFileObjects(flags, io.stdin);
    return await Promise.all(
      files.map(async ({ object, source }) => ({ ...(await fileTarget(session, object, source)), source })),
    );
  }
  const selections = await selectResources(session.discovery, args);
  const targets: Target[] = [];
  for (const { resource, names } of selections) {
    const keys =
      names.length > 0
        ? names.map((name) => keyOf(session, resource, name))
        : await selectedKeys(session, resource, flags, isAllByDefault);
    targets.push(...keys.map((key) => ({ resource, key })));
  }
  return targets;
}

async function selectedKeys(
  session: Session,
  resource: DiscoveredResource,
  flags: FlagValues,
  isAllByDefault: boolean,
): Promise<Target["key"][]> {
  if (!isAllByDefault && !flags.given("selector") && !flags.boolean("all"))
    throw new UsageError("resource(s) were provided, but no name was specified");
  const list = await session.client.list(resource, {
    namespace: flags.boolean("all-namespaces") ? undefined : session.namespace,
    ...(flags.given("selector") ? { labelSelector: flags.string("selector") } : {}),
  });
  return list.items.map(({ metadata }) => keyOf(session, resource, metadata.name ?? "", metadata.namespace));
}

/** Rejects with UsageError for a kind that the server does not serve. */
export async function fileTarget(session: Session, object: UnknownObject, source?: string): Promise<Target> {
  const resource = await session.discovery.resolve(object.apiVersion ?? "", object.kind ?? "");
  if (resource === undefined) {
    throw new UsageError(
      `resource mapping not found for name: "${object.metadata.name ?? ""}" namespace: "${object.metadata.namespace ?? ""}"${source === undefined ? "" : ` from "${source}"`}: no matches for kind "${object.kind}" in version "${object.apiVersion}"\nensure CRDs are installed first`,
    );
  }
  const namespace = object.metadata.namespace ?? session.namespace;
  const placed = resource.scope === "Cluster" ? object : { ...object, metadata: { ...object.metadata, namespace } };
  return { resource, key: keyOf(session, resource, object.metadata.name ?? "", namespace), object: placed };
}

/** " (dry run)", " (server dry run)" or nothing; throws UsageError for an unknown mode. */
export function dryRunMode(flags: FlagValues): { server: boolean; client: boolean; suffix: string } {
  const mode = flags.string("dry-run");
  if (!["none", "client", "server", "unchanged"].includes(mode))
    throw new UsageError(`Invalid dry-run value (${mode}). Must be "none", "server", or "client".`);
  return {
    server: mode === "server",
    client: mode === "client" || mode === "unchanged",
    suffix: mode === "server" ? " (server dry run)" : mode === "none" ? "" : " (dry run)",
  };
}

/** An object with the kind that a list leaves out. */
export function withKind<T extends KubernetesObject>(object: T, { group, version, kind }: DiscoveredResource): T {
  return { apiVersion: group === "" ? version : `${group}/${version}`, ...object, kind };
}
