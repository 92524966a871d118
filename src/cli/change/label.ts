/** `capstan label` and `annotate`: sets and removes labels and annotations. */
import { isLabelValue } from "#api/validation/names.ts";
import { type Command, UsageError } from "#cli/command.ts";
import { namesFiles } from "#cli/resource-arguments.ts";
import { dryRunMode } from "#cli/targets.ts";
import { changeAll, changeFlags } from "./all-targets.ts";

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
      {
        name: "resource-version",
        type: "string",
        placeholder: "VERSION",
        help: "Only if the object is at this version",
      },
    ],
    async run(invocation) {
      const { args, flags, io } = invocation;
      const isChange = (word: string) => /^[^/=]*[^=/]-$|=/.test(word) && !/^[a-z.]+\/[^=]*[^-]$/.test(word);
      const from = args.findIndex((word, at) => at > 0 && isChange(word));
      const targets = namesFiles(flags) ? [] : args.slice(0, from < 0 ? args.length : from);
      const { set, remove } = readChanges(namesFiles(flags) ? args : from < 0 ? [] : args.slice(from), what);
      for (const [key, value] of name === "label" ? Object.entries(set) : []) {
        const faults = isLabelValue(value);
        if (faults.length > 0)
          throw new UsageError(`invalid label value: ${JSON.stringify(`${key}=${value}`)}: ${faults.join(";")}`);
      }
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
        const version = flags.given("resource-version") ? { resourceVersion: flags.string("resource-version") } : {};
        const patch = {
          metadata: { ...version, [field]: { ...set, ...Object.fromEntries(remove.map((one) => [one, null])) } },
        };
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
