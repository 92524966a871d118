/** `capstan taint`: keeps pods off nodes unless they tolerate it. Upstream: kubectl/pkg/cmd/taint. */
import type { V1Node, V1Taint } from "#api/generated/types.ts";
import { taintEffects } from "#api/core/pod-scheduling.ts";
import { isLabelValue, isQualifiedName } from "#api/validation/names.ts";
import { type Command, type Flag, type Invocation, UsageError, hinted } from "#cli/command.ts";
import { createPrinter, outputHelp, writeFormats } from "#cli/output.ts";
import { findResources } from "#cli/resource-arguments.ts";
import { type Session, sessionFlags, withSession } from "#cli/session.ts";
import { dryRunFlag, dryRunMode, findTargets, selectorFlags, withKind } from "#cli/targets.ts";

const flags: readonly Flag[] = [
  ...sessionFlags,
  ...selectorFlags,
  dryRunFlag,
  { name: "overwrite", type: "boolean", help: "Replace taints that are there already" },
  { name: "output", short: "o", type: "string", help: outputHelp },
];

export const taintCommand: Command = {
  name: "taint",
  group: "Objects",
  summary: "Change the taints of nodes",
  usage: "capstan taint NODE NAME KEY_1=VAL_1:EFFECT_1 ... KEY_N=VAL_N:EFFECT_N [flags]",
  examples: [
    "capstan taint nodes worker-1 dedicated=build:NoSchedule",
    "capstan taint nodes worker-1 dedicated:NoSchedule-",
    "capstan taint nodes worker-1 dedicated-",
  ],
  flags,
  run: async (invocation) => await withSession(invocation, async (session) => await taintAll(session, invocation)),
};

interface Change {
  add: V1Taint[];
  /** An empty effect means all of the key. */
  remove: V1Taint[];
}

async function taintAll(session: Session, invocation: Invocation): Promise<number> {
  const { args, flags: given, io } = invocation;
  const isTaint = (word: string) => /[=:]|-$/.test(word);
  const [kind, ...words] = args;
  if (kind === undefined) throw new UsageError("one or more resources must be specified as <resource> <name>");
  const from = words.findIndex(isTaint);
  const names = from < 0 ? words : words.slice(0, from);
  if (from < 0) throw new UsageError("at least one taint update is required");
  const [resource] = await findResources(session.discovery, kind);
  if (resource?.kind !== "Node") throw new UsageError(`invalid resource type ${kind}, only node types are supported`);
  const change = readTaints(words.slice(from));
  const printer = createPrinter(given.string("output"), { allowed: writeFormats });
  const mode = dryRunMode(given);
  for (const target of await findTargets(session, { ...invocation, args: [kind, ...names] })) {
    const node = (await session.client.get(target.resource, target.key)) as V1Node;
    const { taints, word } = changedTaints(node, change, given.boolean("overwrite"));
    const patch = { spec: { taints } };
    const object = mode.client
      ? { ...node, spec: { ...node.spec, taints } }
      : await session.client.patch(target.resource, target.key, "strategic", patch, { dryRun: mode.server });
    io.stdout(printer === undefined ? `node/${target.key.name} ${word}\n` : printer(withKind(object, target.resource)));
  }
  return 0;
}

/** "key=value:Effect", "key:Effect", "key:Effect-" and "key-". Throws UsageError. */
export function readTaints(words: readonly string[]): Change {
  const change: Change = { add: [], remove: [] };
  for (const word of words) {
    const isRemoval = word.endsWith("-");
    const taint = readTaint(isRemoval ? word.slice(0, -1) : word, word);
    if (!isRemoval && taint.effect === "") throw hinted(`invalid taint spec: ${word}`, "taint");
    const list = isRemoval ? change.remove : change.add;
    if (list.some((one) => isSame(one, taint)))
      throw hinted(
        `duplicated taints with the same key and effect: {${taint.key} ${taint.value ?? ""} ${taint.effect} <nil>}`,
        "taint",
      );
    list.push(taint);
  }
  const both = change.remove.filter((gone) => change.add.some((taint) => matches(gone, taint)));
  if (both.length > 0)
    throw new UsageError(
      `can not both modify and remove the following taint(s) in the same command: ${both.map(({ key, effect }) => `${key}=${effect}`).join(", ")}`,
    );
  return change;
}

function readTaint(text: string, word: string): V1Taint {
  const parts = text.split(":");
  const [named = "", effect = ""] = parts;
  const [key = "", value, ...more] = named.split("=");
  if (parts.length > 2 || more.length > 0) throw hinted(`invalid taint spec: ${word}`, "taint");
  // Without an effect the whole word is read as a key.
  const faults = isQualifiedName(parts.length === 1 && !word.endsWith("-") ? text : key);
  if (faults.length > 0) throw hinted(`invalid taint spec: ${word}, ${faults.join("; ")}`, "taint");
  const valueFaults = isLabelValue(value ?? "");
  if (valueFaults.length > 0) throw hinted(`invalid taint spec: ${word}, ${valueFaults.join("; ")}`, "taint");
  if (parts.length === 2 && !taintEffects.includes(effect))
    throw hinted(`invalid taint effect: ${effect}, unsupported taint effect`, "taint");
  return { key, ...(value === undefined || value === "" ? {} : { value }), effect };
}

const isSame = (a: V1Taint, b: V1Taint) => a.key === b.key && a.effect === b.effect;
const matches = (gone: V1Taint, taint: V1Taint) =>
  gone.key === taint.key && (gone.effect === "" || gone.effect === taint.effect);

/** New ones first, then what was there. Throws UsageError for one that is there already, or that is not. */
export function changedTaints(
  { metadata, spec }: V1Node,
  { add, remove }: Change,
  mayOverwrite: boolean,
): { taints: V1Taint[]; word: string } {
  const old = spec?.taints ?? [];
  const taken = add.filter((taint) => old.some((one) => isSame(one, taint)));
  if (!mayOverwrite && taken.length > 0)
    throw new UsageError(
      `node ${metadata.name} already has ${[...new Set(taken.map(({ key }) => key))].join(",")} taint(s) with same effect(s) and --overwrite is false`,
    );
  const merged = [...add, ...old.filter((taint) => !add.some((one) => isSame(one, taint)))];
  const missing = remove.filter((gone) => !merged.some((taint) => matches(gone, taint)));
  if (missing.length > 0) {
    const texts = missing.map(({ key, effect }) => `taint "${key}${effect === "" ? "" : `:${effect}`}" not found`);
    throw new UsageError(texts.length === 1 ? texts[0]! : `[${texts.join(", ")}]`);
  }
  const taints = merged.filter((taint) => !remove.some((gone) => matches(gone, taint)));
  const word =
    mayOverwrite || (add.length > 0 && remove.length > 0) ? "modified" : add.length > 0 ? "tainted" : "untainted";
  return { taints, word };
}
