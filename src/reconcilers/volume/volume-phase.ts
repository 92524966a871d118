/** What a volume is to its claim: free, bound, released. Upstream: pv_controller.go (syncVolume, reclaimVolume). */
import { formatTime } from "#lib/clock.ts";
import { PersistentVolume, PersistentVolumeClaim } from "#reconcilers/kinds.ts";
import {
  defineReconciler,
  event,
  remove,
  trigger,
  update,
  updateStatus,
  type Change,
  type InputRequest,
} from "#reconcilers/reconciler.ts";
import { boundByController, volumesByClaim } from "./claim-binder.ts";
import { hasMode } from "./volume-match.ts";

const provisionedBy = "pv.kubernetes.io/provisioned-by";

export const volumePhaseReconciler = defineReconciler<PersistentVolume>({
  name: "persistentvolume-phase",
  component: "persistentvolume-controller",
  watches: PersistentVolume,
  also: [
    trigger(PersistentVolumeClaim, ({ metadata }, view) =>
      view
        .byIndex(PersistentVolume, volumesByClaim, `${metadata.namespace}/${metadata.name}`)
        .map((each) => each.metadata),
    ),
  ],
  inputs(volume, view) {
    const reference = volume.spec?.claimRef;
    const key = { namespace: reference?.namespace, name: reference?.name };
    const missing =
      (reference?.uid ?? "") !== "" && view.get(PersistentVolumeClaim, key)?.metadata.uid !== reference?.uid;
    // The view may be behind: a volume is let go only if the server says that its claim is gone.
    return new Map<string, InputRequest>(missing ? [["claim", { type: "get", ref: PersistentVolumeClaim, key }]] : []);
  },
  reconcile(volume, view, { now, inputs }) {
    if (volume.metadata.deletionTimestamp !== undefined && volume.spec?.claimRef === undefined) return [];
    const reference = volume.spec?.claimRef;
    if (reference === undefined || (reference.uid ?? "") === "") return phase(volume, "Available", now);
    const seen = view.get(PersistentVolumeClaim, { namespace: reference.namespace, name: reference.name });
    const answer = inputs.get("claim");
    const fresh = answer?.ok === true ? (answer.value as PersistentVolumeClaim | undefined) : undefined;
    const claim = [seen, fresh].find((each) => each?.metadata.uid === reference.uid);
    if (claim === undefined) return answer?.ok === true ? released(volume, now) : [];
    const name = claim.spec?.volumeName ?? "";
    if (name === volume.metadata.name) return phase(volume, "Bound", now);
    if (name === "") return hasMode(volume, claim) ? [] : mismatched(volume, claim);
    // The claim has found another volume: this one is free again, or of no use if it was made for the claim.
    const isMadeForIt = volume.metadata.annotations?.[provisionedBy] !== undefined;
    return isMadeForIt && policyOf(volume) === "Delete" ? released(volume, now) : [freed(volume)];
  },
});

const policyOf = ({ spec }: PersistentVolume): string => spec?.persistentVolumeReclaimPolicy ?? "Retain";

function mismatched(volume: PersistentVolume, claim: PersistentVolumeClaim): Change[] {
  const why = "due to incompatible volumeMode.";
  const [volumeName, claimName] = [volume.metadata.name, claim.metadata.name];
  const toVolume = `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${claimName}" ${why}`;
  const toClaim = `Cannot bind PersistentVolume "${volumeName}" to requested PersistentVolumeClaim ${why}`;
  return [event(volume, "Warning", "VolumeMismatch", toVolume), event(claim, "Warning", "VolumeMismatch", toClaim)];
}

function released(volume: PersistentVolume, now: number): Change[] {
  if (volume.status?.phase === "Failed") return [];
  const releasing = phase(volume, "Released", now);
  if (releasing.length > 0) return releasing;
  const { hostPath } = volume.spec ?? {};
  if (policyOf(volume) === "Delete" && hostPath !== undefined && deletablePaths.test(hostPath.path))
    return [remove(PersistentVolume, volume)];
  const fault = reclaimFault(volume);
  if (fault === undefined) return [];
  const { reason, message } = fault;
  return [...phase(volume, "Failed", now, message), event(volume, "Warning", reason, message)];
}

/** Upstream's plugin for paths of a host deletes these alone. */
const deletablePaths = /\/tmp\/.+/;

/** Why nobody can reclaim the volume as its policy says; undefined if nobody has to, or somebody else does. */
function reclaimFault(volume: PersistentVolume): { reason: string; message: string } | undefined {
  const { csi, hostPath, nfs } = volume.spec ?? {};
  const policy = policyOf(volume);
  if (policy === "Recycle" && hostPath === undefined && nfs === undefined)
    return { reason: "VolumeFailedRecycle", message: "No recycler plugin found for the volume!" };
  // Volumes of a CSI driver are deleted by the driver's own provisioner.
  const isPlugged = csi !== undefined || volume.metadata.annotations?.[provisionedBy] !== undefined;
  if (policy !== "Delete" || isPlugged) return undefined;
  const message =
    hostPath === undefined
      ? `error getting deleter volume plugin for volume "${volume.metadata.name}": no deletable volume plugin matched`
      : `host_path deleter only supports /tmp/.+ but received provided ${hostPath.path}`;
  return { reason: "VolumeFailedDelete", message };
}

/** What a user reserved stays reserved; only the claim's identity goes. */
function freed(volume: PersistentVolume): Change {
  if (volume.metadata.annotations?.[boundByController] === undefined) {
    const { uid: _, ...claimRef } = volume.spec?.claimRef ?? {};
    return update(PersistentVolume, { ...volume, spec: { ...volume.spec, claimRef } });
  }
  const { [boundByController]: _, ...annotations } = volume.metadata.annotations ?? {};
  const { claimRef: __, ...spec } = volume.spec ?? {};
  return update(PersistentVolume, { ...volume, metadata: { ...volume.metadata, annotations }, spec });
}

function phase(volume: PersistentVolume, wished: string, now: number, message?: string): Change[] {
  if (volume.status?.phase === wished) return [];
  const { message: _, ...kept } = volume.status ?? {};
  const status = {
    ...kept,
    phase: wished,
    lastPhaseTransitionTime: formatTime(now),
    ...(message === undefined ? {} : { message }),
  };
  return [updateStatus(PersistentVolume, { ...volume, status })];
}
