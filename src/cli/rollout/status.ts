/** `capstan rollout status`: follows a rollout until it is done. Upstream: kubectl/pkg/polymorphichelpers/rollout_status.go. */
import type { V1DaemonSet, V1Deployment, V1StatefulSet } from "#api/generated/types.ts";
import { sleep } from "#lib/sleep.ts";
import { UsageError } from "#cli/command.ts";
import { type Act, rolloutCommand } from "./command.ts";

const pollMs = 100;
const revisionAnnotation = "deployment.kubernetes.io/revision";

export interface RolloutState {
  text: string;
  isDone: boolean;
  hasFailed?: boolean;
}

/** What is still to come, or that it is done. */
export function deploymentState({ metadata, spec, status }: V1Deployment): RolloutState {
  const name = metadata.name ?? "";
  if ((metadata.generation ?? 0) > (status?.observedGeneration ?? 0))
    return going("Waiting for deployment spec update to be observed...");
  const progressing = status?.conditions?.find(({ type }) => type === "Progressing");
  if (progressing?.reason === "ProgressDeadlineExceeded")
    return { text: `deployment "${name}" exceeded its progress deadline`, isDone: true, hasFailed: true };
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = status ?? {};
  const wanted = spec?.replicas ?? 1;
  const waiting = `Waiting for deployment "${name}" rollout to finish:`;
  if (updatedReplicas < wanted)
    return going(`${waiting} ${updatedReplicas} out of ${wanted} new replicas have been updated...`);
  if (replicas > updatedReplicas)
    return going(`${waiting} ${replicas - updatedReplicas} old replicas are pending termination...`);
  if (availableReplicas < updatedReplicas)
    return going(`${waiting} ${availableReplicas} of ${updatedReplicas} updated replicas are available...`);
  return { text: `deployment "${name}" successfully rolled out`, isDone: true };
}

export function daemonSetState({ metadata, spec, status }: V1DaemonSet): RolloutState {
  requireRolling(spec?.updateStrategy?.type);
  const name = metadata.name ?? "";
  if ((metadata.generation ?? 0) > (status?.observedGeneration ?? 0))
    return going("Waiting for daemon set spec update to be observed...");
  const { updatedNumberScheduled = 0, desiredNumberScheduled = 0, numberAvailable = 0 } = status ?? {};
  const waiting = `Waiting for daemon set "${name}" rollout to finish:`;
  if (updatedNumberScheduled < desiredNumberScheduled)
    return going(`${waiting} ${updatedNumberScheduled} out of ${desiredNumberScheduled} new pods have been updated...`);
  if (numberAvailable < desiredNumberScheduled)
    return going(`${waiting} ${numberAvailable} of ${desiredNumberScheduled} updated pods are available...`);
  return { text: `daemon set "${name}" successfully rolled out`, isDone: true };
}

export function statefulSetState({ metadata, spec, status }: V1StatefulSet): RolloutState {
  requireRolling(spec?.updateStrategy?.type);
  const observed = status?.observedGeneration ?? 0;
  if (observed === 0 || (metadata.generation ?? 0) > observed)
    return going("Waiting for statefulset spec update to be observed...");
  const { updatedReplicas = 0, readyReplicas = 0, currentReplicas = 0 } = status ?? {};
  const wanted = spec?.replicas ?? 1;
  if (readyReplicas < wanted) return going(`Waiting for ${wanted - readyReplicas} pods to be ready...`);
  const partition = spec?.updateStrategy?.rollingUpdate?.partition;
  if (spec?.updateStrategy?.rollingUpdate !== undefined) {
    const due = wanted - (partition ?? 0);
    if (partition !== undefined && updatedReplicas < due)
      return going(
        `Waiting for partitioned roll out to finish: ${updatedReplicas} out of ${due} new pods have been updated...`,
      );
    return { text: `partitioned roll out complete: ${updatedReplicas} new pods have been updated...`, isDone: true };
  }
  if (status?.updateRevision !== status?.currentRevision)
    return going(
      `waiting for statefulset rolling update to complete ${updatedReplicas} pods at revision ${status?.updateRevision}...`,
    );
  const text = `statefulset rolling update complete ${currentReplicas} pods at revision ${status?.currentRevision}...`;
  return { text, isDone: true };
}

const going = (text: string): RolloutState => ({ text, isDone: false });

function requireRolling(type: string | undefined): void {
  if (type !== "RollingUpdate")
    throw new UsageError("rollout status is only available for RollingUpdate strategy type");
}

function followed<T>(stateOf: (live: T) => RolloutState): Act {
  return async ({ client }, { resource, key }, { flags, io }) => {
    const limit = flags.durationMs("timeout");
    const deadline = limit === 0 ? Infinity : performance.now() + limit;
    let shown = "";
    for (;;) {
      const live = await client.get(resource, key);
      checkRevision(live.metadata.annotations?.[revisionAnnotation], flags.integer("revision"));
      const state = stateOf(live as unknown as T);
      if (state.hasFailed === true) throw new UsageError(state.text);
      if (state.text !== shown) io.stdout(`${state.text}\n`);
      shown = state.text;
      if (state.isDone || !flags.boolean("watch")) return 0;
      if (performance.now() > deadline || io.signal.aborted)
        throw new UsageError("timed out waiting for the condition");
      await sleep(pollMs, io.signal);
    }
  };
}

function checkRevision(running: string | undefined, wanted: number): void {
  if (wanted > 0 && running !== undefined && Number(running) !== wanted)
    throw new UsageError(`desired revision (${wanted}) is different from the running revision (${running})`);
}

export const rolloutStatusCommand = rolloutCommand({
  word: "status",
  summary: "Follow a rollout until it is done",
  examples: ["capstan rollout status deployment/web", "capstan rollout status daemonset/logs --timeout=60s"],
  flags: [
    { name: "watch", short: "w", type: "boolean", default: true, help: "Follow until it is done" },
    { name: "revision", type: "integer", default: 0, placeholder: "NUMBER", help: "Only this revision; 0 is the last" },
    { name: "timeout", type: "duration", default: "0s", help: "How long; 0 is for ever" },
  ],
  kinds: {
    Deployment: followed(deploymentState),
    DaemonSet: followed(daemonSetState),
    StatefulSet: followed(statefulSetState),
  },
  unsupported: ({ resource }) => `no status viewer has been implemented for ${resource.kind}`,
});
