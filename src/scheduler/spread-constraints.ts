/** Topology spread constraints, read once a pod; and those that a pod has by default. Upstream: plugins/podtopologyspread. */
import type { V1Pod, V1TopologySpreadConstraint } from "#api/generated/types.ts";
import { type LabelSelector, labelSelectorOf, matchesLabels, selectorOfLabels } from "#api/label-selector.ts";
import type { View } from "#client/view.ts";
import { controllerOf } from "#client/view.ts";
import { replicaSetRef, replicationControllerRef, serviceRef, statefulSetRef } from "./kinds.ts";
import { narrowed, ownLabels } from "./pod-info.ts";

export const hostnameKey = "kubernetes.io/hostname";

export interface SpreadConstraint {
  topologyKey: string;
  maxSkew: number;
  minDomains: number;
  selector: LabelSelector;
  honoursAffinity: boolean;
  honoursTaints: boolean;
}

/** The constraints of the pod that must hold ("DoNotSchedule") or should ("ScheduleAnyway"). */
export function spreadConstraintsOf(pod: V1Pod, whenUnsatisfiable: string): SpreadConstraint[] {
  return (pod.spec?.topologySpreadConstraints ?? [])
    .filter((constraint) => constraint.whenUnsatisfiable === whenUnsatisfiable)
    .map((constraint) => constraintOf(pod, constraint));
}

function constraintOf(pod: V1Pod, constraint: V1TopologySpreadConstraint): SpreadConstraint {
  const { topologyKey, maxSkew, minDomains = 1, labelSelector, matchLabelKeys } = constraint;
  return {
    topologyKey,
    maxSkew,
    minDomains,
    selector: narrowed(labelSelectorOf(labelSelector), ownLabels(pod, matchLabelKeys, "in")),
    honoursAffinity: constraint.nodeAffinityPolicy !== "Ignore",
    honoursTaints: constraint.nodeTaintsPolicy === "Honor",
  };
}

const defaults: readonly { topologyKey: string; maxSkew: number }[] = [
  { topologyKey: hostnameKey, maxSkew: 3 },
  { topologyKey: "topology.kubernetes.io/zone", maxSkew: 5 },
];

/** What a pod without constraints should keep to, if services or a controller tell which pods are its siblings. */
export function defaultSpreadConstraints(pod: V1Pod, objects: View): SpreadConstraint[] {
  const selector = siblingsOf(pod, objects);
  if (selector === undefined) return [];
  return defaults.map(({ topologyKey, maxSkew }) => ({
    topologyKey,
    maxSkew,
    minDomains: 1,
    selector,
    honoursAffinity: true,
    honoursTaints: false,
  }));
}

function siblingsOf(pod: V1Pod, objects: View): LabelSelector | undefined {
  const labels: Record<string, string> = {};
  for (const { spec } of objects.list(serviceRef, pod.metadata.namespace ?? "")) {
    const selector = spec?.selector ?? {};
    if (Object.keys(selector).length > 0 && matchesLabels(selectorOfLabels(selector), pod.metadata.labels))
      Object.assign(labels, selector);
  }
  const own = controllerSelector(pod, objects);
  const requirements = [...selectorOfLabels(labels).requirements, ...(own?.requirements ?? [])];
  return requirements.length === 0 ? undefined : { requirements };
}

function controllerSelector(pod: V1Pod, objects: View): LabelSelector | undefined {
  const owner = controllerOf(pod);
  if (owner === undefined) return undefined;
  const key = { namespace: pod.metadata.namespace, name: owner.name };
  switch (`${owner.apiVersion} ${owner.kind}`) {
    case "v1 ReplicationController":
      return selectorOfLabels(objects.get(replicationControllerRef, key)?.spec?.selector);
    case "apps/v1 ReplicaSet":
      return labelSelectorOf(objects.get(replicaSetRef, key)?.spec?.selector);
    case "apps/v1 StatefulSet":
      return labelSelectorOf(objects.get(statefulSetRef, key)?.spec?.selector);
    default:
      return undefined;
  }
}
