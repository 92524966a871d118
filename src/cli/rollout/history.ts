/** `capstan rollout history` and `undo`: the revisions of a workload, and the way back to one. */
import type { UnknownObject } from "#api/object.ts";
import { UsageError } from "#cli/command.ts";
import { writePodTemplate } from "#cli/describe/pod.ts";
import { Writer, alignTabs } from "#cli/describe/writer.ts";
import { createPrinter, outputHelp } from "#cli/output.ts";
import { safeText } from "#cli/table-text.ts";
import { type Target, dryRunFlag, dryRunMode, targetName } from "#cli/targets.ts";
import { type Act, rolloutCommand } from "./command.ts";
import { type Revision, causeAnnotation, isSameTemplate, ownTemplate, revisionsOf } from "./revisions.ts";

const history: Act = async (session, target, { flags, io }) => {
  const live: UnknownObject = await session.client.get(target.resource, target.key);
  const revisions = await revisionsOf(session, { ...live, kind: target.resource.kind });
  const wanted = flags.integer("revision");
  const printer = createPrinter(flags.string("output"));
  if (wanted > 0) {
    const found = revisions.find(({ number }) => number === wanted);
    if (found === undefined) throw new UsageError("unable to find the specified revision");
    io.stdout(printer?.(found.object) ?? `${targetName(target)} with revision #${wanted}\n${templateText(found)}\n`);
    return 0;
  }
  if (printer !== undefined) {
    for (const { object } of revisions) io.stdout(printer(object));
    return 0;
  }
  const rows = revisions.map(({ number, cause }) => `${number}\t${cause ?? "<none>"}`);
  io.stdout(`${targetName(target)} \n${safeText(alignTabs(["REVISION\tCHANGE-CAUSE", ...rows].join("\n")))}\n\n`);
  return 0;
};

function templateText({ template, cause }: Revision): string {
  const writer = new Writer();
  const annotations = {
    ...template.metadata?.annotations,
    ...(cause === undefined ? {} : { [causeAnnotation]: cause }),
  };
  writePodTemplate(writer, { ...template, metadata: { ...template.metadata, annotations } });
  // Further lines of one value begin with the tab itself.
  return writer.unaligned().replace(/^ +\t/gm, "\t");
}

const undo: Act = async (session, target, { flags, io }) => {
  const { resource, key } = target;
  const live: UnknownObject = await session.client.get(resource, key);
  const isDeployment = resource.kind === "Deployment";
  if (isDeployment && (live["spec"] as { paused?: boolean }).paused === true)
    throw new UsageError(
      "you cannot rollback a paused deployment; resume it first with 'capstan rollout resume' and try again",
    );
  const revisions = await revisionsOf(session, { ...live, kind: resource.kind });
  const wanted = flags.integer("to-revision");
  const former = wanted > 0 ? revisions.find(({ number }) => number === wanted) : revisions.at(-2);
  if (former === undefined)
    throw new UsageError(
      wanted > 0
        ? `unable to find specified revision ${wanted} in history`
        : isDeployment
          ? `no rollout history found for deployment "${key.name}"`
          : "no last revision to roll back to",
    );
  const mode = dryRunMode(flags);
  if (mode.client) {
    io.stdout(`${targetName(target)} will roll back to ${templateText(former)}${mode.suffix}\n`);
    return 0;
  }
  if (isSameTemplate(live, former)) {
    const why = `current template already matches revision ${former.number}`;
    io.stdout(`${targetName(target)} skipped rollback (${why})${mode.suffix}\n`);
    return 0;
  }
  const patch = [{ op: "replace", path: "/spec/template", value: ownTemplate(former) }];
  await session.client.patch(resource, key, "json", patch, { dryRun: mode.server });
  io.stdout(`${targetName(target)} rolled back${mode.suffix}\n`);
  return 0;
};

/** Kinds that make or are pods are known, but have no history. */
const podKinds = ["CronJob", "Job", "Pod", "ReplicaSet", "ReplicationController"];

const withoutRevisions = ({ resource: { group, kind } }: Target, what: string, word: string): string =>
  podKinds.includes(kind)
    ? `no ${what} has been implemented for "${kind}"`
    : `error retrieving ${word} for "${kind}", no visitor method exists for {${group} ${kind}}`;

const allKinds = (act: Act) => ({ Deployment: act, DaemonSet: act, StatefulSet: act });

export const rolloutHistoryCommand = rolloutCommand({
  word: "history",
  summary: "Show a rollout's revisions",
  examples: ["capstan rollout history deployment/web", "capstan rollout history deployment/web --revision=2"],
  flags: [
    { name: "revision", type: "integer", default: 0, placeholder: "NUMBER", help: "Details of this revision" },
    { name: "output", short: "o", type: "string", help: outputHelp },
  ],
  kinds: allKinds(history),
  unsupported: (target) => withoutRevisions(target, "history viewer", "history"),
});

export const rolloutUndoCommand = rolloutCommand({
  word: "undo",
  summary: "Go back to a former revision",
  examples: ["capstan rollout undo deployment/web", "capstan rollout undo deployment/web --to-revision=3"],
  flags: [
    dryRunFlag,
    { name: "to-revision", type: "integer", default: 0, placeholder: "NUMBER", help: "Which one; 0 is the one before" },
  ],
  kinds: allKinds(undo),
  unsupported: (target) => withoutRevisions(target, "rollbacker", "rollbacker"),
});
