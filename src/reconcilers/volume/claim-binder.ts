/** Binds claims to volumes. Upstream: pkg/controller/volume/persistentvolume/pv_controller.go (syncClaim). */
import { Pod } from "#api/core/pod.ts";
import { defineIndex } from "#client/object-set.ts";
import { PersistentVolume, PersistentVolumeClaim, StorageClass } from "#reconcilers/kinds.ts";
import { isPodTerminal } from "#reconcilers/pod-state.ts";
import {
  defineReconciler,
  event,
  trigger,
  update,
  updateStatus,
  wake,
  type Change,
  type ObjectKey,
  type View,
} from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";
import { defaultClassFor } from "./default-class.ts";
import { classOf, isReservedFor, matchingVolume, misfit } from "./volume-match.ts";
import { podsByClaim } from "./volume-protection.ts";

export const boundByController = "pv.kubernetes.io/bound-by-controller";
const bindCompleted = "pv.kubernetes.io/bind-completed";
const selectedNode = "volume.kubernetes.io/selected-node";
const provisioners = ["volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"];
/** Provisioners of this prefix were part of Kubernetes; those that a CSI driver stands in for are asked like any other. */
const builtInPrefix = "kubernetes.io/";
const replacedByDrivers = new Set(
  ["aws-ebs", "azure-disk", "azure-file", "cinder", "gce-pd", "portworx-volume", "vsphere-volume"].map(
    (name) => builtInPrefix + name,
  ),
);
/** A claim without a volume is looked at again after this, and its event told again. */
const againMs = 15_000;

const unboundByClass = defineIndex<PersistentVolumeClaim>("claim-unbound", (claim) =>
  claim.status?.phase === "Bound" ? [] : [classOf(claim)],
);
const byVolumeName = defineIndex<PersistentVolumeClaim>("claim-volume", ({ spec }) =>
  spec?.volumeName === undefined || spec.volumeName === "" ? [] : [spec.volumeName],
);
const volumesByClass = defineIndex<PersistentVolume>("volume-class", (volume) => [classOf(volume)]);
export const volumesByClaim = defineIndex<PersistentVolume>("volume-claim", ({ spec }) =>
  spec?.claimRef === undefined ? [] : [`${spec.claimRef.namespace}/${spec.claimRef.name}`],
);

export const claimBinderReconciler = defineReconciler<PersistentVolumeClaim>({
  name: "persistentvolume-binder",
  component: "persistentvolume-controller",
  watches: PersistentVolumeClaim,
  reads: [Pod],
  // Two claims must not take one volume.
  serial: true,
  also: [
    trigger(PersistentVolume, claimsFor),
    // A class may be the default of claims that name none.
    trigger(StorageClass, ({ metadata: { name = "" } }, view) =>
      [name, ""].flatMap((of) =>
        view.byIndex(PersistentVolumeClaim, unboundByClass, of).map((claim) => claim.metadata),
      ),
    ),
  ],
  reconcile(claim, view, { now }) {
    if (claim.metadata.annotations?.[bindCompleted] !== undefined) return bound(claim, view);
    if (claim.metadata.deletionTimestamp !== undefined) return [];
    const name = claim.spec?.volumeName ?? "";
    return name === "" ? unbound(claim, view, now) : named(claim, view.get(PersistentVolume, { name }));
  },
});

function claimsFor(volume: PersistentVolume, view: View): ObjectKey[] {
  const { name = "" } = volume.metadata;
  const reference = volume.spec?.claimRef;
  return [
    ...view.byIndex(PersistentVolumeClaim, byVolumeName, name).map(({ metadata }) => metadata),
    ...(reference === undefined
      ? view.byIndex(PersistentVolumeClaim, unboundByClass, classOf(volume)).map(({ metadata }) => metadata)
      : [{ namespace: reference.namespace, name: reference.name }]),
  ];
}

