/** `capstan rollout status|history|undo|restart|pause|resume`: revisions of a Deployment. */
import { setTimeout as delay } from "node:timers/promises";
import { Deployment } from "#api/apps/deployment.ts";
import { ReplicaSet } from "#api/apps/replica-set.ts";
import type { V1Deployment, V1ReplicaSet } from "#api/generated/types.ts";
import { type Command, type Flag, type Invocation, UsageError } from "./command.ts";
import { selectorOf } from "./logs.ts";
import { type Session, openSession, sessionFlags } from "./session.ts";
import { type Target, fileFlags, findTargets, selectorFlags, targetName } from "./targets.ts";
import { writePodTemplate } from "./describe/pod.ts";
import { Writer, alignTabs } from "./describe/writer.ts";
import { safeText } from "./table-text.ts";
import { timeoutMs } from "./wait.ts";

const pollMs = 100;
const revisionAnnotation = "deployment.kubernetes.io/revision";
const causeAnnotation = "kubernetes.io/change-cause";

type Act = (session: Session, target: Target, invocation: Invocation) => Promise<number>;

function rolloutCommand(
  word: string,
  summary: string,
  examples: readonly string[],
  act: Act,
  extra: readonly Flag[] = [],
): Command {
  return {
    name: `rollout ${word}`,
    group: "Objects",
    summary,
    usage: `capstan rollout ${word} (TYPE NAME | TYPE/NAME | -f FILENAME) [flags]`,
    examples,
    flags: [...sessionFlags, ...fileFlags, ...selectorFlags, ...extra],
    async run(invocation) {
      const session = openSession(invocation);
      try {
        let exitCode = 0;
        for (const target of await findTargets(session, invocation)) {
          if (
            target.resource.kind !== "Deployment" &&
            !(word === "restart" && ["DaemonSet", "StatefulSet"].includes(target.resource.kind))
          ) {
            throw new UsageError(
              `no ${word === "status" ? "status viewer" : word === "history" ? "history viewer" : "rollbacker"} has been implemented for "${target.resource.kind}"`,
            );
          }
          exitCode = Math.max(exitCode, await act(session, target, invocation));
        }
        return exitCode;
      } finally {
        session.close();
      }
    },
  };
}

/** What is still to come, or that it is done. Upstream: kubectl/pkg/polymorphichelpers/rollout_status.go. */
export function rolloutState({ metadata, spec, status }: V1Deployment): {
  text: string;
  isDone: boolean;
  hasFailed: boolean;
} {
  const name = metadata.name ?? "";
  const going = (text: string) => ({ text, isDone: false, hasFailed: false });
  if ((metadata.generation ?? 0) > (status?.observedGeneration ?? 0))
    return going("Waiting for deployment spec update to be observed...");
  const progressing = status?.conditions?.find(({ type }) => type === "Progressing");
  if (progressing?.reason === "ProgressDeadlineExceeded")
    return { text: `deployment "${name}" exceeded its progress deadline`, isDone: true, hasFailed: true };
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = status ?? {};
  const wanted = spec?.replicas ?? 1;
  if (updatedReplicas < wanted)
    return going(
      `Waiting for deployment "${name}" rollout to finish: ${updatedReplicas} out of ${wanted} new replicas have been updated...`,
    );
  if (replicas > updatedReplicas)
    return going(
      `Waiting for deployment "${name}" rollout to finish: ${replicas - updatedReplicas} old replicas are pending termination...`,
    );
  if (availableReplicas < updatedReplicas)
    return going(
      `Waiting for deployment "${name}" rollout to finish: ${availableReplicas} of ${updatedReplicas} updated replicas are available...`,
    );
  return { text: `deployment "${name}" successfully rolled out`, isDone: true, hasFailed: false };
}

async function status({ client }: Session, { key }: Target, { flags, io }: Invocation): Promise<number> {
  const deadline = flags.string("timeout") === "0s" ? Infinity : performance.now() + timeoutMs(flags.string("timeout"));
  let shown = "";
  for (;;) {
    const state = rolloutState(await client.get(Deployment, key));
    if (state.hasFailed) {
      io.stderr(`error: ${state.text}\n`);
      return 1;
    }
    if (state.text !== shown) io.stdout(`${state.text}\n`);
    shown = state.text;
    if (state.isDone || !flags.boolean("watch")) return 0;
    if (performance.now() > deadline || io.signal.aborted) {
      io.stderr("error: timed out waiting for the condition\n");
      return 1;
    }
    await delay(pollMs);
  }
}

const revisionOf = ({ metadata }: V1ReplicaSet) => Number(metadata.annotations?.[revisionAnnotation] ?? 0);

/** The Deployment's ReplicaSets, oldest revision first. */
async function replicaSetsOf({ client }: Session, deployment: V1Deployment): Promise<V1ReplicaSet[]> {
  const list = await client.list(ReplicaSet, {
    namespace: deployment.metadata.namespace,
    labelSelector: selectorOf({ ...deployment, kind: "Deployment" } as never),
  });
  const own = list.items.filter(({ metadata }) =>
    metadata.ownerReferences?.some(({ uid }) => uid === deployment.metadata.uid),
  );
  return own.sort((a, b) => revisionOf(a) - revisionOf(b));
}

