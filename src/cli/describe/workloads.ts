/** Deployments, ReplicaSets and the other kinds that hold a pod template. */
import { Pod } from "#api/core/pod.ts";
import { ReplicaSet } from "#api/apps/replica-set.ts";
import { selectorText } from "#api/columns.ts";
import type { V1DaemonSet, V1Deployment, V1Pod, V1ReplicaSet, V1StatefulSet } from "#api/generated/types.ts";
import { labelSelectorOf, labelSelectorText } from "#api/label-selector.ts";
import type { KubernetesObject } from "#api/object.ts";
import { type DescribeContext, describer } from "./describer.ts";
import { writeEvents } from "./events.ts";
import {
  bound,
  controllerOf,
  timeText,
  writeAnnotations,
  writeConditions,
  writeLabels,
  writeNames,
} from "./metadata.ts";
import { writePodTemplate } from "./pod.ts";
import { sameTemplate } from "./same-template.ts";

export const describeDeployment = describer<V1Deployment>(async (deployment, context) => {
  const { writer } = context;
  const { line } = bound(writer);
  const { metadata, spec, status = {} } = deployment;
  writeNames({ line }, deployment);
  line(0, `CreationTimestamp:\t${timeText(metadata.creationTimestamp)}`);
  writeLabels(writer, "Labels", metadata.labels);
  writeAnnotations(writer, metadata.annotations);
  line(0, `Selector:\t${selectorText(spec?.selector)}`);
  line(
    0,
    `Replicas:\t${spec?.replicas ?? 0} desired | ${status.updatedReplicas ?? 0} updated | ${status.replicas ?? 0} total | ${status.availableReplicas ?? 0} available | ${status.unavailableReplicas ?? 0} unavailable`,
  );
  line(0, `StrategyType:\t${spec?.strategy?.type ?? ""}`);
  line(0, `MinReadySeconds:\t${spec?.minReadySeconds ?? 0}`);
  const rolling = spec?.strategy?.rollingUpdate;
  if (rolling)
    line(
      0,
      `RollingUpdateStrategy:\t${String(rolling.maxUnavailable)} max unavailable, ${String(rolling.maxSurge)} max surge`,
    );
  writePodTemplate(writer, spec?.template);
  writeConditions(writer, status.conditions);
  await writeReplicaSets(deployment, context);
  await writeEvents(deployment, context);
});

async function writeReplicaSets(deployment: V1Deployment, { session, writer }: DescribeContext): Promise<void> {
  const { items } = await session.client.list(ReplicaSet, {
    namespace: deployment.metadata.namespace,
    labelSelector: labelSelectorText(labelSelectorOf(deployment.spec?.selector)),
  });
  const own = items.filter(({ metadata }) =>
    metadata.ownerReferences?.some(({ uid }) => uid === deployment.metadata.uid),
  );
  const current = own.find((replicaSet) => sameTemplate(replicaSet.spec?.template, deployment.spec?.template));
  const old = own.filter((replicaSet) => replicaSet !== current);
  writer.line(0, `OldReplicaSets:\t${replicaSetsText(old)}`);
  writer.line(0, `NewReplicaSet:\t${replicaSetsText(current === undefined ? [] : [current])}`);
}

const replicaSetsText = (replicaSets: readonly V1ReplicaSet[]): string =>
  replicaSets
    .map(
      ({ metadata, spec, status }) =>
        `${metadata.name} (${status?.replicas ?? 0}/${spec?.replicas ?? 0} replicas created)`,
    )
    .join(", ") || "<none>";

export const describeReplicaSet = describer<V1ReplicaSet>(async (replicaSet, context) => {
  const { writer } = context;
  const { line } = bound(writer);
  const { metadata, spec, status } = replicaSet;
  writeNames({ line }, replicaSet);
  line(0, `Selector:\t${selectorText(spec?.selector)}`);
  writeLabels(writer, "Labels", metadata.labels);
  writeAnnotations(writer, metadata.annotations);
  const controller = controllerOf(replicaSet);
  if (controller !== undefined) line(0, `Controlled By:\t${controller}`);
  line(0, `Replicas:\t${status?.replicas ?? 0} current / ${spec?.replicas ?? 0} desired`);
  await writePodsStatus(replicaSet, spec?.selector, context);
  writePodTemplate(writer, spec?.template);
  writeConditions(writer, status?.conditions);
  await writeEvents(replicaSet, context);
});