/** A claim that was bound once: its volume may have been lost. */
function bound(claim: PersistentVolumeClaim, view: View): Change[] {
  const name = claim.spec?.volumeName ?? "";
  if (name === "")
    return lost(claim, "ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
  const volume = view.get(PersistentVolume, { name });
  if (volume === undefined)
    return lost(claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  if (isReservedFor(volume, claim)) return completed(claim, volume);
  if (volume.spec?.claimRef === undefined) return [...reserved(claim, volume)];
  return lost(claim, "ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
}

function lost(claim: PersistentVolumeClaim, reason: string, message: string): Change[] {
  if (claim.status?.phase === "Lost") return [];
  const status = unboundStatus(claim, "Lost");
  return [updateStatus(PersistentVolumeClaim, { ...claim, status }), event(claim, "Warning", reason, message)];
}

/** A claim that names its volume gets that one or none. */
function named(claim: PersistentVolumeClaim, volume: PersistentVolume | undefined): Change[] {
  const pending = withPhase(claim, "Pending");
  if (volume === undefined) return pending;
  if (volume.spec?.claimRef !== undefined && !isReservedFor(volume, claim)) {
    const message = `volume "${volume.metadata.name}" already bound to a different claim.`;
    return [...pending, event(claim, "Warning", "FailedBinding", message)];
  }
  // What a volume was reserved for is not measured again.
  const fault = volume.spec?.claimRef === undefined ? misfit(volume, claim) : undefined;
  if (fault === undefined) return bindTo(claim, volume);
  const message = `Cannot bind to requested volume "${volume.metadata.name}": ${fault}`;
  return [...pending, event(claim, "Warning", "VolumeMismatch", message)];
}

function unbound(claim: PersistentVolumeClaim, view: View, now: number): Change[] {
  const className = classOf(claim);
  const storageClass = view.get(StorageClass, { name: className });
  const reservedVolumes = view.byIndex(
    PersistentVolume,
    volumesByClaim,
    `${claim.metadata.namespace}/${claim.metadata.name}`,
  );
  const waits =
    storageClass?.volumeBindingMode === "WaitForFirstConsumer" &&
    claim.metadata.annotations?.[selectedNode] === undefined;
  const candidates = waits
    ? reservedVolumes
    : [...reservedVolumes, ...view.byIndex(PersistentVolume, volumesByClass, className)];
  const volume = matchingVolume(claim, candidates);
  if (volume !== undefined) return bindTo(claim, volume);
  const byDefault = defaultClassFor(claim, view);
  if (byDefault !== undefined) {
    const spec = { ...claim.spec, storageClassName: byDefault };
    return [update(PersistentVolumeClaim, { ...claim, spec })];
  }
  const pending = withPhase(claim, "Pending");
  const again = wake(now + againMs);
  if (waits) return [...pending, waiting(claim, view), again];
  if (className === "") {
    const message = "no persistent volumes available for this claim and no storage class is set";
    return [...pending, event(claim, "Normal", "FailedBinding", message), again];
  }
  return [...pending, ...provisioned(claim, storageClass), again];
}

/** The claim says whom it waits for: a pod, or pods that have no node yet. */
function waiting(claim: PersistentVolumeClaim, view: View): Change {
  const pods = view
    .byIndex(Pod, podsByClaim, `${claim.metadata.namespace}/${claim.metadata.name}`)
    .filter((pod) => !isPodTerminal(pod) && (pod.spec?.nodeName ?? "") === "")
    .map(({ metadata }) => metadata.name);
  if (pods.length > 0) {
    const message = `waiting for ${pods.length > 1 ? "pods" : "pod"} ${pods.join(",")} to be scheduled`;
    return event(claim, "Normal", "WaitForPodScheduled", message);
  }
  return event(claim, "Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding");
}

/** Somebody else makes the volume: the claim says who. */
function provisioned(claim: PersistentVolumeClaim, storageClass: StorageClass | undefined): Change[] {
  if (storageClass === undefined) {
    const message = `storageclass.storage.k8s.io "${classOf(claim)}" not found`;
    return [event(claim, "Warning", "ProvisioningFailed", message)];
  }
  const { provisioner } = storageClass;
  if (provisioner.startsWith(builtInPrefix) && !replacedByDrivers.has(provisioner))
    return [event(claim, "Warning", "ProvisioningFailed", `no volume plugin matched name: ${provisioner}`)];
  const annotations = { ...claim.metadata.annotations };
  const known = provisioners.every((name) => annotations[name] === provisioner);
  for (const name of provisioners) annotations[name] = provisioner;
  const message =
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system ` +
    "administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.";
  const noted = known
    ? []
    : [update(PersistentVolumeClaim, { ...claim, metadata: { ...claim.metadata, annotations } })];
  return [...noted, event(claim, "Normal", "ExternalProvisioning", message)];
}

/** First the volume is reserved, then the claim points to it; each step is seen before the next. */
function bindTo(claim: PersistentVolumeClaim, volume: PersistentVolume): Change[] {
  const reserving = reserved(claim, volume);
  if (reserving.length > 0) return [...withPhase(claim, "Pending"), ...reserving];
  const annotations: Record<string, string> = { ...claim.metadata.annotations, [bindCompleted]: "yes" };
  const chosen = (claim.spec?.volumeName ?? "") === "";
  if (chosen) annotations[boundByController] = "yes";
  const spec = { ...claim.spec, volumeName: volume.metadata.name! };
  return [update(PersistentVolumeClaim, { ...claim, metadata: { ...claim.metadata, annotations }, spec })];
}

function reserved(claim: PersistentVolumeClaim, volume: PersistentVolume): Change[] {
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  if (volume.spec?.claimRef?.uid === uid) return [];
  const claimRef = {
    kind: "PersistentVolumeClaim",
    namespace: namespace!,
    name: name!,
    uid: uid!,
    apiVersion: "v1",
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  const mine: Record<string, string> = volume.spec?.claimRef === undefined ? { [boundByController]: "yes" } : {};
  const annotations = { ...volume.metadata.annotations, ...mine };
  const metadata = Object.keys(annotations).length === 0 ? volume.metadata : { ...volume.metadata, annotations };
  return [update(PersistentVolume, { ...volume, metadata, spec: { ...volume.spec, claimRef } })];
}

function completed(claim: PersistentVolumeClaim, volume: PersistentVolume): Change[] {
  const { accessModes = [], capacity = {}, volumeAttributesClassName } = volume.spec ?? {};
  // What a claim has is read off the volume once: a driver may change both later, one after the other.
  const taken = {
    capacity,
    ...(volumeAttributesClassName === undefined ? {} : { currentVolumeAttributesClassName: volumeAttributesClassName }),
  };
  const status = { ...claim.status, ...(claim.status?.phase === "Bound" ? {} : taken), phase: "Bound", accessModes };
  return canonical(status) === canonical(claim.status ?? {})
    ? []
    : [updateStatus(PersistentVolumeClaim, { ...claim, status })];
}

function withPhase(claim: PersistentVolumeClaim, phase: string): Change[] {
  const status = unboundStatus(claim, phase);
  return canonical(status) === canonical(claim.status ?? {})
    ? []
    : [updateStatus(PersistentVolumeClaim, { ...claim, status })];
}

/** Modes, capacity and attributes are those of a volume: without one there are none. */
function unboundStatus({ status }: PersistentVolumeClaim, phase: string): NonNullable<PersistentVolumeClaim["status"]> {
  const { accessModes: _, capacity: __, currentVolumeAttributesClassName: ___, ...rest } = status ?? {};
  return { ...rest, phase };
}
