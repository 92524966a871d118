/**
 * Volumes that two pods on a node cannot share, and claims that only one pod in the cluster may use. Upstream:
 * plugins/volumerestrictions.
 */
import type { V1Volume } from "#api/generated/types.ts";
import { everything } from "#api/label-selector.ts";
import { volumeClaimRef } from "#scheduler/kinds.ts";
import type { PodInfo } from "#scheduler/pod-info.ts";
import { type Cluster, definePlugin, fits, misfit, neverFits, ready, refused, skip } from "#scheduler/plugin.ts";
import { claimNamesOf } from "#scheduler/volumes.ts";

interface Prepared {
  volumes: readonly V1Volume[];
  /** A pod somewhere uses a claim that this pod would have to have for itself. */
  isClaimTaken: boolean;
}

export const volumeRestrictions = definePlugin<Prepared>({
  name: "VolumeRestrictions",
  retryWhen: ["node-added", "pod-removed", "volume-claim-changed", "own-change"],
  dependsOnPods: true,
  prepare(pod, cluster) {
    const volumes = (pod.spec.volumes ?? []).filter(isExclusive);
    const alone: string[] = [];
    for (const { name } of claimNamesOf(pod.pod)) {
      const claim = cluster.objects.get(volumeClaimRef, { namespace: pod.namespace, name });
      if (claim === undefined) return refused(neverFits(missingClaim(pod, name)));
      if (claim.spec?.accessModes?.includes("ReadWriteOncePod") === true) alone.push(name);
    }
    if (volumes.length === 0 && alone.length === 0) return skip;
    return ready({ volumes, isClaimTaken: alone.some((name) => isUsed(pod, name, cluster)) });
  },
  filter(_, node, { volumes, isClaimTaken }) {
    for (const volume of volumes)
      for (const other of node.pods.values())
        if ((other.spec.volumes ?? []).some((theirs) => collide(volume, theirs)))
          return misfit("node(s) had no available disk");
    if (!isClaimTaken) return fits;
    return misfit("node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode");
  },
});

function missingClaim({ pod }: PodInfo, name: string): string {
  const isEphemeral = claimNamesOf(pod).some((claim) => claim.name === name && claim.isEphemeral);
  return isEphemeral
    ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
    : `persistentvolumeclaim "${name}" not found`;
}

function isUsed(pod: PodInfo, claim: string, { state }: Cluster): boolean {
  for (const other of state.podsMatching(pod.namespace, everything))
    if (other.uid !== pod.uid && claimNamesOf(other.pod).some(({ name }) => name === claim)) return true;
  return false;
}

function isExclusive({ gcePersistentDisk, awsElasticBlockStore, rbd, iscsi }: V1Volume): boolean {
  return [gcePersistentDisk, awsElasticBlockStore, rbd, iscsi].some((source) => source !== undefined);
}

/** The same disk, unless both only read and the kind of disk allows that. */
function collide(a: V1Volume, b: V1Volume): boolean {
  const bothRead = (one?: boolean, other?: boolean) => one === true && other === true;
  if (a.gcePersistentDisk !== undefined && b.gcePersistentDisk !== undefined)
    return (
      a.gcePersistentDisk.pdName === b.gcePersistentDisk.pdName &&
      !bothRead(a.gcePersistentDisk.readOnly, b.gcePersistentDisk.readOnly)
    );
  if (a.awsElasticBlockStore !== undefined && b.awsElasticBlockStore !== undefined)
    return a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore.volumeID;
  if (a.iscsi !== undefined && b.iscsi !== undefined)
    return a.iscsi.iqn === b.iscsi.iqn && !bothRead(a.iscsi.readOnly, b.iscsi.readOnly);
  if (a.rbd === undefined || b.rbd === undefined) return false;
  const { monitors, pool = "rbd", image, readOnly } = a.rbd;
  const theirs = b.rbd;
  return (
    monitors.some((monitor) => theirs.monitors.includes(monitor)) &&
    pool === (theirs.pool ?? "rbd") &&
    image === theirs.image &&
    !bothRead(readOnly, theirs.readOnly)
  );
}
