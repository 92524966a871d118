/** A node takes only so many volumes of a CSI driver. Upstream: plugins/nodevolumelimits/csi.go. */
import type { V1Pod } from "#api/generated/types.ts";
import { csiNodeRef, volumeClaimRef, volumeRef } from "#scheduler/kinds.ts";
import { type Cluster, definePlugin, fits, misfit, ready, skip } from "#scheduler/plugin.ts";
import { claimNamesOf, classOf, noProvisioner } from "#scheduler/volumes.ts";
import type { View } from "#client/view.ts";

/** A volume's identity → its driver. */
type Attachments = ReadonlyMap<string, string>;

export const nodeVolumeLimits = definePlugin<Attachments>({
  name: "NodeVolumeLimits",
  retryWhen: ["node-added", "pod-removed", "csi-node-changed", "volume-claim-changed", "volume-changed", "own-change"],
  prepare({ pod }, { objects }) {
    const wanted = attachmentsOf(pod, objects);
    return wanted.size === 0 ? skip : ready(wanted);
  },
  filter(_, node, wanted, { objects }: Cluster) {
    const drivers = objects.get(csiNodeRef, { name: node.name })?.spec.drivers ?? [];
    const limits = drivers.filter(({ allocatable }) => allocatable?.count !== undefined);
    if (limits.length === 0) return fits;
    const attached = new Map(wanted);
    for (const { pod } of node.pods.values())
      for (const [volume, driver] of attachmentsOf(pod, objects)) attached.set(volume, driver);
    const counts = Map.groupBy(attached.values(), (driver) => driver);
    for (const { name, allocatable } of limits) {
      const isConcerned = [...wanted.values()].includes(name);
      if (isConcerned && (counts.get(name)?.length ?? 0) > (allocatable?.count ?? Infinity))
        return misfit("node(s) exceed max volume count");
    }
    return fits;
  },
});

function attachmentsOf(pod: V1Pod, objects: View): Attachments {
  const attachments = new Map<string, string>();
  for (const { name } of claimNamesOf(pod)) {
    const claim = objects.get(volumeClaimRef, { namespace: pod.metadata.namespace, name });
    if (claim === undefined) continue;
    const volume = objects.get(volumeRef, { name: claim.spec?.volumeName ?? "" });
    if (volume?.spec?.csi !== undefined) {
      const { driver, volumeHandle } = volume.spec.csi;
      attachments.set(`${driver}/${volumeHandle}`, driver);
    } else if (volume === undefined) {
      // A volume that is still to be made counts for the driver that will make it.
      const provisioner = classOf(claim, objects)?.provisioner;
      if (provisioner !== undefined && provisioner !== noProvisioner)
        attachments.set(`${provisioner}/${pod.metadata.namespace}/${name}`, provisioner);
    }
  }
  return attachments;
}
