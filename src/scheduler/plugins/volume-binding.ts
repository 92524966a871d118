/**
 * A pod goes where its volumes can be reached; claims that waited for it get a volume there, or have one made. Upstream:
 * plugins/volumebinding.
 */
import type { V1PersistentVolumeClaim, V1StorageClass } from "#api/generated/types.ts";
import { labelSelectorOf, matchesLabels } from "#api/label-selector.ts";
import { wholeValue } from "#api/quantity.ts";
import type { View } from "#client/view.ts";
import { csiDriverRef, storageCapacityRef, volumeRef } from "#scheduler/kinds.ts";
import type { NodeInfo } from "#scheduler/node-info.ts";
import { definePlugin, fits, neverFits, ready, refused, skip, type Step } from "#scheduler/plugin.ts";
import {
  bySize,
  candidateVolumes,
  claimNamesOf,
  claimsOf,
  classNameOf,
  classOf,
  isFullyBound,
  isReachable,
  noProvisioner,
  selectedNodeAnnotation,
  waitsForConsumer,
  type VolumeCandidate,
} from "#scheduler/volumes.ts";

/** A claim that gets its volume together with the pod's node. */
interface UnboundClaim {
  claim: V1PersistentVolumeClaim;
  candidates: readonly VolumeCandidate[];
}

interface Claims {
  bound: readonly V1PersistentVolumeClaim[];
  /** The smallest first. */
  unbound: readonly UnboundClaim[];
}

const reasons = {
  conflict: "node(s) didn't match PersistentVolume's node affinity",
  noVolume: "node(s) didn't find available persistent volumes to bind",
  noSpace: "node(s) did not have enough free storage",
  lost: "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
};

export const volumeBinding = definePlugin<Claims>({
  name: "VolumeBinding",
  retryWhen: [
    "node-added",
    "node-labels-changed",
    "volume-changed",
    "volume-claim-changed",
    "storage-class-changed",
    "csi-node-changed",
    "csi-driver-changed",
    "storage-capacity-changed",
    "own-change",
  ],
  prepare({ pod }, { objects }) {
    if (claimNamesOf(pod).length === 0) return skip;
    const claims = claimsOf(pod, objects);
    if (typeof claims === "string") return refused(neverFits(claims));
    const bound = claims.filter(isFullyBound);
    const unbound = claims.filter((claim) => !isFullyBound(claim));
    const isHopeless = unbound.some(
      (claim) => !waitsForConsumer(claim, objects) || (claim.spec?.volumeName ?? "") !== "",
    );
    if (isHopeless) return refused(neverFits("pod has unbound immediate PersistentVolumeClaims"));
    const candidates = (claim: V1PersistentVolumeClaim) => ({ claim, candidates: candidateVolumes(claim, objects) });
    return ready({ bound, unbound: unbound.toSorted(bySize).map(candidates) });
  },
  filter(_, node, claims, { objects }) {
    const found: string[] = [];
    const volumes = claims.bound.map((claim) => objects.get(volumeRef, { name: claim.spec?.volumeName ?? "" }));
    if (volumes.some((volume) => volume !== undefined && !isReachable(volume, node))) found.push(reasons.conflict);
    const plan = planVolumes(claims.unbound, node, objects);
    if (typeof plan === "string") found.push(plan);
    if (volumes.includes(undefined)) found.push(reasons.lost);
    return found.length === 0 ? fits : neverFits(...found);
  },
  reserve(_, node, claims: Claims | undefined, { objects }) {
    if (claims === undefined) return [];
    const plan = planVolumes(claims.unbound, node, objects);
    return typeof plan === "string" ? [] : plan;
  },
});

/** Which volumes the claims get on the node, or why they get none. */
function planVolumes(claims: readonly UnboundClaim[], node: NodeInfo, objects: View): Step[] | string {
  if (claims.length === 0) return [];
  const steps: Step[] = [];
  const taken = new Set<string>();
  for (const { claim, candidates } of claims) {
    const { namespace, name } = claim.metadata;
    const key = { namespace, name };
    const selected = claim.metadata.annotations?.[selectedNodeAnnotation];
    if (selected !== undefined && selected !== node.name) return reasons.noVolume;
    const volume =
      selected === undefined ? candidates.find((one) => !taken.has(one.name) && one.isReachable(node)) : undefined;
    if (volume !== undefined) {
      taken.add(volume.name);
      steps.push({ kind: "bind-volume", claim: key, volume: volume.name });
      continue;
    }
    const fault = provisioningFault(claim, node, objects);
    if (fault !== undefined) return fault;
    steps.push({ kind: "provision", claim: key, node: node.name });
  }
  return steps;
}

function provisioningFault(claim: V1PersistentVolumeClaim, node: NodeInfo, objects: View): string | undefined {
  const storageClass = classOf(claim, objects);
  if (storageClass === undefined || storageClass.provisioner === noProvisioner) return reasons.noVolume;
  if (!isAllowed(storageClass, node)) return reasons.noVolume;
  return hasCapacity(claim, storageClass, node, objects) ? undefined : reasons.noSpace;
}

/** Any of the class's topologies, all expressions of it. */
function isAllowed({ allowedTopologies = [] }: V1StorageClass, { labels }: NodeInfo): boolean {
  if (allowedTopologies.length === 0) return true;
  return allowedTopologies.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => key in labels && values.includes(labels[key] ?? "")),
  );
}

/** Drivers that publish their capacity must have room for the claim where the node is. */
function hasCapacity(
  claim: V1PersistentVolumeClaim,
  { provisioner }: V1StorageClass,
  node: NodeInfo,
  objects: View,
): boolean {
  if (objects.get(csiDriverRef, { name: provisioner })?.spec.storageCapacity !== true) return true;
  const wanted = wholeValue(claim.spec?.resources?.requests?.["storage"] ?? "0");
  return objects.list(storageCapacityRef).some(({ storageClassName, nodeTopology, capacity, maximumVolumeSize }) => {
    if (storageClassName !== classNameOf(claim) || nodeTopology === undefined) return false;
    const limit = maximumVolumeSize ?? capacity;
    return (
      limit !== undefined && wholeValue(limit) >= wanted && matchesLabels(labelSelectorOf(nodeTopology), node.labels)
    );
  });
}
