/** `capstan explain`: the fields of a kind, from the server's OpenAPI v3. Upstream: kubectl/pkg/explain/v2. */
import { parseApiVersion } from "#client/api-version.ts";
import type { DiscoveredResource } from "#client/discovery.ts";
import { groupVersionPath } from "#client/resource-path.ts";
import { type Command, type Invocation, PlainError, UsageError } from "#cli/command.ts";
import { findResources } from "#cli/resource-arguments.ts";
import { type Session, sessionFlags, withSession } from "#cli/session.ts";
import { describeSchema, fieldLine } from "./plain-text.ts";
import { type OpenApiDocument, type Schema, propertyOf, schemaOfKind } from "./schema.ts";

export const explainCommand: Command = {
  name: "explain",
  group: "Other",
  summary: "Show the fields of a kind and what they mean",
  usage: "capstan explain TYPE[.FIELD]... [flags]",
  examples: ["capstan explain pods", "capstan explain pods.spec.containers", "capstan explain deployment --recursive"],
  flags: [
    ...sessionFlags,
    { name: "api-version", type: "string", placeholder: "GROUP/VERSION", help: "The version to explain" },
    { name: "recursive", type: "boolean", help: "Names of all fields, of all levels" },
    { name: "output", short: "o", type: "string", default: "plaintext", placeholder: "plaintext", help: "The format" },
  ],
  run: async (invocation) => await withSession(invocation, async (session) => await explain(session, invocation)),
};

async function explain(session: Session, { args, flags, io }: Invocation): Promise<number> {
  const [given] = args;
  if (given === undefined)
    throw new UsageError(
      'You must specify the type of resource to explain. Use "capstan api-resources" for a complete list of supported resources.',
    );
  if (args.length > 1) throw new UsageError("We accept only this format: explain RESOURCE");
  if (flags.string("output") !== "plaintext") throw new UsageError(`unrecognized format: ${flags.string("output")}`);
  if (given.startsWith(".") || given.includes("["))
    throw new UsageError("invalid jsonpath syntax, first node must be field node");
  const { resource, fields } = await readArgument(session, given, flags.string("api-version"));
  const document = (await session.client.call({
    method: "GET",
    path: `/openapi/v3${groupVersionPath(resource)}`,
  })) as OpenApiDocument;
  const root = schemaOfKind(document, resource);
  if (root === undefined)
    throw new UsageError(
      `GVR (${resource.group}/${resource.version}, Resource=${resource.plural}) not found in OpenAPI schema`,
    );
  const { group, kind, version } = resource;
  io.stdout(`${group === "" ? "" : `GROUP:      ${group}\n`}KIND:       ${kind}\nVERSION:    ${version}\n\n`);
  const { schema, name } = descend(document, root, fields);
  if (name !== undefined) io.stdout(fieldLine(document, name, schema));
  io.stdout(describeSchema(document, schema, flags.boolean("recursive")));
  return 0;
}

/** "pods.spec", "deployments.apps.spec" or "deployments.v1.apps": the longest name of a resource, then fields. */
async function readArgument(
  { discovery }: Session,
  given: string,
  apiVersion: string,
): Promise<{ resource: DiscoveredResource; fields: string[] }> {
  const words = given.split(".").filter((word) => word !== "");
  const named = await namedWithGroup(discovery, words);
  const [resource, used] = named ?? [await namedAlone(discovery, words[0] ?? ""), 1];
  const fields = words.slice(used);
  if (apiVersion === "") return { resource, fields };
  const { group, version } = parseApiVersion(apiVersion);
  const wanted = await discovery.find(
    (one) => one.group === group && one.version === version && one.plural === resource.plural,
  );
  if (wanted === undefined)
    throw new UsageError(`couldn't find resource for "${apiVersion}, Resource=${resource.plural}"`);
  return { resource: wanted, fields };
}

async function namedAlone(discovery: Session["discovery"], word: string): Promise<DiscoveredResource> {
  try {
    return (await findResources(discovery, word))[0]!;
  } catch (error) {
    throw error instanceof UsageError ? new PlainError(error.message) : error;
  }
}

/** A resource that is named with its whole group, and how many words that takes. */
async function namedWithGroup(
  discovery: Session["discovery"],
  words: readonly string[],
): Promise<[DiscoveredResource, number] | undefined> {
  for (let count = words.length; count > 1; count -= 1) {
    const [plural = "", ...group] = words.slice(0, count);
    const found = await discovery.find(
      (one) => one.group === group.join(".") && [one.plural, one.singular, ...one.shortNames].includes(plural),
    );
    if (found !== undefined) return [found, count];
  }
  return undefined;
}

/** Follows field names down, through references, lists and maps. Throws UsageError for one that is not there. */
function descend(
  document: OpenApiDocument,
  root: Schema,
  fields: readonly string[],
): { schema: Schema; name: string | undefined } {
  let schema = root;
  for (const name of fields) {
    const next = propertyOf(document, schema, name);
    if (next === undefined) throw new UsageError(`field ${JSON.stringify(name)} does not exist`);
    schema = next;
  }
  return { schema, name: fields.at(-1) };
}
