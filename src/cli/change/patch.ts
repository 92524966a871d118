/** `capstan patch`: fields of an object changed by a patch of any of three types. */
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";
import type { UnknownObject } from "#api/object.ts";
import type { PatchType } from "#client/client.ts";
import { type Command, UsageError } from "#cli/command.ts";
import { resourceWord } from "#cli/output.ts";
import { yamlFault } from "#cli/resource-arguments.ts";
import { dryRunMode } from "#cli/targets.ts";
import { changeAll, changeFlags } from "./all-targets.ts";

export const patchCommand: Command = {
  name: "patch",
  group: "Objects",
  summary: "Change fields of an object by a patch",
  usage: "capstan patch (-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE] [flags]",
  examples: [
    `capstan patch deployment web -p '{"spec":{"replicas":2}}'`,
    `capstan patch configmap c --type=json -p '[{"op":"remove","path":"/data/a"}]'`,
  ],
  flags: [
    ...changeFlags,
    { name: "patch", short: "p", type: "string", placeholder: "PATCH", help: "The patch, as JSON or YAML" },
    { name: "patch-file", type: "string", placeholder: "FILE", help: "A file that holds the patch" },
    {
      name: "type",
      type: "string",
      default: "strategic",
      placeholder: "strategic|merge|json",
      help: "What kind of patch it is",
    },
    { name: "subresource", type: "string", placeholder: "NAME", help: "Patch this subresource" },
  ],
  async run(invocation) {
    const { flags, args } = invocation;
    if (!flags.given("patch") && !flags.given("patch-file"))
      throw new UsageError("must specify --patch or --patch-file containing the contents of the patch");
    const type = flags.string("type");
    if (!["strategic", "merge", "json"].includes(type))
      throw new UsageError(`--type must be one of [json merge strategic], not "${type}"`);
    const patch = readPatch(
      flags.given("patch") ? flags.string("patch") : readFileSync(flags.string("patch-file"), "utf8"),
    );
    return await changeAll(invocation, args, async ({ client }, { resource, key }) => {
      const before = await client.get(resource, key);
      const mode = dryRunMode(flags);
      const subresource = flags.string("subresource") || undefined;
      const object: UnknownObject = await client.patch(resource, key, type as PatchType, patch, {
        dryRun: mode.server || mode.client,
        fieldManager: "capstan-patch",
        subresource,
      });
      const isSame = subresource === undefined && isSameContent(before, object);
      return {
        object,
        word: isSame ? "patched (no change)" : "patched",
        ...(subresource === undefined || object.kind === resource.kind
          ? {}
          : { name: `${resourceWord(object)}/${key.name}` }),
      };
    });
  },
};

function readPatch(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new UsageError(`unable to parse ${JSON.stringify(text)}: ${yamlFault(text, error as Error)}`);
  }
}

/** Nothing has changed but what the server counts. */
function isSameContent(before: UnknownObject, after: UnknownObject): boolean {
  const content = ({ metadata, ...rest }: UnknownObject) => {
    const { managedFields: _, resourceVersion: __, ...own } = metadata;
    return { ...rest, apiVersion: "", kind: "", metadata: own };
  };
  return isDeepStrictEqual(content(before), content(after));
}
