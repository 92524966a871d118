/** Which volumes the pods of a node need attached to it: those of CSI drivers that attach. Upstream: pkg/volume/csi. */
import { createHash } from "node:crypto";
import type { Pod } from "#api/core/pod.ts";
import { CSIDriver } from "#api/storage/csi-driver.ts";
import { PersistentVolume, PersistentVolumeClaim } from "#reconcilers/kinds.ts";
import { isPodTerminal } from "#reconcilers/pod-state.ts";
import type { View } from "#reconcilers/reconciler.ts";
import { claimsOf } from "#reconcilers/volume/volume-protection.ts";

export interface AttachableVolume {
  volume: PersistentVolume;
  driver: string;
  handle: string;
  pod: Pod;
}

export function volumesOf(pod: Pod, view: View): AttachableVolume[] {
  const { namespace } = pod.metadata;
  if (!needsVolumes(pod)) return [];
  return claimsOf(pod).flatMap((name) => {
    const claim = view.get(PersistentVolumeClaim, { namespace, name });
    const volume = view.get(PersistentVolume, { name: claim?.spec?.volumeName });
    const isBound = claim?.status?.phase === "Bound" && volume?.spec?.claimRef?.uid === claim.metadata.uid;
    const csi = volume?.spec?.csi;
    if (!isBound || volume === undefined || csi === undefined || !attaches(csi.driver, view)) return [];
    return [{ volume, driver: csi.driver, handle: csi.volumeHandle, pod }];
  });
}

/** A driver that nobody described attaches. */
function attaches(driver: string, view: View): boolean {
  return view.get(CSIDriver, { name: driver })?.spec.attachRequired !== false;
}

/** Until the last container has ended. */
function needsVolumes({ metadata, spec, status }: Pod): boolean {
  if ((spec?.nodeName ?? "") === "" || isPodTerminal({ metadata, status } as Pod)) return false;
  const isRunning = (status?.containerStatuses ?? []).some(({ state }) => state?.running !== undefined);
  return metadata.deletionTimestamp === undefined || isRunning || (status?.containerStatuses ?? []).length === 0;
}

/** How the node's status names it. */
export const uniqueName = (driver: string, handle: string): string => `kubernetes.io/csi/${driver}^${handle}`;

/** Drivers know attachments by this name. */
export function attachmentName(driver: string, handle: string, node: string): string {
  return `csi-${createHash("sha256").update(`${handle}${driver}${node}`).digest("hex")}`;
}
