/**
 * What new nodes can do and old ones cannot, as `node.status.declaredFeatures` names it, and what of that a pod needs.
 * Upstream: component-helpers/nodedeclaredfeatures, as it registers them in 1.36. (Host network in a user namespace is left
 * out: validation refuses such pods.)
 */
import type { V1Container, V1Pod, V1PodSpec } from "#api/generated/types.ts";
import { semanticEqual } from "#api/validation/values.ts";
import { isSidecar } from "./pod-resources.ts";

interface NodeFeature {
  readonly name: string;
  /** Whether a pod may only go to nodes that have it. */
  neededBy?(spec: V1PodSpec): boolean;
  /** Whether a node must have it to follow a change of a pod that it runs. */
  neededToChange?(old: V1PodSpec, spec: V1PodSpec): boolean;
}

/** By name. */
const features: readonly NodeFeature[] = [
  // WebSocket clients of exec, attach and port-forward are served by the node itself.
  { name: "ExtendWebSocketsToKubelet" },
  {
    name: "InPlacePodLevelResourcesVerticalScaling",
    neededToChange: ({ resources: old }, { resources }) =>
      (old === undefined) !== (resources === undefined) || !semanticEqual(old, resources),
  },
  {
    name: "InPlacePodVerticalScalingInitContainers",
    neededToChange: ({ initContainers: old = [] }, { initContainers = [] }) =>
      old.some(
        (container, index) =>
          !isSidecar(container) && !semanticEqual(container.resources, initContainers[index]?.resources),
      ),
  },
  {
    name: "RestartAllContainersOnContainerExits",
    neededBy: ({ initContainers = [], containers }) => [...initContainers, ...containers].some(mayRestartAll),
  },
];

const mayRestartAll = ({ restartPolicyRules = [] }: V1Container): boolean =>
  restartPolicyRules.some(({ action }) => action === "RestartAllContainers");

/** Every feature that is known, sorted. */
export const knownFeatures: readonly string[] = features.map(({ name }) => name);

/** What a pod asks of the node that it is to go to, sorted. */
export function featuresNeeded(spec: V1PodSpec): string[] {
  return features.filter(({ neededBy }) => neededBy?.(spec) === true).map(({ name }) => name);
}

/** What a change of a pod asks of the node that it is on, sorted. */
export function featuresNeededToChange(old: V1Pod, pod: V1Pod): string[] {
  const [before, after] = [old.spec, pod.spec];
  if (before === undefined || after === undefined) return [];
  return features.filter(({ neededToChange }) => neededToChange?.(before, after) === true).map(({ name }) => name);
}
