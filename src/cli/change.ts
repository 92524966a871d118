/** `capstan patch`, `label`, `annotate`, `scale`: changes of objects that are there. */
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";
import type { UnknownObject } from "#api/object.ts";
import type { PatchType } from "#client/client.ts";
import { type Command, type Flag, type Invocation, UsageError } from "./command.ts";
import { createPrinter, outputHelp, resourceWord, writeFormats } from "./output.ts";
import { type Session, openSession, sessionFlags } from "./session.ts";
import {
  type Target,
  dryRunFlag,
  dryRunMode,
  fileFlags,
  findTargets,
  selectorFlags,
  targetName,
  withKind,
} from "./targets.ts";

const changeFlags: readonly Flag[] = [
  ...sessionFlags,
  ...fileFlags,
  ...selectorFlags,
  dryRunFlag,
  { name: "output", short: "o", type: "string", help: outputHelp },
];

interface Changed {
  object: UnknownObject;
  /** undefined: nothing is said. */
  word: string | undefined;
  /** "scale.autoscaling/web" where the answer is no object of the target's kind. */
  name?: string;
}

/** Does `change` to every target and prints what became of it. */
async function changeAll(
  invocation: Invocation,
  targetArgs: readonly string[],
  change: (session: Session, target: Target) => Promise<Changed>,
): Promise<number> {
  const { flags, io } = invocation;
  const session = openSession(invocation);
  try {
    const printer = createPrinter(flags.string("output"), { allowed: writeFormats });
    for (const target of await findTargets(session, { ...invocation, args: [...targetArgs] })) {
      const { object, word, name = targetName(target) } = await change(session, target);
      if (flags.string("output") === "name") io.stdout(`${targetName(target)}\n`);
      else if (printer !== undefined) io.stdout(printer(withKind(object, target.resource)));
      else if (word !== undefined) io.stdout(`${name} ${word}\n`);
    }
    return 0;
  } finally {
    session.close();
  }
}

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
    const patch: unknown = parse(
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

/** Nothing has changed but what the server counts. */
function isSameContent(before: UnknownObject, after: UnknownObject): boolean {
  const content = ({ metadata, ...rest }: UnknownObject) => {
    const { managedFields: _, resourceVersion: __, ...own } = metadata;
    return { ...rest, apiVersion: "", kind: "", metadata: own };
  };
  return isDeepStrictEqual(content(before), content(after));
}

/** "a=b" sets, "a-" removes. */
function readChanges(words: readonly string[], what: string): { set: Record<string, string>; remove: string[] } {
  const set: Record<string, string> = {};
  const remove: string[] = [];
  for (const word of words) {
    const cut = word.indexOf("=");
    if (cut > 0) set[word.slice(0, cut)] = word.slice(cut + 1);
    else if (word.endsWith("-") && word.length > 1) remove.push(word.slice(0, -1));
    else throw new UsageError(`invalid ${what} spec: ${word}`);
  }
  const both = remove.find((key) => key in set);
  if (both !== undefined) throw new UsageError(`can not both modify and remove a ${what} in the same command`);
  return { set, remove };
}

function metadataCommand(name: "label" | "annotate", field: "labels" | "annotations", past: string): Command {
  const what = name === "label" ? "label" : "annotation";
  return {
    name,
    group: "Objects",
    summary: `Set or remove ${field} of objects`,
    usage: `capstan ${name} [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N- [flags]`,
    examples: [
      `capstan ${name} pod web tier=front`,
      `capstan ${name} pod web tier-`,
      `capstan ${name} pods --all tier=back --overwrite`,
    ],
    flags: [
      ...changeFlags,
      { name: "overwrite", type: "boolean", help: `Replace ${field} that are there already` },
      { name: "list", type: "boolean", help: `Show the ${field}` },
    ],
    async run(invocation) {
      const { args, flags, io } = invocation;
      const isChange = (word: string) => /^[^/=]*[^=/]-$|=/.test(word) && !/^[a-z.]+\/[^=]*[^-]$/.test(word);
      const from = args.findIndex((word, at) => at > 0 && isChange(word));
      const targets = flags.given("filename") ? [] : args.slice(0, from < 0 ? args.length : from);
      const { set, remove } = readChanges(flags.given("filename") ? args : from < 0 ? [] : args.slice(from), what);
      if (Object.keys(set).length + remove.length === 0 && !flags.boolean("list"))
        throw new UsageError(`at least one ${what} update is required`);
      return await changeAll(invocation, targets, async ({ client }, { resource, key }) => {
        const before = await client.get(resource, key);
        const now = before.metadata[field] ?? {};
        const taken = Object.keys(set).find((one) => one in now && now[one] !== set[one]);
        if (taken !== undefined && !flags.boolean("overwrite"))
          throw new UsageError(
            name === "label"
              ? `'${taken}' already has a value (${now[taken]}), and --overwrite is false`
              : `--overwrite is false but found the following declared annotation(s): '${taken}' already has a value (${now[taken]})`,
          );
        for (const one of remove) if (!(one in now)) io.stdout(`${what} "${one}" not found.\n`);
        const isSame =
          Object.entries(set).every(([one, value]) => now[one] === value) && remove.every((one) => !(one in now));
        const { suffix, server, client: isClient } = dryRunMode(flags);
        const said = (word: string) => (flags.boolean("list") ? undefined : `${word}${suffix}`);
        const list = (all: Record<string, string>) => {
          if (flags.boolean("list")) for (const [one, value] of Object.entries(all)) io.stdout(`${one}=${value}\n`);
        };
        if (isSame) {
          list(now);
          return { object: before, word: said(name === "label" ? `not ${past}` : past) };
        }
        const patch = { metadata: { [field]: { ...set, ...Object.fromEntries(remove.map((one) => [one, null])) } } };
        const object = await client.patch(resource, key, "merge", patch, {
          dryRun: server || isClient,
          fieldManager: `capstan-${name}`,
        });
        list(object.metadata[field] ?? {});
        return { object, word: said(name === "label" && Object.keys(set).length === 0 ? "unlabeled" : past) };
      });
    },
  };
}

export const labelCommand = metadataCommand("label", "labels", "labeled");
export const annotateCommand = metadataCommand("annotate", "annotations", "annotated");

export const scaleCommand: Command = {
  name: "scale",
  group: "Objects",
  summary: "Set how many replicas a workload has",
  usage: "capstan scale [--current-replicas=COUNT] --replicas=COUNT (-f FILENAME | TYPE NAME) [flags]",
  examples: [
    "capstan scale deployment web --replicas=3",
    "capstan scale --current-replicas=2 --replicas=3 deployment/web",
  ],
  flags: [
    ...changeFlags,
    { name: "replicas", type: "integer", placeholder: "COUNT", help: "The new number of replicas" },
    {
      name: "current-replicas",
      type: "integer",
      default: -1,
      placeholder: "COUNT",
      help: "Only if there are this many now",
    },
  ],
  async run(invocation) {
    const { args, flags } = invocation;
    if (!flags.given("replicas")) throw new UsageError('required flag(s) "replicas" not set');
    if (flags.integer("replicas") < 0)
      throw new UsageError("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0");
    return await changeAll(invocation, args, async ({ client }, { resource, key }) => {
      const wanted = flags.integer("current-replicas");
      if (wanted >= 0) {
        const scale = (await client.get(resource, key, { subresource: "scale" })) as {
          spec?: { replicas?: number };
        } & UnknownObject;
        const now = scale.spec?.replicas ?? 0;
        if (now !== wanted) throw new UsageError(`Expected replicas to be ${wanted}, was ${now}`);
      }
      const object = await client.patch(
        resource,
        key,
        "merge",
        { spec: { replicas: flags.integer("replicas") } },
        { subresource: "scale", dryRun: dryRunMode(flags).server || dryRunMode(flags).client },
      );
      return { object, word: `scaled${dryRunMode(flags).suffix}` };
    });
  },
};