async function history(session: Session, target: Target, { flags, io }: Invocation): Promise<number> {
  const deployment = await session.client.get(Deployment, target.key);
  const replicaSets = await replicaSetsOf(session, deployment);
  const wanted = flags.integer("revision");
  if (wanted > 0) {
    const found = replicaSets.find((replicaSet) => revisionOf(replicaSet) === wanted);
    if (found === undefined) throw new UsageError("unable to find the specified revision");
    const writer = new Writer();
    const cause = found.metadata.annotations?.[causeAnnotation];
    const { template } = found.spec!;
    const annotations = {
      ...template?.metadata?.annotations,
      ...(cause === undefined ? {} : { [causeAnnotation]: cause }),
    };
    writePodTemplate(writer, { ...template, metadata: { ...template?.metadata, annotations } });
    io.stdout(`${targetName(target)} with revision #${wanted}\n${writer.unaligned()}\n`);
    return 0;
  }
  const rows = replicaSets.map((replicaSet) => [
    String(revisionOf(replicaSet)),
    replicaSet.metadata.annotations?.[causeAnnotation] ?? "<none>",
  ]);
  const lines = [["REVISION", "CHANGE-CAUSE"], ...rows].map((row) => row.join("\t"));
  io.stdout(`${targetName(target)} \n${safeText(alignTabs(lines.join("\n")))}\n\n`);
  return 0;
}

async function undo(session: Session, target: Target, { flags, io }: Invocation): Promise<number> {
  const deployment = await session.client.get(Deployment, target.key);
  if (deployment.spec?.paused === true)
    throw new UsageError(
      `you cannot rollback a paused deployment; resume it first with 'capstan rollout resume ${targetName(target)}' and try again`,
    );
  const replicaSets = await replicaSetsOf(session, deployment);
  const wanted = flags.integer("to-revision");
  const former = wanted > 0 ? replicaSets.find((replicaSet) => revisionOf(replicaSet) === wanted) : replicaSets.at(-2);
  if (former === undefined)
    throw new UsageError(
      wanted > 0
        ? `unable to find specified revision ${wanted} in history`
        : `no rollout history found for deployment "${target.key.name}"`,
    );
  const { metadata, spec } = former.spec!.template!;
  const { "pod-template-hash": _, ...labels } = metadata?.labels ?? {};
  const template = { metadata: { ...metadata, labels }, spec };
  if (JSON.stringify(deployment.spec?.template) === JSON.stringify(template)) {
    io.stdout(
      `${targetName(target)} skipped rollback (current template already matches revision ${revisionOf(former)})\n`,
    );
    return 0;
  }
  await session.client.patch(Deployment, target.key, "json", [
    { op: "replace", path: "/spec/template", value: template },
  ]);
  io.stdout(`${targetName(target)} rolled back\n`);
  return 0;
}

const patching =
  (word: string, patch: () => object, isDone: (deployment: V1Deployment) => boolean, already: string): Act =>
  async ({ client }, target, { io }) => {
    const live = (await client.get(target.resource, target.key)) as unknown as V1Deployment;
    if (isDone(live))
      throw new UsageError(`${target.resource.plural}.${target.resource.group} "${target.key.name}" ${already}`);
    await client.patch(target.resource, target.key, "strategic", patch());
    io.stdout(`${targetName(target)} ${word}\n`);
    return 0;
  };

export const rolloutStatusCommand = rolloutCommand(
  "status",
  "Follow a rollout until it is done",
  ["capstan rollout status deployment/web"],
  status,
  [
    { name: "watch", short: "w", type: "boolean", default: true, help: "Follow until it is done" },
    {
      name: "timeout",
      type: "string",
      default: "0s",
      placeholder: "DURATION",
      help: "How long to follow; 0 is for ever",
    },
  ],
);
export const rolloutHistoryCommand = rolloutCommand(
  "history",
  "Show a rollout's revisions",
  ["capstan rollout history deployment/web --revision=2"],
  history,
  [{ name: "revision", type: "integer", default: 0, help: "Details of this revision" }],
);
export const rolloutUndoCommand = rolloutCommand(
  "undo",
  "Go back to a former revision",
  ["capstan rollout undo deployment/web", "capstan rollout undo deployment/web --to-revision=3"],
  undo,
  [{ name: "to-revision", type: "integer", default: 0, help: "Which revision; 0 is the one before" }],
);
export const rolloutRestartCommand = rolloutCommand(
  "restart",
  "Replace all pods by new ones",
  ["capstan rollout restart deployment/web"],
  patching(
    "restarted",
    () => ({
      spec: {
        template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": new Date().toISOString() } } },
      },
    }),
    ({ spec }) => spec?.paused === true,
    "can't restart paused deployment (run rollout resume first)",
  ),
);
export const rolloutPauseCommand = rolloutCommand(
  "pause",
  "Hold a rollout",
  ["capstan rollout pause deployment/web"],
  patching(
    "paused",
    () => ({ spec: { paused: true } }),
    ({ spec }) => spec?.paused === true,
    "is already paused",
  ),
);
export const rolloutResumeCommand = rolloutCommand(
  "resume",
  "Go on with a paused rollout",
  ["capstan rollout resume deployment/web"],
  patching(
    "resumed",
    () => ({ spec: { paused: null } }),
    ({ spec }) => spec?.paused !== true,
    "is not paused",
  ),
);
