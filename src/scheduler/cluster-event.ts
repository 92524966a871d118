/** What happened in the cluster that may make a refused pod fit, and how a change of an object is read as that. */
import { isDeepStrictEqual } from "node:util";
import type { V1Node, V1Pod } from "#api/generated/types.ts";
import type { CacheChange } from "#client/cache.ts";
import type { KubernetesObject } from "#api/object.ts";
import { isFinished } from "./pod-info.ts";

export type ClusterEventName =
  | "node-added"
  | "node-removed"
  | "node-allocatable-changed"
  | "node-labels-changed"
  | "node-taints-changed"
  | "node-features-changed"
  /** A pod was put on a node. */
  | "pod-added"
  | "pod-labels-changed"
  /** A pod on a node asks for less. */
  | "pod-shrunk"
  /** A pod left its node. */
  | "pod-removed"
  /** The waiting pod itself. */
  | "own-change"
  | "namespace-changed"
  | "service-changed"
  | "volume-changed"
  | "volume-claim-changed"
  | "storage-class-changed"
  | "csi-node-changed"
  | "csi-driver-changed"
  | "storage-capacity-changed"
  | "resource-claim-changed"
  | "resource-slice-changed"
  | "device-class-changed"
  /** Long unscheduled pods are tried again whatever happens. */
  | "time-passed";

export interface ClusterEvent {
  readonly name: ClusterEventName;
  readonly object: KubernetesObject | undefined;
}

export function nodeEvents({ type, object, old }: CacheChange<V1Node>): ClusterEvent[] {
  if (type === "deleted") return [{ name: "node-removed", object }];
  if (type === "added" || old === undefined) return [{ name: "node-added", object }];
  const events: ClusterEvent[] = [];
  if (!isDeepStrictEqual(old.status?.allocatable, object.status?.allocatable))
    events.push({ name: "node-allocatable-changed", object });
  if (!isDeepStrictEqual(old.metadata.labels, object.metadata.labels))
    events.push({ name: "node-labels-changed", object });
  const isUncordoned = old.spec?.unschedulable === true && object.spec?.unschedulable !== true;
  if (isUncordoned || !isDeepStrictEqual(old.spec?.taints, object.spec?.taints))
    events.push({ name: "node-taints-changed", object });
  if (!isDeepStrictEqual(old.status?.declaredFeatures, object.status?.declaredFeatures))
    events.push({ name: "node-features-changed", object });
  return events;
}

const isOnNode = (pod: V1Pod | undefined): boolean =>
  pod !== undefined && (pod.spec?.nodeName ?? "") !== "" && !isFinished(pod);

/** Events of pods on nodes. */
export function podEvents({ type, object, old }: CacheChange<V1Pod>): ClusterEvent[] {
  const wasThere = isOnNode(old);
  const isThere = type !== "deleted" && isOnNode(object);
  if (!wasThere) return isThere ? [{ name: "pod-added", object }] : [];
  if (!isThere) return [{ name: "pod-removed", object }];
  const events: ClusterEvent[] = [];
  if (!isDeepStrictEqual(old?.metadata.labels, object.metadata.labels))
    events.push({ name: "pod-labels-changed", object });
  const isResized =
    !isDeepStrictEqual(resourcesOf(old?.spec), resourcesOf(object.spec)) ||
    !isDeepStrictEqual(allocationsOf(old?.status), allocationsOf(object.status));
  if (isResized) events.push({ name: "pod-shrunk", object });
  return events;
}

/** A waiting pod changed in a way that may matter to where it goes; not when only its own condition was written. */
export function isRelevantOwnChange(old: V1Pod, pod: V1Pod): boolean {
  return (
    !isDeepStrictEqual(old.spec, pod.spec) ||
    !isDeepStrictEqual(old.metadata.labels, pod.metadata.labels) ||
    !isDeepStrictEqual(old.status?.resourceClaimStatuses, pod.status?.resourceClaimStatuses)
  );
}

const resourcesOf = (spec: V1Pod["spec"]) => [
  spec?.resources,
  ...(spec?.containers ?? []).map(({ resources }) => resources),
];
const allocationsOf = (status: V1Pod["status"]) => [
  [status?.resources, status?.allocatedResources],
  ...(status?.containerStatuses ?? []).map(({ resources, allocatedResources }) => [resources, allocatedResources]),
];