export const describeStatefulSet = describer<V1StatefulSet>(async (statefulSet, context) => {
  const { writer } = context;
  const { line } = bound(writer);
  const { metadata, spec, status } = statefulSet;
  writeNames({ line }, statefulSet);
  line(0, `CreationTimestamp:\t${timeText(metadata.creationTimestamp)}`);
  line(0, `Selector:\t${selectorText(spec?.selector)}`);
  writeLabels(writer, "Labels", metadata.labels);
  writeAnnotations(writer, metadata.annotations);
  line(0, `Replicas:\t${spec?.replicas ?? 0} desired | ${status?.replicas ?? 0} total`);
  line(0, `Update Strategy:\t${spec?.updateStrategy?.type ?? ""}`);
  const rolling = spec?.updateStrategy?.rollingUpdate;
  if (rolling) {
    line(1, `Partition:\t${rolling.partition ?? 0}`);
    if (rolling.maxUnavailable !== undefined) line(1, `MaxUnavailable:\t${String(rolling.maxUnavailable)}`);
  }
  await writePodsStatus(statefulSet, spec?.selector, context);
  writePodTemplate(writer, spec?.template);
  writeClaims(statefulSet, context);
  await writeEvents(statefulSet, context);
});

function writeClaims({ spec }: V1StatefulSet, { writer }: DescribeContext): void {
  const claims = spec?.volumeClaimTemplates ?? [];
  writer.line(0, `Volume Claims:${claims.length === 0 ? "\t<none>" : ""}`);
  for (const { metadata, spec: claim } of claims) {
    writer.line(1, `Name:\t${metadata?.name ?? ""}`);
    writer.line(1, `StorageClass:\t${claim?.storageClassName ?? ""}`);
    writeLabels(writer, "Labels", metadata?.labels, 1);
    writeAnnotations(writer, metadata?.annotations, 1);
    writer.line(
      1,
      `Capacity:\t${String((claim?.resources?.requests as Record<string, string> | undefined)?.["storage"] ?? "<default>")}`,
    );
    writer.line(1, `Access Modes:\t[${(claim?.accessModes ?? []).join(" ")}]`);
  }
}

export const describeDaemonSet = describer<V1DaemonSet>(async (daemonSet, context) => {
  const { writer } = context;
  const { line } = bound(writer);
  const { metadata, spec, status } = daemonSet;
  writeNames({ line }, daemonSet);
  line(0, `Selector:\t${selectorText(spec?.selector)}`);
  writeLabels(writer, "Node-Selector", spec?.template?.spec?.nodeSelector);
  writeLabels(writer, "Labels", metadata.labels);
  writeAnnotations(writer, metadata.annotations);
  line(0, `Desired Number of Nodes Scheduled: ${status?.desiredNumberScheduled ?? 0}`);
  line(0, `Current Number of Nodes Scheduled: ${status?.currentNumberScheduled ?? 0}`);
  line(0, `Number of Nodes Scheduled with Up-to-date Pods: ${status?.updatedNumberScheduled ?? 0}`);
  line(0, `Number of Nodes Scheduled with Available Pods: ${status?.numberAvailable ?? 0}`);
  line(0, `Number of Nodes Misscheduled: ${status?.numberMisscheduled ?? 0}`);
  await writePodsStatus(daemonSet, spec?.selector, context);
  writePodTemplate(writer, spec?.template);
  await writeEvents(daemonSet, context);
});

async function writePodsStatus(
  owner: KubernetesObject,
  selector: { matchLabels?: Record<string, string> } | undefined,
  { session, writer }: DescribeContext,
): Promise<void> {
  const { items } = await session.client.list(Pod, {
    namespace: owner.metadata.namespace,
    labelSelector: labelSelectorText(labelSelectorOf(selector)),
  });
  const own = items.filter(({ metadata }: V1Pod) =>
    metadata.ownerReferences?.some(({ uid, controller }) => uid === owner.metadata.uid && controller === true),
  );
  const count = (phase: string) => own.filter(({ status }) => status?.phase === phase).length;
  writer.line(
    0,
    `Pods Status:\t${count("Running")} Running / ${count("Pending")} Waiting / ${count("Succeeded")} Succeeded / ${count("Failed")} Failed`,
  );
}
