/** `capstan kustomize DIR`: prints what a kustomization renders to, byte for byte as `kubectl kustomize` does. */
import { statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { diskTree } from "#git/render/file-tree.ts";
import { objectsToYaml, renderKustomization } from "#git/render/kustomize.ts";
import type { LoadRestriction } from "#git/render/loader.ts";
import { type Command, type Flag, type FlagValues, parseArguments, UsageError } from "./command.ts";
import { sessionFlags } from "./session.ts";

const flags: readonly Flag[] = [
  {
    name: "output",
    short: "o",
    type: "string",
    placeholder: "PATH",
    help: "If specified, write output to this path",
  },
  {
    name: "load-restrictor",
    type: "string",
    default: "LoadRestrictionsRootOnly",
    placeholder: "RESTRICTION",
    help: "If set to 'LoadRestrictionsNone', local kustomizations may load files from outside their root. This does, however, break the relocatability of the kustomization",
  },
];

/** Flags of the way to a cluster say nothing here, but scripts give them to every command. */
const flagsTaken = [...flags, ...sessionFlags];

const restrictions: Readonly<Record<string, LoadRestriction>> = {
  LoadRestrictionsRootOnly: "root-only",
  rootOnly: "root-only",
  LoadRestrictionsNone: "none",
  none: "none",
};

function renderTo(args: readonly string[], values: FlagValues, stdout: (text: string) => void): number {
  if (args.length > 1) throw new UsageError("specify one path to kustomization.yaml");
  const flag = values.string("load-restrictor");
  const loadRestriction = restrictions[flag];
  if (loadRestriction === undefined)
    throw new UsageError(
      `illegal flag value --load-restrictor ${flag}; legal values: [LoadRestrictionsRootOnly LoadRestrictionsNone]`,
    );
  const text = objectsToYaml(renderKustomization(diskTree(), resolve(args[0] ?? "."), { loadRestriction }));
  const output = values.string("output");
  if (output === "") stdout(text);
  else writeFileSync(isDirectory(output) ? join(output, "kustomized.yaml") : output, text);
  return 0;
}

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

export interface TextOutput {
  stdout(text: string): void;
  stderr(text: string): void;
}

/** Resolves with the exit code; what went wrong is told on stderr as `error: …`. */
export async function kustomizeCommand(argv: readonly string[], io: TextOutput): Promise<number> {
  try {
    const { args, flags: values } = parseArguments(argv, flags);
    return renderTo(args, values, (text) => io.stdout(text));
  } catch (error) {
    io.stderr(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

export const kustomizeEntry: Command = {
  name: "kustomize",
  group: "Git",
  summary: "Render a folder as kubectl kustomize does",
  description:
    "Build a set of KRM resources using a 'kustomization.yaml' file. The DIR argument must be a path to a directory containing\n'kustomization.yaml'. If DIR is omitted, '.' is assumed.",
  usage: "capstan kustomize DIR [flags]",
  examples: ["capstan kustomize apps/web", "capstan kustomize overlays/production --output rendered.yaml"],
  flags: flagsTaken,
  async run({ args, flags: values, io }) {
    try {
      return renderTo(args, values, (text) => io.stdout(text));
    } catch (error) {
      throw error instanceof UsageError ? error : new UsageError((error as Error).message, { cause: error });
    }
  },
};
