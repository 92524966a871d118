/**
 * Has volumes attached to the nodes whose pods need them, and detached once no pod does and the node lets go. Upstream:
 * pkg/controller/volume/attachdetach.
 */
import { Node } from "#api/core/node.ts";
import { Pod } from "#api/core/pod.ts";
import { CSIDriver } from "#api/storage/csi-driver.ts";
import { VolumeAttachment } from "#api/storage/volume-attachment.ts";
import { defineIndex } from "#client/object-set.ts";
import { podsByNode } from "#reconcilers/endpoints/pod-endpoints.ts";
import { PersistentVolume, PersistentVolumeClaim } from "#reconcilers/kinds.ts";
import { nodeCondition } from "#reconcilers/node/node-health.ts";
import {
  create,
  defineReconciler,
  event,
  patch,
  remove,
  trigger,
  wake,
  type Change,
  type ObjectKey,
  type View,
} from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";
import { podsByClaim } from "#reconcilers/volume/volume-protection.ts";
import { attachmentName, uniqueName, volumesOf, type AttachableVolume } from "./attachable-volumes.ts";

/** A node that is not healthy is not waited for longer than this. */
export const unmountMsMax = 360_000;

const byNode = defineIndex<VolumeAttachment>("attachment-node", ({ spec }) => [spec.nodeName]);
const byVolume = defineIndex<VolumeAttachment>("attachment-volume", ({ spec }) => [
  spec.source.persistentVolumeName ?? "",
]);

const nodeOf = ({ spec }: Pod): ObjectKey[] => ((spec?.nodeName ?? "") === "" ? [] : [{ name: spec!.nodeName }]);

export const attachDetachReconciler = defineReconciler<Node>({
  name: "attachdetach",
  component: "attachdetach-controller",
  watches: Node,
  reads: [Pod, PersistentVolume, PersistentVolumeClaim, CSIDriver, VolumeAttachment],
  also: [
    trigger(Pod, (pod) => ((pod.spec?.volumes ?? []).length === 0 ? [] : nodeOf(pod))),
    trigger(PersistentVolumeClaim, ({ metadata: { namespace, name } }, view) =>
      view.byIndex(Pod, podsByClaim, `${namespace}/${name}`).flatMap(nodeOf),
    ),
    // The freed volume may be waited for elsewhere.
    trigger(VolumeAttachment, ({ spec }, view, other) => {
      const claim = view.get(PersistentVolume, { name: spec.source.persistentVolumeName })?.spec?.claimRef;
      const waiting =
        other !== undefined || claim === undefined
          ? []
          : view.byIndex(Pod, podsByClaim, `${claim.namespace}/${claim.name}`).flatMap(nodeOf);
      return [{ name: spec.nodeName }, ...waiting];
    }),
  ],
  ignores: (node, old) =>
    canonical(node.status?.volumesInUse) === canonical(old.status?.volumesInUse) &&
    canonical(node.status?.volumesAttached) === canonical(old.status?.volumesAttached) &&
    nodeCondition(node, "Ready")?.status === nodeCondition(old, "Ready")?.status,
  reconcile(node, view, { now, waitingSince }) {
    const name = node.metadata.name ?? "";
    const attached = view.byIndex(VolumeAttachment, byNode, name);
    const pods = view.byIndex(Pod, podsByNode, name);
    const wanted = new Map(
      pods.flatMap((pod) => volumesOf(pod, view)).map((each) => [each.volume.metadata.name ?? "", each] as const),
    );
    if (wanted.size === 0 && attached.length === 0 && (node.status?.volumesAttached ?? []).length === 0) return [];
    return [
      ...[...wanted.values()].flatMap((each) => attachment(each, name, view)),
      ...attached.flatMap((each) => detachment(each, wanted, node, view, waitingSince ?? now, now)),
      ...reported(node, attached, view),
    ];
  },
});

function attachment({ volume, driver, handle, pod }: AttachableVolume, node: string, view: View): Change[] {
  const name = attachmentName(driver, handle, node);
  if (view.get(VolumeAttachment, { name }) !== undefined) return [];
  const volumeName = volume.metadata.name ?? "";
  const elsewhere = view.byIndex(VolumeAttachment, byVolume, volumeName).filter(({ spec }) => spec.nodeName !== node);
  if (elsewhere.length > 0 && !isShared(volume)) {
    const message = `Multi-Attach error for volume "${volumeName}" Volume is already exclusively attached to one node and can't be attached to another`;
    return [event(pod, "Warning", "FailedAttachVolume", message)];
  }
  const spec = { attacher: driver, nodeName: node, source: { persistentVolumeName: volumeName } };
  return [create(VolumeAttachment, { metadata: { name }, spec }, { existsIsFine: true })];
}

function isShared({ spec }: PersistentVolume): boolean {
  const modes = spec?.accessModes ?? [];
  return modes.length === 0 || modes.includes("ReadWriteMany") || modes.includes("ReadOnlyMany");
}

function detachment(
  held: VolumeAttachment,
  wanted: ReadonlyMap<string, AttachableVolume>,
  node: Node,
  view: View,
  since: number,
  now: number,
): Change[] {
  const volumeName = held.spec.source.persistentVolumeName;
  if (volumeName === undefined || held.metadata.deletionTimestamp !== undefined || wanted.has(volumeName)) return [];
  const unique = uniqueNameOf(held, view);
  const isInUse = unique !== undefined && (node.status?.volumesInUse ?? []).includes(unique);
  if (!isInUse) return [remove(VolumeAttachment, held)];
  if (nodeCondition(node, "Ready")?.status === "True") return [];
  return since + unmountMsMax > now ? [wake(since + unmountMsMax)] : [remove(VolumeAttachment, held)];
}

function uniqueNameOf({ spec }: VolumeAttachment, view: View): string | undefined {
  const csi = view.get(PersistentVolume, { name: spec.source.persistentVolumeName })?.spec?.csi;
  return csi === undefined ? undefined : uniqueName(spec.attacher, csi.volumeHandle);
}

/** The node learns here that a volume may be mounted. */
function reported(node: Node, attached: readonly VolumeAttachment[], view: View): Change[] {
  const names = attached
    .filter(({ status, metadata }) => status?.attached === true && metadata.deletionTimestamp === undefined)
    .flatMap((each) => uniqueNameOf(each, view) ?? [])
    .sort();
  const next = names.map((name) => ({ name, devicePath: "" }));
  if (canonical(next) === canonical(node.status?.volumesAttached ?? [])) return [];
  const status = { volumesAttached: next.length === 0 ? null : next };
  return [patch(Node, node, "merge", { status }, { subresource: "status" })];
}
