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
    const wanted = Map.groupBy(
      pods.flatMap((pod) => volumesOf(pod, view)),
      ({ volume }) => volume.metadata.name ?? "",
    );
    if (wanted.size === 0 && attached.length === 0 && (node.status?.volumesAttached ?? []).length === 0) return [];
    return [
      ...[...wanted.values()].flatMap((each) => attachment(each, name, view)),
      ...attached.flatMap((each) => detachment(each, wanted, node, view, waitingSince ?? now, now)),
      ...reported(node, attached, wanted, view),
      ...attached.flatMap((each) => failed(each, wanted)),
    ];
  },
});

/** One volume, with each pod of the node that needs it. */
type Uses = readonly AttachableVolume[];

function attachment(uses: Uses, node: string, view: View): Change[] {
  const [first] = uses;
  if (first === undefined) return [];
  const { volume, driver, handle } = first;
  const name = attachmentName(driver, handle, node);
  if (view.get(VolumeAttachment, { name }) !== undefined) return [];
  const volumeName = volume.metadata.name ?? "";
  const elsewhere = view.byIndex(VolumeAttachment, byVolume, volumeName).filter(({ spec }) => spec.nodeName !== node);
  if (elsewhere.length > 0 && !isShared(volume)) {
    const holders = elsewhere.flatMap(({ spec }) => usersOn(spec.nodeName, volumeName, view));
    return uses.map(({ pod }) => {
      const message = `Multi-Attach error for volume "${volumeName}" ${whoHolds(holders, pod)}`;
      return event(pod, "Warning", "FailedAttachVolume", message);
    });
  }
  const spec = { attacher: driver, nodeName: node, source: { persistentVolumeName: volumeName } };
  return [create(VolumeAttachment, { metadata: { name }, spec }, { existsIsFine: true })];
}

function usersOn(node: string, volumeName: string, view: View): Pod[] {
  return view
    .byIndex(Pod, podsByNode, node)
    .filter((pod) => volumesOf(pod, view).some(({ volume }) => volume.metadata.name === volumeName));
}

/** Names of pods in other namespaces are nobody's business. */
function whoHolds(holders: readonly Pod[], { metadata: { namespace } }: Pod): string {
  if (holders.length === 0)
    return "Volume is already exclusively attached to one node and can't be attached to another";
  const names = holders.filter(({ metadata }) => metadata.namespace === namespace).map(({ metadata }) => metadata.name);
  const others = holders.length - names.length;
  if (names.length === 0) return `Volume is already used by ${others} pod(s) in different namespaces`;
  const more = others === 0 ? "" : ` and ${others} pod(s) in different namespaces`;
  return `Volume is already used by pod(s) ${names.join(", ")}${more}`;
}

function isShared({ spec }: PersistentVolume): boolean {
  const modes = spec?.accessModes ?? [];
  return modes.length === 0 || modes.includes("ReadWriteMany") || modes.includes("ReadOnlyMany");
}

function detachment(
  held: VolumeAttachment,
  wanted: ReadonlyMap<string, Uses>,
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

/** The node learns here that a volume may be mounted, and the pods that it is there. */
function reported(
  node: Node,
  attached: readonly VolumeAttachment[],
  wanted: ReadonlyMap<string, Uses>,
  view: View,
): Change[] {
  const here = new Map(
    attached
      .filter(({ status, metadata }) => status?.attached === true && metadata.deletionTimestamp === undefined)
      .flatMap((each) => {
        const unique = uniqueNameOf(each, view);
        return unique === undefined ? [] : [[unique, each.spec.source.persistentVolumeName ?? ""] as const];
      }),
  );
  const before = node.status?.volumesAttached ?? [];
  const next = [...here.keys()].sort().map((name) => ({ name, devicePath: "" }));
  if (canonical(next) === canonical(before)) return [];
  const known = new Set(before.map(({ name }) => name));
  const told = [...here]
    .filter(([unique]) => !known.has(unique))
    .flatMap(([, volumeName]) =>
      (wanted.get(volumeName) ?? []).map(({ pod }) => {
        const message = `AttachVolume.Attach succeeded for volume "${volumeName}" `;
        return event(pod, "Normal", "SuccessfulAttachVolume", message);
      }),
    );
  const status = { volumesAttached: next.length === 0 ? null : next };
  return [patch(Node, node, "merge", { status }, { subresource: "status" }), ...told];
}

/** The driver says why it could not attach. */
function failed({ spec, status }: VolumeAttachment, wanted: ReadonlyMap<string, Uses>): Change[] {
  const why = status?.attachError?.message;
  if (status?.attached === true || why === undefined) return [];
  const volumeName = spec.source.persistentVolumeName ?? "";
  return (wanted.get(volumeName) ?? []).map(({ pod }) => {
    const message = `AttachVolume.Attach failed for volume "${volumeName}" : ${why}`;
    return event(pod, "Warning", "FailedAttachVolume", message);
  });
}
