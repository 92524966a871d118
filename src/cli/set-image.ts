/** `capstan set image`: new images for containers of pods and of workloads. */
import type { UnknownObject } from "#api/object.ts";
import { type Command, type Invocation, UsageError } from "./command.ts";
import { createPrinter, outputHelp, writeFormats } from "./output.ts";
import { type Session, sessionFlags, withSession } from "./session.ts";
import { dryRunFlag, dryRunMode, fileFlags, findTargets, selectorFlags, targetName, withKind } from "./targets.ts";

interface Container {
  name: string;
  image?: string;
}

export const setImageCommand: Command = {
  name: "set image",
  group: "Objects",
  summary: "Change the images of a workload's containers",
  usage: "capstan set image (-f FILENAME | TYPE NAME) CONTAINER=IMAGE ... [flags]",
  examples: ["capstan set image deployment/web main=nginx:1.28", "capstan set image deployment/web '*=nginx:1.28'"],
  flags: [
    ...sessionFlags,
    ...fileFlags,
    ...selectorFlags,
    dryRunFlag,
    { name: "output", short: "o", type: "string", help: outputHelp },
  ],
  run: async (invocation) => await withSession(invocation, async (session) => await setImages(session, invocation)),
};

async function setImages(session: Session, invocation: Invocation): Promise<number> {
  const { args, flags, io } = invocation;
  const isImage = (word: string) => /^[^=/]+=/.test(word);
  const images = new Map(args.filter(isImage).map((word) => word.split(/=(.*)/s, 2) as [string, string]));
  if (images.size === 0) throw new UsageError("at least one image update is required");
  const printer = createPrinter(flags.string("output"), { allowed: writeFormats });
  const mode = dryRunMode(flags);
  for (const target of await findTargets(session, { ...invocation, args: args.filter((word) => !isImage(word)) })) {
    const live: UnknownObject = await session.client.get(target.resource, target.key);
    const patch = imagePatch(live, images);
    // Unchanged objects are passed over in silence.
    if (patch === undefined) continue;
    const object = await session.client.patch(target.resource, target.key, "strategic", patch, {
      dryRun: mode.server || mode.client,
      fieldManager: "capstan-set",
    });
    io.stdout(
      printer === undefined
        ? `${targetName(target)} image updated${mode.suffix}\n`
        : printer(withKind(object, target.resource)),
    );
  }
  return 0;
}

/** A strategic patch that names only the containers whose image changes; undefined where none does. */
export function imagePatch(live: UnknownObject, images: ReadonlyMap<string, string>): UnknownObject | undefined {
  const spec = live["spec"] as { template?: { spec?: PodSpec } } & PodSpec;
  const podSpec = spec.template?.spec ?? spec;
  const lists = { containers: podSpec.containers ?? [], initContainers: podSpec.initContainers ?? [] };
  const names = new Set([...lists.containers, ...lists.initContainers].map(({ name }) => name));
  const missing = [...images.keys()].find((name) => name !== "*" && !names.has(name));
  if (missing !== undefined) throw new UsageError(`unable to find container named ${JSON.stringify(missing)}`);
  const changed = Object.entries(lists).flatMap(([field, containers]) => {
    const own = containers.flatMap(({ name, image }) => {
      const wished = images.get(name) ?? images.get("*");
      return wished === undefined || wished === image ? [] : [{ name, image: wished }];
    });
    return own.length === 0 ? [] : [[field, own] as const];
  });
  if (changed.length === 0) return undefined;
  const inner = Object.fromEntries(changed);
  return { metadata: {}, spec: spec.template === undefined ? inner : { template: { spec: inner } } };
}

interface PodSpec {
  containers?: Container[];
  initContainers?: Container[];
}
